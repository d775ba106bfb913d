// YAML in and out. yaml-cpp shares aliased nodes, so walking a small bomb never ends: the walk has a budget.
#include "fakes/yaml/yaml.hpp"

#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace shed {

namespace {

Error bad_request(std::string message) { return {Reason::bad_request, std::move(message)}; }

constexpr int flow_depth_max = 500;
constexpr int depth_max = 500;

// yaml-cpp's parser recurses per level, so deep nesting must be refused before it runs.
bool too_deep(std::string_view text) {
    int depth = 0;
    for (char c : text) {
        if (c == '[' || c == '{') {
            if (++depth > flow_depth_max) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    // Block nesting costs at least one column per level.
    std::size_t indent = 0;
    bool at_start = true;
    for (char c : text) {
        if (c == '\n') {
            indent = 0;
            at_start = true;
        } else if (at_start && (c == ' ' || c == '-')) {
            if (++indent > 4 * std::size_t{depth_max}) return true;
        } else {
            at_start = false;
        }
    }
    return false;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    for (std::string_view word : words)
        if (text == word) return true;
    return false;
}

// An integer of YAML 1.1 as kubectl and the API server read it (go-yaml v2's resolve, which leaves it to Go's
// strconv.ParseInt with base 0): 0644 is 420, as are 0o644, 0x1a4 and 0b110100100; underscores do not count. What is
// no octal number, as 0888, is read as a decimal one.
std::optional<std::int64_t> integer_of(std::string_view text) {
    std::string digits(text);
    std::erase(digits, '_');
    const bool minus = digits.starts_with('-');
    if (minus || digits.starts_with('+')) digits.erase(0, 1);
    const std::string_view prefix = std::string_view(digits).substr(0, 2);
    int base = 10;
    if (one_of(prefix, {"0x", "0X"})) base = 16;
    else if (one_of(prefix, {"0b", "0B"})) base = 2;
    else if (one_of(prefix, {"0o", "0O"})) base = 8;
    if (base != 10) digits.erase(0, 2);
    else if (prefix.starts_with('0') && digits.find_first_of("89") == std::string::npos) base = 8;
    if (digits.empty() || std::isxdigit(static_cast<unsigned char>(digits[0])) == 0) return std::nullopt;
    if (minus) digits.insert(0, 1, '-');
    std::int64_t value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    return value;
}

// The plain scalars of YAML 1.1 in the forms the real server takes.
Json scalar_of(const std::string& text) {
    if (text.empty() || one_of(text, {"~", "null", "Null", "NULL"})) return nullptr;
    if (one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
    if (one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) return false;
    const char* begin = text.data();
    const char* end = begin + text.size();
    const char* digits = *begin == '+' ? begin + 1 : begin;
    const bool number_first = std::isdigit(static_cast<unsigned char>(*digits)) != 0 || *digits == '-';
    if (const auto integer = number_first ? integer_of(text) : std::nullopt) return *integer;
    const bool number_like = text.find_first_not_of("+-.0123456789eE") == std::string::npos &&
                             text.find_first_of("0123456789") != std::string::npos;
    double real = 0;
    if (number_like) {
        const auto result = std::from_chars(digits, end, real);
        const bool one_sign = digits == begin || *digits != '-';
        if (result.ec == std::errc() && result.ptr == end && one_sign) return real;
    }
    return text;
}

class Walker {
public:
    // Without aliases a document has fewer nodes than characters.
    explicit Walker(std::size_t text_size) : budget_(text_size + 1'000) {}

    std::optional<std::string> error;

    Json walk(const YAML::Node& node, int depth) {
        if (error) return nullptr;
        if (budget_ == 0 || depth > depth_max) {
            error = "yaml: document contains excessive aliasing or nesting";
            return nullptr;
        }
        --budget_;
        switch (node.Type()) {
            case YAML::NodeType::Scalar:
                return node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str"
                           ? Json(node.Scalar())
                           : scalar_of(node.Scalar());
            case YAML::NodeType::Sequence: return sequence(node, depth);
            case YAML::NodeType::Map: return map(node, depth);
            default: return nullptr;
        }
    }

private:
    Json sequence(const YAML::Node& node, int depth) {
        Json array = Json::array();
        for (const auto& item : node) {
            array.push_back(walk(item, depth + 1));
            if (error) break;
        }
        return array;
    }

    Json map(const YAML::Node& node, int depth) {
        Json object = Json::object();
        for (const auto& entry : node) {
            if (!entry.first.IsScalar()) {
                error = "yaml: a key is not a string";
                break;
            }
            object[entry.first.Scalar()] = walk(entry.second, depth + 1);
            if (error) break;
        }
        return object;
    }

    std::size_t budget_;
};

// 2026-11-24, alone or before a time of day: YAML 1.1 reads a timestamp.
bool time_like(const std::string& text) {
    static constexpr std::string_view form = "dddd-dd-dd";
    if (text.size() < form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i]) return false;
    }
    return text.size() == form.size() || std::string_view("Tt ").find(text[form.size()]) != std::string_view::npos;
}

// 0x1f, 0o17, 0b11, 1_000 and 1:30:00 are numbers of YAML 1.1, too.
bool number_in_other_form(const std::string& text) {
    const std::size_t start = text[0] == '+' || text[0] == '-' ? 1 : 0;
    const std::string_view rest = std::string_view(text).substr(start);
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') return false;
    if (rest.starts_with("0x")) return rest.find_first_not_of("0123456789abcdefABCDEF_", 2) == std::string_view::npos;
    if (rest.starts_with("0o") || rest.starts_with("0b"))
        return rest.find_first_not_of("01234567_", 2) == std::string_view::npos;
    return rest.find_first_not_of("0123456789_:.") == std::string_view::npos && rest.find_first_of("_:") != std::string_view::npos;
}

bool plain_text(const std::string& text) {
    if (text.empty() || scalar_of(text).type() != Json::value_t::string) return false;
    if (text.front() == ' ' || text.back() == ' ') return false;
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`=<").find(text.front()) != std::string_view::npos)
        return text.front() == '-' && text.size() > 1 && text[1] != ' ' && text[1] != '-';
    if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
    if (text.back() == ':') return false;
    for (unsigned char c : text)
        if (c < 0x20 || c == 0x7f) return false;
    return !time_like(text) && !number_in_other_form(text);
}

void emit(std::string& out, const Json& value, int indent, bool in_sequence);

void emit_scalar(std::string& out, const Json& value) {
    if (value.is_string() && plain_text(value.get_ref<const std::string&>()))
        out += value.get_ref<const std::string&>();
    else out += dump_json(value);
    out += '\n';
}

void emit_block_text(std::string& out, const std::string& text, int indent) {
    out += text.ends_with('\n') ? "|\n" : "|-\n";
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end > begin) out.append(static_cast<std::size_t>(indent), ' ');
        out.append(text, begin, end - begin);
        out += '\n';
        begin = end + 1;
    }
}

bool block_text(const Json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    if (text.find('\n') == std::string::npos || text.front() == ' ' || text.front() == '\n')
        return false;
    if (text.ends_with("\n\n") || text.find(" \n") != std::string::npos) return false;
    for (unsigned char c : text)
        if ((c < 0x20 && c != '\n') || c == 0x7f) return false;
    return true;
}

void emit_after_key(std::string& out, const Json& value, int indent) {
    if ((value.is_object() || value.is_array()) && !value.empty()) {
        out += '\n';
        emit(out, value, value.is_array() ? indent : indent + 2, false);
    } else if (block_text(value)) {
        out += ' ';
        emit_block_text(out, value.get_ref<const std::string&>(), indent + 2);
    } else {
        out += ' ';
        emit_scalar(out, value);
    }
}

void emit(std::string& out, const Json& value, int indent, bool in_sequence) {
    const std::string margin(static_cast<std::size_t>(indent), ' ');
    if (value.is_object() && !value.empty()) {
        bool first = in_sequence;
        for (const auto& [key, item] : value.items()) {
            if (!first) out += margin;
            first = false;
            out += plain_text(key) ? key : dump_json(key);
            out += ':';
            emit_after_key(out, item, indent);
        }
        return;
    }
    if (value.is_array() && !value.empty()) {
        bool first = in_sequence;
        for (const Json& item : value) {
            if (!first) out += margin;
            first = false;
            out += "- ";
            if (block_text(item)) emit_block_text(out, item.get_ref<const std::string&>(), indent + 2);
            else emit(out, item, indent + 2, true);
        }
        return;
    }
    emit_scalar(out, value);
}

}  // namespace

Result<std::vector<Json>> parse_yaml_documents(std::string_view text) {
    if (too_deep(text)) return bad_request("yaml: exceeded max depth");
    // yaml-cpp reports errors by throwing, and resolves aliases by sharing.
    try {
        std::vector<Json> documents;
        Walker walker(text.size());
        for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
            Json value = walker.walk(node, 0);
            if (walker.error) return bad_request(*walker.error);
            if (!value.is_null()) documents.push_back(std::move(value));
        }
        return documents;
    } catch (const YAML::Exception& e) {
        return bad_request("error converting YAML to JSON: yaml: line " +
                           std::to_string(e.mark.line + 1) + ": " + e.msg);
    }
}

Result<Json> parse_yaml(std::string_view text) {
    auto documents = parse_yaml_documents(text);
    if (!documents) return documents.error();
    return documents->empty() ? Json() : std::move(documents->front());
}

std::string dump_yaml(const Json& value) {
    std::string out;
    emit(out, value, 0, false);
    return out;
}

}  // namespace shed
