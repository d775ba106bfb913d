#include "fakes/base/log.hpp"
#include "fakes/base/result.hpp"
#include "fakes/base/rng.hpp"

#include <atomic>
#include <cstdio>

namespace shed {

namespace {
std::atomic<LogLevel> least_level{LogLevel::warn};
constexpr const char* level_names[] = {"debug", "info", "warn", "error"};
}  // namespace

void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "error bug check=\"%s\" at=%s:%d\n", condition, file, line);
    std::abort();
}

void set_log_level(LogLevel least) { least_level = least; }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < least_level) return;
    std::string line = level_names[static_cast<int>(level)];
    line.append(" ").append(event);
    for (const auto& [key, value] : fields) {
        line.append(" ").append(key).append("=");
        const bool quote = value.empty() || value.find_first_of(" \t\n\"") != std::string_view::npos;
        if (!quote) {
            line.append(value);
            continue;
        }
        line.push_back('"');
        for (char c : value) {
            if (c == '\n') line.append("\\n");
            else if (c == '"') line.append("\\\"");
            else line.push_back(c);
        }
        line.push_back('"');
    }
    line.push_back('\n');
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::uint64_t Rng::next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

std::uint64_t Rng::below(std::uint64_t bound) {
    SHED_CHECK(bound > 0);
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    for (;;) {
        const std::uint64_t value = next();
        if (value < limit) return value % bound;
    }
}

std::string Rng::uuid() {
    const std::uint64_t high = (next() & 0xffffffffffff0fffULL) | 0x4000ULL;
    const std::uint64_t low = (next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
    char text[40];
    std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                  static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                  static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
    return text;
}

std::string Rng::suffix(int length) {
    static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
    std::string text;
    for (int i = 0; i < length; ++i) text.push_back(alphabet[below(alphabet.size())]);
    return text;
}

std::uint64_t hash_text(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
    return hash;
}

}  // namespace shed
