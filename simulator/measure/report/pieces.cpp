// Markup that the report's sections share.
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>

namespace shed::measure::report {

std::string tag(std::string_view name, std::string_view style, std::string_view content) {
    std::string out = "<" + std::string(name);
    if (!style.empty()) out += " class=\"" + escape_markup(style) + "\"";
    return out + ">" + std::string(content) + "</" + std::string(name) + ">";
}

std::string section(std::string_view title, std::string_view note, std::string_view content) {
    if (content.empty()) return "";
    std::string head = tag("h2", "", escape_markup(title));
    if (!note.empty()) head += tag("p", "note", escape_markup(note));
    return tag("section", "", head + std::string(content)) + "\n";
}

std::string_view sign(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "✓";
        case Verdict::improvement:
            return "↑";
        case Verdict::regression:
            return "✗";
        case Verdict::too_noisy:
            return "~";
    }
    return "";
}

std::string pill(Verdict verdict) {
    const std::string name(verdict_name(verdict));
    const std::string said = verdict == Verdict::too_noisy ? "too noisy" : name;
    return tag("span", "pill " + name, std::string(sign(verdict)) + " " + said);
}

std::string utc(double unix_s) {
    std::string text = utc_text(unix_s);
    std::replace(text.begin(), text.end(), 'T', ' ');
    std::replace(text.begin(), text.end(), 'Z', ' ');
    return text + "UTC";
}

std::string interval_percent(const Interval& interval) {
    return "[" + signed_percent_text(interval.low) + ", " + signed_percent_text(interval.high) +
           "]";
}

std::string responsive(const std::string& wide, const std::string& narrow) {
    return tag("div", "wide", wide) + tag("div", "narrow", narrow);
}

}  // namespace shed::measure::report
