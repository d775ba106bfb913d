// RFC 6902 with the real server's answers, and RFC 7386.
#include "fakes/patch/patch.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::size_t operations_max = 10'000;

// github.com/evanphx/json-patch reports what a patch cannot do; the server adds nothing.
Error refused() {
    return {Reason::invalid, "the server rejected our request due to an error in our request", "{}"};
}

std::optional<std::vector<std::string>> parse_pointer(const std::string& text) {
    std::vector<std::string> parts;
    if (text.empty()) return parts;
    // The library the real server uses takes what stands before the first slash for nothing.
    const auto slash = text.find('/');
    if (slash == std::string::npos) return std::nullopt;
    std::string part;
    for (std::size_t i = slash + 1; i < text.size(); ++i) {
        if (text[i] == '/') {
            parts.push_back(std::exchange(part, {}));
        } else if (text[i] == '~' && i + 1 < text.size()) {
            part.push_back(text[++i] == '1' ? '/' : '~');
        } else {
            part.push_back(text[i]);
        }
    }
    parts.push_back(part);
    return parts;
}

// An index into `array`; `end` allows the place after the last element, "-" names it.
std::optional<std::size_t> index_of(const std::string& part, const Json& array, bool end) {
    if (part == "-" && end) return array.size();
    if (part.empty() || part.size() > 9 || part.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    const std::size_t index = std::stoul(part);
    if (index > array.size() || (index == array.size() && !end)) return std::nullopt;
    return index;
}

Json* child_of(Json& parent, const std::string& part) {
    if (parent.is_object()) {
        const auto found = parent.find(part);
        return found == parent.end() ? nullptr : &*found;
    }
    if (!parent.is_array()) return nullptr;
    const auto index = index_of(part, parent, false);
    return index ? &parent[*index] : nullptr;
}

Json* find(Json& document, const std::vector<std::string>& parts, std::size_t count) {
    Json* here = &document;
    for (std::size_t i = 0; i < count && here != nullptr; ++i) here = child_of(*here, parts[i]);
    return here;
}

bool add(Json& document, const std::vector<std::string>& parts, const Json& value) {
    if (parts.empty()) {
        document = value;
        return true;
    }
    Json* parent = find(document, parts, parts.size() - 1);
    if (parent == nullptr) return false;
    if (parent->is_object()) {
        (*parent)[parts.back()] = value;
        return true;
    }
    if (!parent->is_array()) return false;
    const auto index = index_of(parts.back(), *parent, true);
    if (!index) return false;
    parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*index), value);
    return true;
}

bool remove(Json& document, const std::vector<std::string>& parts) {
    if (parts.empty()) return false;
    Json* parent = find(document, parts, parts.size() - 1);
    if (parent == nullptr) return false;
    if (parent->is_object()) return parent->erase(parts.back()) > 0;
    if (!parent->is_array()) return false;
    const auto index = index_of(parts.back(), *parent, false);
    if (!index) return false;
    parent->erase(*index);
    return true;
}

bool replace(Json& document, const std::vector<std::string>& parts, const Json& value) {
    if (Json* target = find(document, parts, parts.size()); target != nullptr) {
        *target = value;
        return true;
    }
    // The library the real server uses lets `replace` create an absent member of an object.
    Json* parent = parts.empty() ? nullptr : find(document, parts, parts.size() - 1);
    if (parent == nullptr || !parent->is_object()) return false;
    (*parent)[parts.back()] = value;
    return true;
}

bool perform(Json& document, const Json& operation) {
    const std::string op = string_at(operation, "op");
    const auto path = parse_pointer(string_at(operation, "path"));
    if (!path || !member(operation, "path").is_string()) return false;
    if (op == "remove") return remove(document, *path);
    if (op == "add" || op == "replace" || op == "test") {
        // Without a value, null is meant.
        const Json& value = member(operation, "value");
        if (op == "add") return add(document, *path, value);
        if (op == "replace") return replace(document, *path, value);
        const Json* target = find(document, *path, path->size());
        return target != nullptr ? *target == value : value.is_null();
    }
    const auto from = parse_pointer(string_at(operation, "from"));
    if (!from || (op != "move" && op != "copy")) return false;
    const Json* source = find(document, *from, from->size());
    if (source == nullptr) return false;
    const Json value = *source;
    if (op == "move" && !remove(document, *from)) return false;
    return add(document, *path, value);
}

}  // namespace

Result<Json> json_patch(const Json& target, const Json& operations) {
    if (!operations.is_array())
        return Error{Reason::bad_request, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"};
    if (operations.size() > operations_max)
        return Error{Reason::request_too_large,
                     "The allowed maximum operations in a JSON patch is 10000, got " +
                         std::to_string(operations.size())};
    Json document = target;
    for (const Json& operation : operations)
        if (!perform(document, operation)) return refused();
    return document;
}

Json merge_patch(const Json& target, const Json& patch) {
    Json merged = target;
    merged.merge_patch(patch);
    return merged;
}

}  // namespace shed
