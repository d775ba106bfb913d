#include "bench/allreduce/pace/link_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace pace {

namespace {

using Json = nlohmann::json;

struct Field {
    std::string name, value;
    bool is_text = false;  // quoted: no number
};

// Thrown and caught in this file.
struct Mistake {
    std::string field, text;
};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// In YAML a comment begins a line or follows a space.
std::string_view without_comment(std::string_view line) {
    for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1))
        if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
    return line;
}

Field yaml_field(std::string_view line, int number) {
    const auto colon = line.find(':');
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (colon == std::string_view::npos || indented)
        throw Mistake{"line " + std::to_string(number), "expected `name: value`"};
    std::string_view value = trimmed(line.substr(colon + 1));
    const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                        value.back() == value.front();
    if (quoted) value = value.substr(1, value.size() - 2);
    return {std::string(trimmed(line.substr(0, colon))), std::string(value), quoted};
}

std::vector<Field> yaml_fields(std::string_view text) {
    std::vector<Field> fields;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = without_comment(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!trimmed(line).empty() && trimmed(line) != "---")
            fields.push_back(yaml_field(line, number));
    }
    return fields;
}

std::vector<Field> json_fields(std::string_view text) {
    std::vector<Field> fields;
    std::vector<std::string> names;  // as written: the parser keeps only the last of two
    const auto collect = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::key && depth == 1)
            names.push_back(parsed.get<std::string>());
        return true;
    };
    const Json json = Json::parse(text, collect, /*allow_exceptions=*/false);
    if (!json.is_object()) throw Mistake{"", "is not a JSON object"};
    for (const std::string& name : names) {
        const Json& value = json.at(name);
        if (!value.is_number() && !value.is_string())
            throw Mistake{name, "must be a number or a word"};
        fields.push_back(
            {name, value.is_string() ? value.get<std::string>() : value.dump(), value.is_string()});
    }
    return fields;
}

double number_of(const Field& field) {
    double value = 0;
    const char* end = field.value.data() + field.value.size();
    const auto [stop, error] = std::from_chars(field.value.data(), end, value);
    if (field.is_text || error != std::errc() || stop != end || !std::isfinite(value))
        throw Mistake{field.name, "'" + field.value + "' is not a number"};
    return value;
}

void apply(const Field& field, Link& link) {
    if (field.name == "latency_us") {
        link.latency_us = number_of(field);
        if (link.latency_us < 0) throw Mistake{field.name, "must not be negative"};
    } else if (field.name == "bandwidth_gbps") {
        link.bandwidth_gbps = number_of(field);
        if (link.bandwidth_gbps <= 0) throw Mistake{field.name, "must be positive"};
    } else if (field.name == "algorithm") {
        const auto algorithm = find_algorithm(field.value);
        if (!algorithm)
            throw Mistake{
                field.name,
                "'" + field.value + "' is not ring, recursive-doubling, rabenseifner or tree"};
        link.algorithm = *algorithm;
    } else if (field.name != "source") {
        throw Mistake{field.name,
                      "unknown field; known are latency_us, bandwidth_gbps, algorithm, source"};
    }
}

Link link_of(std::string_view text) {
    const bool is_json = !text.empty() && text.find_first_not_of(" \t\r\n") == text.find('{');
    Link link;
    std::set<std::string> seen;
    for (const Field& field : is_json ? json_fields(text) : yaml_fields(text)) {
        if (!seen.insert(field.name).second) throw Mistake{field.name, "is there twice"};
        apply(field, link);
    }
    for (const char* needed : {"latency_us", "bandwidth_gbps"})
        if (!seen.count(needed)) throw Mistake{needed, "is missing"};
    return link;
}

}  // namespace

std::variant<Link, Complaint> parse_link(std::string_view file_name, std::string_view text) {
    try {
        return link_of(text);
    } catch (const Mistake& mistake) {
        const std::string field = mistake.field.empty() ? "" : mistake.field + ": ";
        return Complaint{std::string(file_name) + ": " + field + mistake.text};
    }
}

std::variant<Link, Complaint> read_link(const std::string& file_name) {
    std::ifstream file(file_name);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) return Complaint{file_name + ": cannot be read"};
    return parse_link(file_name, text);
}

}  // namespace pace
