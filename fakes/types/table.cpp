// Reads table.txt (README.md says how it is written) once, when the first type is asked for.
#include "fakes/types/embedded.hpp"
#include "fakes/types/types.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace shed {

namespace {

constexpr std::array<std::pair<std::string_view, Shape>, 17> shapes = {{
    {"string", Shape::string},
    {"bool", Shape::boolean},
    {"int32", Shape::int32},
    {"int64", Shape::int64},
    {"double", Shape::real},
    {"bytes", Shape::bytes},
    {"time", Shape::time},
    {"microtime", Shape::micro_time},
    {"quantity", Shape::quantity},
    {"intorstring", Shape::int_or_string},
    {"raw", Shape::raw},
    {"fields", Shape::fields},
    {"json", Shape::json},
    {"strings", Shape::strings},
    {"props_or_bool", Shape::props_or_bool},
    {"props_or_array", Shape::props_or_array},
    {"props_or_strings", Shape::props_or_strings},
}};

std::string_view next(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return word;
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) words.push_back(next(text, ','));
    return words;
}

class Table {
public:
    Table() {
        std::string_view text = embedded::table_txt;
        while (!text.empty()) read_line(next(text, '\n'));
        for (const auto& [type, index, name] : references_)
            type->fields[index].type = &types_.at(name);
        for (auto& [name, type] : types_) {
            collect(type, type.members);
            std::sort(type.members.begin(), type.members.end(),
                      [](const TypeField* a, const TypeField* b) { return a->name < b->name; });
            all_.push_back(&type);
        }
    }

    const Type* of_kind(std::string_view api_version, std::string_view kind) const {
        for (const std::string_view version : {api_version, std::string_view("*")})
            if (const auto found = kinds_.find({version, kind}); found != kinds_.end())
                return &types_.at(found->second);
        return nullptr;
    }

    const Type* named(std::string_view name) const {
        const auto found = types_.find(name);
        return found == types_.end() ? nullptr : &found->second;
    }

    const std::vector<const Type*>& all() const { return all_; }

private:
    void read_line(std::string_view line) {
        if (line.empty() || line.front() == '#') return;
        const std::string_view word = next(line, ' ');
        if (word.empty()) {
            read_field(line);
        } else if (word == "package") {
            package_ = next(line, ' ');
            packages_[package_] = line;
        } else if (word == "type") {
            std::string name = full_name(next(line, ' '));
            type_ = &types_[name];
            type_->name = std::move(name);
            type_->atomic = line == "atomic";
        } else {
            SHED_CHECK(word == "kind");
            const std::string_view version = next(line, ' '), kind = next(line, ' ');
            kinds_[{version, kind}] = full_name(line);
        }
    }

    void read_field(std::string_view line) {
        TypeField& field = type_->fields.emplace_back();
        field.name = next(line, ' ');
        if (field.name == "-") field.name = {};
        const std::string_view number = next(line, ' ');
        std::from_chars(number.data(), number.data() + number.size(), field.number);
        read_type(field, next(line, ' '));
        const std::string_view flags = next(line, ' ');
        field.pointer = flags.find('p') != flags.npos;
        field.omit_empty = flags.find('o') != flags.npos;
        field.omit_zero = flags.find('z') != flags.npos;
        field.inlined = flags.find('i') != flags.npos;
        field.required = flags.find('r') != flags.npos;
        while (!line.empty()) read_marker(field, next(line, ' '));
    }

    void read_type(TypeField& field, std::string_view type) {
        if (type.starts_with("[]")) field.holder = Holder::list;
        if (type.starts_with("{}")) field.holder = Holder::map;
        if (field.holder != Holder::one) type.remove_prefix(2);
        for (const auto& [name, shape] : shapes) {
            if (name != type) continue;
            field.shape = shape;
            return;
        }
        field.shape = Shape::object;
        references_.push_back({type_, type_->fields.size() - 1, full_name(type)});
    }

    static void read_marker(TypeField& field, std::string_view word) {
        const std::string_view key = next(word, '=');
        if (key == "list")
            field.list_type = word == "map"   ? ListType::map
                              : word == "set" ? ListType::set
                                              : ListType::atomic;
        if (key == "map") (word == "atomic" ? field.atomic_map : field.granular_map) = true;
        if (key == "keys") field.list_keys = split(word);
        if (key == "patch") field.patch_strategy = word;
        if (key == "key") field.merge_key = word;
        if (key == "default") field.fallback = word;
        if (key == "enum") field.values = split(word);
    }

    // "PodSpec" of the current package, or "meta.ObjectMeta" of another.
    std::string full_name(std::string_view name) const {
        const auto dot = name.find('.');
        const std::string_view package = dot == name.npos ? package_ : name.substr(0, dot);
        const std::string_view own = dot == name.npos ? name : name.substr(dot + 1);
        return std::string(packages_.at(package)) + "." + std::string(own);
    }

    static void collect(const Type& type, std::vector<const TypeField*>& members) {
        for (const TypeField& field : type.fields) {
            if (field.inlined) collect(*field.type, members);
            else members.push_back(&field);
        }
    }

    struct Reference {
        Type* type;
        std::size_t index;
        std::string name;
    };
    std::map<std::string_view, std::string_view> packages_;
    std::string_view package_;
    Type* type_ = nullptr;
    std::map<std::string, Type, std::less<>> types_;
    std::map<std::pair<std::string_view, std::string_view>, std::string> kinds_;
    std::vector<Reference> references_;
    std::vector<const Type*> all_;
};

const Table& table() {
    static const Table read;
    return read;
}

}  // namespace

const TypeField* Type::find(std::string_view json_name) const {
    const auto found = std::lower_bound(
        members.begin(), members.end(), json_name,
        [](const TypeField* f, std::string_view wanted) { return f->name < wanted; });
    return found != members.end() && (*found)->name == json_name ? *found : nullptr;
}

const Type* type_of(std::string_view api_version, std::string_view kind) {
    return table().of_kind(api_version, kind);
}

const Type* find_type(std::string_view name) { return table().named(name); }

const std::vector<const Type*>& all_types() { return table().all(); }

}  // namespace shed
