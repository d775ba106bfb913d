// The rules of k8s.io/apimachinery/pkg/util/validation, in its words.
#include "fakes/kube/names.hpp"

#include <algorithm>

namespace shed {

namespace {

constexpr std::string_view label_text =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view label_1035_text =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view subdomain_text =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view qualified_text =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view key_form_text =
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and "
    "'/' (e.g. 'example.com/MyName')";
constexpr std::string_view underscore_text =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view header_text =
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
    "for validation is '[-A-Za-z0-9]+')";
constexpr std::string_view percent_text =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
    "regex used for validation is '[0-9]+%')";
constexpr std::string_view value_text =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view key_text =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
    "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
constexpr std::string_view env_text =
    "a valid environment variable name must consist only of printable ASCII characters other than "
    "'='";

bool lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool alnum(char c) { return lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

bool label_shape(std::string_view text) {
    if (text.empty() || !lower_alnum(text.front()) || !lower_alnum(text.back())) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return lower_alnum(c) || c == '-'; });
}

bool subdomain_shape(std::string_view text) {
    for (;;) {
        const auto dot = text.find('.');
        if (!label_shape(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool word_shape(std::string_view text) {
    if (text.empty() || !alnum(text.front()) || !alnum(text.back())) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

void too_long(std::string_view text, std::size_t max, std::string_view unit,
              std::vector<std::string>& problems) {
    if (text.size() > max)
        problems.push_back("must be no more than " + std::to_string(max) + " " + std::string(unit));
}

}  // namespace

std::vector<std::string> dns_label_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 63, "characters", problems);
    if (label_shape(text)) return problems;
    problems.emplace_back(subdomain_shape(text) ? "must not contain dots" : label_text);
    return problems;
}

std::vector<std::string> dns_1035_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 63, "characters", problems);
    const bool starts_well = !text.empty() && text.front() >= 'a' && text.front() <= 'z';
    if (!starts_well || !label_shape(text)) problems.emplace_back(label_1035_text);
    return problems;
}

std::vector<std::string> dns_subdomain_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 253, "characters", problems);
    if (!subdomain_shape(text)) problems.emplace_back(subdomain_text);
    return problems;
}

std::vector<std::string> dns_subdomain_or_underscore_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 253, "characters", problems);
    std::string plain(text);
    // One underscore may stand before a label, and any number inside it.
    for (std::size_t i = 0; i < plain.size(); ++i) {
        if (plain[i] != '_') continue;
        const bool first = i == 0 || plain[i - 1] == '.';
        const bool last = i + 1 == plain.size() || plain[i + 1] == '.';
        plain[i] = first && !last && plain[i + 1] != '-' && plain[i + 1] != '_' ? 'a' : '-';
    }
    if (!subdomain_shape(plain)) problems.emplace_back(underscore_text);
    return problems;
}

std::vector<std::string> path_segment_problems(std::string_view text) {
    std::vector<std::string> problems;
    if (text == "." || text == "..") return {"may not be '" + std::string(text) + "'"};
    for (const char* bad : {"/", "%"})
        if (text.find(bad) != std::string_view::npos)
            problems.push_back("may not contain '" + std::string(bad) + "'");
    return problems;
}

std::vector<std::string> http_header_problems(std::string_view text) {
    const bool shaped =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return alnum(c) || c == '-'; });
    if (shaped) return {};
    return {std::string(header_text)};
}

std::vector<std::string> percent_problems(std::string_view text) {
    const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
    const bool shaped = text.ends_with('%') && !digits.empty() &&
                        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (shaped) return {};
    return {std::string(percent_text)};
}

std::vector<std::string> qualified_name_problems(std::string_view text) {
    std::vector<std::string> problems;
    std::string_view name = text;
    if (std::count(text.begin(), text.end(), '/') > 1) return {std::string(key_form_text)};
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const std::string_view prefix = text.substr(0, slash);
        name = text.substr(slash + 1);
        if (prefix.empty()) problems.emplace_back("prefix part must be non-empty");
        else
            for (const std::string& problem : dns_subdomain_problems(prefix))
                problems.push_back("prefix part " + problem);
    }
    if (name.empty()) problems.emplace_back("name part must be non-empty");
    else if (name.size() > 63) problems.emplace_back("name part must be no more than 63 bytes");
    if (!word_shape(name)) problems.emplace_back(qualified_text);
    return problems;
}

std::vector<std::string> label_value_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 63, "bytes", problems);
    if (!text.empty() && !word_shape(text)) problems.emplace_back(value_text);
    return problems;
}

std::vector<std::string> config_key_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 253, "characters", problems);
    const bool shaped = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return alnum(c) || c == '-' || c == '_' || c == '.';
    });
    if (!shaped) problems.emplace_back(key_text);
    if (text == ".") problems.emplace_back("must not be '.'");
    if (text == "..") problems.emplace_back("must not be '..'");
    else if (text.starts_with("..")) problems.emplace_back("must not start with '..'");
    return problems;
}

std::vector<std::string> env_name_problems(std::string_view text) {
    if (text.empty()) return {"environment variable name must be non-empty"};
    const bool shaped = std::all_of(text.begin(), text.end(), [](char c) {
        return c >= ' ' && c <= '~' && c != '=';
    });
    if (shaped) return {};
    return {std::string(env_text)};
}

std::vector<std::string> port_name_problems(std::string_view text) {
    std::vector<std::string> problems;
    too_long(text, 15, "characters", problems);
    const bool shaped = !text.empty() && std::all_of(text.begin(), text.end(),
                                                     [](char c) { return lower_alnum(c) || c == '-'; });
    if (!shaped)
        problems.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
        problems.emplace_back("must contain at least one letter (a-z)");
    if (text.find("--") != std::string_view::npos)
        problems.emplace_back("must not contain consecutive hyphens");
    if (!text.empty() && (text.front() == '-' || text.back() == '-'))
        problems.emplace_back("must not begin or end with a hyphen");
    return problems;
}

bool is_domain_prefixed_path(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash + 1 == text.size()) return false;
    return subdomain_shape(text.substr(0, slash));
}

}  // namespace shed
