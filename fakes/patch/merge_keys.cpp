#include "fakes/patch/merge_keys.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view object_meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const Kind* custom_kind_of_spec(std::string_view name) {
    constexpr std::string_view suffix = "Spec";
    if (!name.ends_with(suffix)) return nullptr;
    name.remove_suffix(suffix.size());
    for (const Kind& kind : all_kinds())
        if (kind.custom && kind.kind == name) return &kind;
    return nullptr;
}

Expected expected_of(Shape shape) {
    switch (shape) {
        case Shape::object: return Expected::map;
        case Shape::string:
        case Shape::bytes: return Expected::string;
        case Shape::boolean: return Expected::boolean;
        case Shape::int32:
        case Shape::int64:
        case Shape::real: return Expected::number;
        case Shape::time:
        case Shape::micro_time:
        case Shape::quantity:
        case Shape::int_or_string: return Expected::scalar;
        default: return Expected::anything;
    }
}

Expected expected_of_schema(const Json& schema) {
    if (bool_at(schema, "x-kubernetes-int-or-string")) return Expected::scalar;
    const std::string type = string_at(schema, "type");
    if (type == "object") return Expected::map;
    if (type == "array") return Expected::list;
    if (type == "string") return Expected::string;
    if (type == "boolean") return Expected::boolean;
    return type == "integer" || type == "number" ? Expected::number : Expected::anything;
}

std::vector<std::string_view> texts(const Json& list) {
    std::vector<std::string_view> views;
    for (const Json& text : list) views.push_back(text.get_ref<const std::string&>());
    return views;
}

}  // namespace

Place::Place(const Json& schema) : schema_(schema.is_null() ? nullptr : &crd_resolved(schema)) {}

Place Place::of(std::string_view api_version, std::string_view kind) {
    if (const Type* type = type_of(api_version, kind); type != nullptr) return Place(type);
    const Kind* known = find_kind_by_name(api_version, kind);
    return known == nullptr ? Place() : Place(crd_schema(*known));
}

Place Place::of_type(std::string_view name) {
    if (const Type* type = find_type(name); type != nullptr) return Place(type);
    const Kind* kind = custom_kind_of_spec(name);
    return kind == nullptr ? Place() : Place(crd_schema(*kind)).member("spec");
}

const Type* Place::object_type() const {
    if (field_ != nullptr && field_->holder != Holder::one) return nullptr;
    return type_;
}

Place Place::member(std::string_view name) const {
    if (schema_ != nullptr) {
        const Json& found = crd_property(*schema_, std::string(name));
        // A CRD does not say what metadata is made of.
        const bool bare = name == "metadata" && !found.contains("properties");
        return bare ? Place(find_type(object_meta)) : Place(found);
    }
    if (field_ != nullptr && field_->holder == Holder::map) return entry();
    const Type* type = object_type();
    const TypeField* field = type == nullptr ? nullptr : type->find(name);
    if (field == nullptr) return {};
    Place place(field->type);
    place.field_ = field;
    return place;
}

Place Place::entry() const {
    if (schema_ != nullptr) return Place(shed::member(*schema_, "items"));
    return field_ == nullptr ? Place() : Place(field_->type);
}

ListRule Place::strategic() const {
    // Trainer merges into the Go types behind its CRDs; their merge keys are the first of the list
    // keys.
    if (schema_ != nullptr) {
        ListRule rule = applied();
        if (rule.keys.size() > 1) rule.keys.resize(1);
        return rule;
    }
    if (field_ == nullptr || field_->patch_strategy.find("merge") == std::string_view::npos)
        return {};
    if (field_->merge_key.empty()) return {ListMerge::set};
    return {ListMerge::by_key, {field_->merge_key}};
}

ListRule Place::applied() const {
    if (schema_ != nullptr) {
        const std::string type = string_at(*schema_, "x-kubernetes-list-type");
        if (type == "set") return {ListMerge::set};
        if (type != "map") return {};
        return {ListMerge::by_key, texts(shed::member(*schema_, "x-kubernetes-list-map-keys"))};
    }
    if (field_ == nullptr || !field_->list_type) return {};
    if (*field_->list_type == ListType::map) return {ListMerge::by_key, field_->list_keys};
    return {*field_->list_type == ListType::set ? ListMerge::set : ListMerge::atomic};
}

Expected Place::expected() const {
    if (schema_ != nullptr) return expected_of_schema(*schema_);
    if (field_ == nullptr) return type_ == nullptr ? Expected::anything : Expected::map;
    if (field_->holder == Holder::list) return Expected::list;
    return field_->holder == Holder::map ? Expected::map : expected_of(field_->shape);
}

bool Place::declares(std::string_view name) const {
    if (schema_ != nullptr) {
        const bool open = bool_at(*schema_, "x-kubernetes-preserve-unknown-fields") ||
                          shed::member(*schema_, "additionalProperties") == true;
        return open || !crd_property(*schema_, std::string(name)).is_null();
    }
    const Type* type = object_type();
    return type == nullptr || type->find(name) != nullptr;
}

bool Place::atomic() const {
    if (schema_ != nullptr) return string_at(*schema_, "x-kubernetes-map-type") == "atomic";
    if (field_ != nullptr && field_->granular_map) return false;
    if (field_ != nullptr && field_->atomic_map) return true;
    // Types with a JSON form of their own (fieldsV1, embedded objects) are opaque.
    if (field_ != nullptr && field_->holder == Holder::one && field_->shape > Shape::object)
        return true;
    const Type* type = object_type();
    return type != nullptr && type->atomic;
}

Json Place::default_of(std::string_view name) const {
    if (schema_ != nullptr)
        return shed::member(crd_property(*schema_, std::string(name)), "default");
    const Type* type = object_type();
    const TypeField* field = type == nullptr ? nullptr : type->find(name);
    if (field == nullptr || field->fallback.empty()) return nullptr;
    auto value = parse_json(field->fallback);
    return value ? std::move(*value) : Json();
}

Json Place::key_of(const Json& entry) const {
    Json key = Json::object();
    const Place inside = this->entry();
    for (const std::string_view name : applied().keys) {
        Json value = shed::member(entry, name);
        if (value.is_null()) value = inside.default_of(name);
        if (!value.is_null()) key[std::string(name)] = std::move(value);
    }
    return key;
}

}  // namespace shed
