// ConfigMaps and Secrets: keys, sizes, and what each type of Secret must hold.
#include "fakes/admission/validate/rules.hpp"

#include "fakes/base/base64.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::size_t data_max = 1'048'576;
constexpr std::string_view kept = "field is immutable when `immutable` is set";

std::size_t decoded_size(const Field& base64) {
    const std::string text = base64.text();
    const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
    return text.size() / 4 * 3 - std::min(padding, text.size() / 4 * 3);
}

void validate_immutable(const Change& object, std::initializer_list<const char*> members) {
    if (!bool_at(object.old, "immutable")) return;
    if (!object["immutable"].flag()) object["immutable"].forbidden(kept);
    for (const char* name : members)
        if (object[name].json() != member(object.old, name)) object[name].forbidden(kept);
}

void validate_docker_config(const Field& value) {
    if (!value) return value.required();
    const auto config = parse_json(decode_base64(value.text()));
    if (!config) value.invalid("<secret contents redacted>", config.error().message);
    else if (!config->is_object() && !config->is_null())
        value.invalid("<secret contents redacted>",
                      std::string("json: cannot unmarshal ") + config->type_name() +
                          " into Go value of type map[string]interface {}");
}

void validate_secret_type(const Field& secret) {
    const Field type = secret["type"], data = secret["data"];
    const Field user = data.entry("username"), password = data.entry("password");
    const Field ssh_key = data.entry("ssh-privatekey");
    if (type.is("kubernetes.io/service-account-token")) {
        const Field account =
            secret["metadata"]["annotations"].entry("kubernetes.io/service-account.name");
        if (account.text().empty()) account.required();
    } else if (type.is("kubernetes.io/dockercfg")) {
        validate_docker_config(data.entry(".dockercfg"));
    } else if (type.is("kubernetes.io/dockerconfigjson")) {
        validate_docker_config(data.entry(".dockerconfigjson"));
    } else if (type.is("kubernetes.io/basic-auth")) {
        if (!user && !password) {
            user.required();
            password.required();
        }
    } else if (type.is("kubernetes.io/ssh-auth")) {
        required_text(ssh_key);
    } else if (type.is("kubernetes.io/tls")) {
        for (const char* key : {"tls.crt", "tls.key"})
            if (const Field part = data.entry(key); !part) part.required();
    }
}

}  // namespace

void validate_config_map(const Field& config_map) {
    const Field data = config_map["data"], binary = config_map["binaryData"];
    std::size_t total = 0;
    for (const auto& [key, value] : data.entries()) {
        for (const std::string& why : config_key_problems(key)) value.invalid(key, why);
        if (binary.entry(key)) value.invalid(key, "duplicate of key present in binaryData");
        total += value.size();
    }
    for (const auto& [key, value] : binary.entries()) {
        for (const std::string& why : config_key_problems(key)) value.invalid(key, why);
        total += decoded_size(value);
    }
    if (total > data_max) config_map.too_long(data_max);
}

void validate_config_map_update(const Change& config_map) {
    validate_immutable(config_map, {"data", "binaryData"});
}

void validate_secret(const Field& secret) {
    const Field data = secret["data"];
    std::size_t total = 0;
    for (const auto& [key, value] : data.entries()) {
        for (const std::string& why : config_key_problems(key)) value.invalid(key, why);
        total += decoded_size(value);
    }
    if (total > data_max) data.too_long(data_max);
    validate_secret_type(secret);
}

void validate_secret_update(const Change& secret) {
    immutable(secret, "type");
    validate_immutable(secret, {"data"});
}

}  // namespace shed::admission
