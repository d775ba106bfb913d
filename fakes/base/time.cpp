#include "fakes/base/time.hpp"

#include <array>
#include <cctype>
#include <cstdio>

namespace shed {

namespace {

using std::chrono::days;
using std::chrono::floor;

std::string seconds_text(Time time) {
    const auto day = floor<days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

int micros_of(Time time) {
    const auto second = floor<std::chrono::seconds>(time);
    return static_cast<int>((time - second).count());
}

// Reads exactly `count` digits at `at`; -1 when they are not digits.
int digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

// Reads `.123456` at `at`, moves `at` behind it and returns microseconds.
std::int64_t fraction(std::string_view text, std::size_t& at) {
    std::int64_t micros = 0;
    std::int64_t unit = 100000;
    for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) {
        micros += (text[at] - '0') * unit;
        unit /= 10;
    }
    return micros;
}

}  // namespace

std::string format_time(Time time) { return seconds_text(time) + "Z"; }

std::string format_micro_time(Time time) {
    char text[16];
    std::snprintf(text, sizeof text, ".%06dZ", micros_of(time));
    return seconds_text(time) + text;
}

std::string format_nano_time(Time time) {
    char text[16];
    std::snprintf(text, sizeof text, ".%06d000Z", micros_of(time));
    return seconds_text(time) + text;
}

std::optional<Time> parse_time(std::string_view text) {
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    std::size_t at = 19;
    std::int64_t micros = 0;
    if (at < text.size() && text[at] == '.') micros = fraction(text, at);
    if (at >= text.size()) return std::nullopt;
    std::chrono::minutes offset{0};
    if (text[at] == '+' || text[at] == '-') {
        const int hours = digits(text, at + 1, 2), minutes = digits(text, at + 4, 2);
        if (hours < 0 || minutes < 0 || text.size() != at + 6) return std::nullopt;
        offset = std::chrono::minutes((hours * 60 + minutes) * (text[at] == '-' ? -1 : 1));
    } else if ((text[at] != 'Z' && text[at] != 'z') || text.size() != at + 1) {
        return std::nullopt;
    }
    return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second) + std::chrono::microseconds(micros) - offset;
}

std::string human_duration(Duration duration) {
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    if (seconds < -1) return "<invalid>";
    if (seconds < 0) return "0s";
    const auto two = [](std::int64_t big, const char* big_unit, std::int64_t small, const char* small_unit) {
        std::string text = std::to_string(big) + big_unit;
        if (small != 0) text += std::to_string(small) + small_unit;
        return text;
    };
    const std::int64_t minutes = seconds / 60, hours = minutes / 60, whole_days = hours / 24, years = whole_days / 365;
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
    if (minutes < 180) return std::to_string(minutes) + "m";
    if (hours < 8) return two(hours, "h", minutes % 60, "m");
    if (hours < 48) return std::to_string(hours) + "h";
    if (hours < 192) return two(whole_days, "d", hours % 24, "h");
    if (years < 2) return std::to_string(whole_days) + "d";
    if (years < 8) return two(years, "y", whole_days % 365, "d");
    return std::to_string(years) + "y";
}

}  // namespace shed
