// Where a value stands in a YAML text. The parsed document has no marks, and this is only needed
// for messages, so it looks for the keys of the path one below the other.
#include "fakes/images/internal.hpp"

#include <charconv>

namespace shed::images {

namespace {

struct Line {
    int number = 0;
    std::size_t indent = 0;
    std::string_view text;  // without the indent; empty for blank lines and comments
};

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const std::string_view whole = text.substr(at, end - at);
        const auto indent = std::min(whole.find_first_not_of(' '), whole.size());
        const bool comment = indent < whole.size() && whole[indent] == '#';
        const int number = static_cast<int>(lines.size()) + 1;
        lines.push_back({number, indent, comment ? std::string_view() : whole.substr(indent)});
        at = end + 1;
    }
    return lines;
}

bool is_key(std::string_view text, const std::string& key) {
    while (text.starts_with("- ")) text.remove_prefix(2);
    for (const char* quote : {"", "\"", "'"})
        if (text.starts_with(quote + key + quote + ":")) return true;
    return false;
}

// Within [begin, end): the line of the key at the least indent, or the index-th list entry.
std::size_t find(const std::vector<Line>& lines, std::size_t begin, std::size_t end,
                 const std::string& step) {
    std::size_t index = 0;
    const auto parsed = std::from_chars(step.data(), step.data() + step.size(), index);
    const bool entry = parsed.ec == std::errc() && parsed.ptr == step.data() + step.size();
    std::size_t best = end, seen = 0, dash = std::string::npos;
    for (std::size_t at = begin; at < end; ++at) {
        if (lines[at].text.empty()) continue;
        if (entry && lines[at].text.starts_with("-")) {
            dash = std::min(dash, lines[at].indent);
            if (lines[at].indent == dash && seen++ == index) return at;
        }
        const bool nearer = best == end || lines[at].indent < lines[best].indent;
        if (!entry && is_key(lines[at].text, step) && nearer) best = at;
    }
    return best;
}

}  // namespace

int line_of(std::string_view text, const YamlPath& path) {
    const std::vector<Line> lines = lines_of(text);
    std::size_t begin = 0, end = lines.size(), found = 0;
    for (const std::string& step : path) {
        const std::size_t at = find(lines, begin, end, step);
        if (at == end) break;  // in flow style, on the line of its parent
        found = at;
        begin = at + 1;
        // Entries of a list may stand at the indent of its key.
        for (end = begin; end < lines.size(); ++end) {
            const Line& next = lines[end];
            const bool below = next.indent > lines[at].indent ||
                               (next.indent == lines[at].indent && next.text.starts_with("-") &&
                                !lines[at].text.starts_with("-"));
            if (!next.text.empty() && !below) break;
        }
        if (lines[at].text.starts_with("- ")) begin = at;  // "- pattern: x" holds its own key
    }
    return lines.empty() ? 1 : lines[found].number;
}

}  // namespace shed::images
