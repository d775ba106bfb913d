// Members that a schema does not know: reported in the words of strict decoding, and dropped.
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

// Walks a value beside what is known of it. `Value` is Json or const Json: only pruning needs to
// write.
template <class Value>
class Walk {
public:
    explicit Walk(std::vector<std::string>* paths) : paths_(paths) {}

    void builtin(const Type& type, Value& object, const std::string& path);
    void custom(const Json& reference, Value& value, const std::string& path);
    void custom_root(const Json& schema, Value& object);

private:
    void held(const TypeField& field, Value& value, const std::string& path);
    void single(const TypeField& field, Value& value, const std::string& path);
    void drop(Value& object, const std::vector<std::string>& names, const std::string& path);

    static std::string below(const std::string& path, const std::string& name) {
        return path.empty() ? name : path + "." + name;
    }
    static std::string item(const std::string& path, std::size_t i) {
        return path + "[" + std::to_string(i) + "]";
    }

    std::vector<std::string>* paths_;
};

template <class Value>
void Walk<Value>::drop(Value& object, const std::vector<std::string>& names,
                       const std::string& path) {
    for (const std::string& name : names) {
        if (paths_ != nullptr) paths_->push_back(below(path, name));
        if constexpr (!std::is_const_v<Value>) object.erase(name);
    }
}

template <class Value>
void Walk<Value>::builtin(const Type& type, Value& object, const std::string& path) {
    if (!object.is_object()) return;
    std::vector<std::string> strangers;
    for (auto& [name, value] : object.items()) {
        const TypeField* field = type.find(name);
        if (field == nullptr) strangers.push_back(name);
        else held(*field, value, below(path, name));
    }
    drop(object, strangers, path);
}

template <class Value>
void Walk<Value>::held(const TypeField& field, Value& value, const std::string& path) {
    if (field.holder == Holder::one) single(field, value, path);
    if (field.holder == Holder::list && value.is_array())
        for (std::size_t i = 0; i < value.size(); ++i) single(field, value[i], item(path, i));
    if (field.holder == Holder::map && value.is_object())
        for (auto& [name, one] : value.items()) single(field, one, below(path, name));
}

const Type& schema_props() {
    static const Type* type =
        find_type("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
    return *type;
}

// Types that decode themselves (times, quantities, embedded JSON) are never strict.
template <class Value>
void Walk<Value>::single(const TypeField& field, Value& value, const std::string& path) {
    if (field.shape == Shape::object) builtin(*field.type, value, path);
    else if (field.shape >= Shape::props_or_bool) builtin(schema_props(), value, path);
}

template <class Value>
void Walk<Value>::custom(const Json& reference, Value& value, const std::string& path) {
    const Json& schema = crd_resolved(reference);
    if (value.is_array()) {
        const Json& items = member(schema, "items");
        for (std::size_t i = 0; i < value.size() && items.is_object(); ++i)
            custom(items, value[i], item(path, i));
        return;
    }
    if (!value.is_object() || bool_at(schema, "x-kubernetes-preserve-unknown-fields")) return;
    const bool any = member(schema, "additionalProperties") == true;
    std::vector<std::string> strangers;
    for (auto& [name, part] : value.items()) {
        const Json& known = crd_property(schema, name);
        if (!known.is_null()) custom(known, part, below(path, name));
        else if (!any) strangers.push_back(name);
    }
    drop(value, strangers, path);
}

// At the root, metadata is the built-in type whatever the schema says.
template <class Value>
void Walk<Value>::custom_root(const Json& schema, Value& object) {
    if (!object.is_object()) return;
    static const Type* metadata = find_type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    std::vector<std::string> strangers;
    for (auto& [name, value] : object.items()) {
        const Json& known = crd_property(schema, name);
        if (name == "metadata") builtin(*metadata, value, name);
        else if (!known.is_null()) custom(known, value, name);
        else if (name != "apiVersion" && name != "kind") strangers.push_back(name);
    }
    drop(object, strangers, "");
}

template <class Value>
void walk(const Kind& kind, Value& object, std::vector<std::string>* paths) {
    Walk<Value> walk(paths);
    if (kind.custom) {
        const Json& schema = crd_schema(kind);
        if (!schema.is_null()) walk.custom_root(schema, object);
    } else if (const Type* type = type_of(kind.api_version(), kind.kind); type != nullptr) {
        walk.builtin(*type, object, "");
    }
}

}  // namespace

std::vector<std::string> unknown_fields(const Kind& kind, const Json& object) {
    std::vector<std::string> paths;
    walk(kind, object, &paths);
    return paths;
}

void prune_unknown(const Kind& kind, Json& object) { walk(kind, object, nullptr); }

}  // namespace shed
