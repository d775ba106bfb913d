// Reads go_structs.txt (README.md says how it is written) once, when the first struct is printed.
#include "fakes/types/embedded.hpp"
#include "fakes/types/types.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::string_view meta_package = "io.k8s.apimachinery.pkg.apis.meta.v1.";

struct GoField {
    std::string_view go_name;  // "-": its members are its holder's
    std::string_view
        json_name;  // "-": they are so in JSON too; "^name": a member of the object around
    std::string_view type;
};

std::string_view next(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return word;
}

using Structs = std::map<std::string_view, std::vector<GoField>>;

const Structs& structs() {
    static const Structs all = [] {
        Structs read;
        std::vector<GoField>* fields = nullptr;
        std::string_view text = embedded::go_structs_txt;
        while (!text.empty()) {
            std::string_view line = next(text, '\n');
            if (line.starts_with('#')) continue;
            const std::string_view word = next(line, ' ');
            if (word == "type") {
                fields = &read[line];
                continue;
            }
            SHED_CHECK(fields != nullptr);
            const std::string_view go_name = next(line, ' ');
            const std::string_view json_name = next(line, ' ');
            fields->push_back({go_name, json_name, line});
        }
        return read;
    }();
    return all;
}

Ordered print(std::string_view type, const Json& value, const Json& around);

Ordered plain(const Json& value) { return Ordered::parse(dump_json(value)); }

Ordered zero_of(Shape shape) {
    if (shape == Shape::string) return "";
    if (shape == Shape::boolean) return false;
    if (shape == Shape::int32 || shape == Shape::int64 || shape == Shape::real) return 0;
    return nullptr;
}

// The types of meta/v1 are the same inside the server as outside.
Ordered print_public(const Type& type, const Json& value) {
    Ordered object = Ordered::object();
    for (const TypeField& field : type.fields) {
        const Json& part = member(value, field.name);
        const bool list = field.holder == Holder::list;
        if (part.is_null()) {
            if (!field.omit_empty && !field.omit_zero)
                object[std::string(field.name)] = list ? Ordered() : zero_of(field.shape);
            continue;
        }
        Ordered& out = object[std::string(field.name)];
        if (field.shape != Shape::object) {
            out = plain(part);
        } else if (list) {
            out = Ordered::array();
            for (const Json& item : part) out.push_back(print_public(*field.type, item));
        } else {
            out = print_public(*field.type, part);
        }
    }
    return object;
}

void add_members(std::string_view type, const Json& value, const Json& around, Ordered& object) {
    if (type.starts_with("meta.")) {
        const Ordered members = print("*" + std::string(type), value, around);
        if (members.is_object()) object.update(members);
        return;
    }
    const auto found = structs().find(type);
    SHED_CHECK(found != structs().end());
    for (const GoField& field : found->second) {
        const bool of_parent = field.json_name.starts_with('^');
        const Json& part = field.json_name == "-" ? value
                           : of_parent            ? member(around, field.json_name.substr(1))
                                                  : member(value, field.json_name);
        if (field.go_name == "-") add_members(field.type, part, around, object);
        else object[std::string(field.go_name)] = print(field.type, part, value);
    }
}

Ordered print_held(std::string_view type, const Json& value) {
    if (value.is_null()) return nullptr;
    const std::string_view inner = type.substr(2);
    Ordered out = type.starts_with("[]") ? Ordered::array() : Ordered::object();
    if (value.is_array())
        for (const Json& item : value) out.push_back(print(inner, item, value));
    if (value.is_object())
        for (const auto& [name, item] : value.items()) out[name] = print(inner, item, value);
    return out;
}

Ordered print(std::string_view type, const Json& value, const Json& around) {
    if (type.starts_with('*'))
        return value.is_null() ? Ordered() : print(type.substr(1), value, around);
    if (type.starts_with("[]") || type.starts_with("{}")) return print_held(type, value);
    if (type.starts_with("meta.")) {
        const Type* known = find_type(std::string(meta_package) + std::string(type.substr(5)));
        SHED_CHECK(known != nullptr);
        return print_public(*known, value);
    }
    if (structs().contains(type)) {
        Ordered object = Ordered::object();
        add_members(type, value, around, object);
        return object;
    }
    if (!value.is_null()) return plain(value);
    if (type == "string") return "";
    if (type == "bool") return false;
    if (type == "quantity") return "0";
    if (type == "int" || type == "intorstring") return 0;
    return nullptr;
}

// encoding/json makes its output safe for HTML. Outside strings these characters do not occur.
std::string html_safe(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') out += "\\u003c";
        else if (c == '>') out += "\\u003e";
        else if (c == '&') out += "\\u0026";
        else out += c;
    }
    return out;
}

}  // namespace

std::string go_text(std::string_view type, const Json& value, bool indented) {
    const Ordered printed = print(type, value, Json());
    return html_safe(
        printed.dump(indented ? 1 : -1, ' ', false, Ordered::error_handler_t::replace));
}

}  // namespace shed
