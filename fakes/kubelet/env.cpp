#include "fakes/base/base64.hpp"
#include "fakes/kubelet/compose.hpp"
#include "fakes/podinit/protocol.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

std::string missing(std::string_view kind, const std::string& name) {
    return (kind == "Secret" ? "secret \"" : "configmap \"") + name + "\" not found";
}

// Text of a key of a Secret or ConfigMap; nullopt when the object has no such key.
std::optional<std::string> entry(const Object& object, const std::string& key) {
    const Json& value = member(member(object.dom(), "data"), key);
    if (value.is_string()) {
        const std::string text = value.get<std::string>();
        return object.kind().kind == "Secret" ? decode_base64(text) : text;
    }
    const Json& binary = member(member(object.dom(), "binaryData"), key);
    return binary.is_string() ? std::optional(decode_base64(binary.get<std::string>()))
                              : std::nullopt;
}

// Unlike kubelet: links to the cluster's other services are not made, only those of `kubernetes`.
Variables service_links() {
    const std::string address = podinit::api_address;
    return {{"KUBERNETES_SERVICE_HOST", address},
            {"KUBERNETES_SERVICE_PORT", "443"},
            {"KUBERNETES_SERVICE_PORT_HTTPS", "443"},
            {"KUBERNETES_PORT", "tcp://" + address + ":443"},
            {"KUBERNETES_PORT_443_TCP", "tcp://" + address + ":443"},
            {"KUBERNETES_PORT_443_TCP_PROTO", "tcp"},
            {"KUBERNETES_PORT_443_TCP_PORT", "443"},
            {"KUBERNETES_PORT_443_TCP_ADDR", address}};
}

struct Builder {
    const PodPlace& place;
    const Json& container;
    const Found& found;
    std::map<std::string, std::string> known = {};
    Variables variables = {};

    void set(const std::string& name, std::string value) {
        known[name] = value;
        variables.emplace_back(name, std::move(value));
    }

    Result<void> from(const Json& source, std::string_view kind, std::string_view where) {
        const Json& ref = member(source, where);
        if (!ref.is_object()) return {};
        const std::string name = string_at(ref, "name"), prefix = string_at(source, "prefix");
        const ObjectPtr object = found.find(kind, place.pod->ns(), name);
        if (object == nullptr) {
            if (bool_at(ref, "optional")) return {};
            return Error{Reason::not_found, missing(kind, name)};
        }
        const Json& data = member(object->dom(), "data");
        if (!data.is_object()) return {};
        for (const auto& [key, value] : data.items())
            set(prefix + key, entry(*object, key).value_or(""));
        return {};
    }

    // nullopt: an optional reference that leads nowhere sets nothing.
    Result<std::optional<std::string>> key_of(const Json& ref, std::string_view kind) {
        const std::string name = string_at(ref, "name"), key = string_at(ref, "key");
        const bool optional = bool_at(ref, "optional");
        const ObjectPtr object = found.find(kind, place.pod->ns(), name);
        if (object == nullptr) {
            if (optional) return std::optional<std::string>{};
            return Error{Reason::not_found, missing(kind, name)};
        }
        auto value = entry(*object, key);
        if (!value && !optional) {
            return Error{Reason::not_found, "couldn't find key " + key + " in " +
                                                std::string(kind) + " " + place.pod->ns() + "/" +
                                                name};
        }
        return value;
    }

    Result<std::optional<std::string>> value_from(const Json& source) {
        if (const Json& field = member(source, "fieldRef"); field.is_object()) {
            auto value = field_value(place, string_at(field, "fieldPath"));
            if (!value) return value.error();
            return std::optional(std::move(*value));
        }
        if (const Json& resource = member(source, "resourceFieldRef"); resource.is_object()) {
            auto value = resource_value(place, resource, string_at(container, "name"));
            if (!value) return value.error();
            return std::optional(std::move(*value));
        }
        if (const Json& ref = member(source, "secretKeyRef"); ref.is_object())
            return key_of(ref, "Secret");
        if (const Json& ref = member(source, "configMapKeyRef"); ref.is_object())
            return key_of(ref, "ConfigMap");
        return Error{Reason::invalid, "env valueFrom names no source that is known here"};
    }

    Result<void> one(const Json& variable) {
        const std::string name = string_at(variable, "name");
        const Json& source = member(variable, "valueFrom");
        if (!source.is_object()) {
            set(name, expand(string_at(variable, "value"), known));
            return {};
        }
        auto value = value_from(source);
        if (!value) return value.error();
        if (*value) set(name, std::move(**value));
        return {};
    }
};

}  // namespace

std::string expand(std::string_view text, const std::map<std::string, std::string>& known) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 == text.size()) {
            out += text[i];
        } else if (text[i + 1] == '$') {
            out += '$';
            ++i;
        } else if (const auto end = text.find(')', i);
                   text[i + 1] == '(' && end != std::string_view::npos) {
            const auto value = known.find(std::string(text.substr(i + 2, end - i - 2)));
            out += value == known.end() ? std::string(text.substr(i, end - i + 1)) : value->second;
            i = end;
        } else {
            out += text[i];
        }
    }
    return out;
}

Result<Variables> container_env(const PodPlace& place, const Json& container, const Found& found) {
    Builder builder{place, container, found};
    for (auto& [name, value] : service_links()) builder.set(name, value);
    for (const Json& source : member(container, "envFrom")) {
        if (auto done = builder.from(source, "ConfigMap", "configMapRef"); !done)
            return done.error();
        if (auto done = builder.from(source, "Secret", "secretRef"); !done) return done.error();
    }
    for (const Json& variable : member(container, "env")) {
        if (auto done = builder.one(variable); !done) return done.error();
    }
    return std::move(builder.variables);
}

}  // namespace shed::kubelet
