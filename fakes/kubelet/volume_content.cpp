#include "fakes/base/base64.hpp"
#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

unsigned mode_of(const Json& value, unsigned otherwise) {
    return value.is_number_integer() ? static_cast<unsigned>(value.get<int>()) & 07777 : otherwise;
}

// The files one volume, or one source of a projected volume, brings.
struct Gatherer {
    const PodPlace& place;
    const Found& found;
    const TokenFunction& token;
    std::vector<VolumeFile> files = {};

    Result<void> keys(const Json& source, std::string_view kind, const std::string& name,
                      unsigned mode) {
        const bool secret = kind == "Secret", optional = bool_at(source, "optional");
        const ObjectPtr object = found.find(kind, place.pod->ns(), name);
        if (object == nullptr) {
            if (optional) return {};
            return Error{Reason::not_found, std::string(secret ? "secret" : "configmap") + " \"" +
                                                name + "\" not found"};
        }
        std::map<std::string, std::string> entries;
        collect(member(object->dom(), "data"), secret, entries);
        collect(member(object->dom(), "binaryData"), true, entries);
        const Json& items = member(source, "items");
        if (!items.is_array() || items.empty()) {
            for (auto& [key, content] : entries) files.push_back(VolumeFile{key, content, mode});
            return {};
        }
        for (const Json& item : items) {
            const auto entry = entries.find(string_at(item, "key"));
            if (entry != entries.end()) {
                files.push_back(VolumeFile{string_at(item, "path"), entry->second,
                                           mode_of(member(item, "mode"), mode)});
            } else if (!optional) {
                return Error{Reason::not_found, std::string("references non-existent ") +
                                                    (secret ? "secret" : "config") +
                                                    " key: " + string_at(item, "key")};
            }
        }
        return {};
    }

    static void collect(const Json& data, bool base64,
                        std::map<std::string, std::string>& entries) {
        if (!data.is_object()) return;
        for (const auto& [key, value] : data.items()) {
            if (!value.is_string()) continue;
            entries[key] =
                base64 ? decode_base64(value.get<std::string>()) : value.get<std::string>();
        }
    }

    Result<void> downward(const Json& source, unsigned mode) {
        for (const Json& item : member(source, "items")) {
            const Json& field = member(item, "fieldRef");
            auto value = field.is_object()
                             ? field_value(place, string_at(field, "fieldPath"))
                             : resource_value(place, member(item, "resourceFieldRef"), "");
            if (!value) return value.error();
            files.push_back(VolumeFile{string_at(item, "path"), std::move(*value),
                                       mode_of(member(item, "mode"), mode)});
        }
        return {};
    }

    // The token is for the pod's user alone: with fsGroup the group reads it, else it belongs to
    // the user.
    Result<void> service_account_token(const Json& source, unsigned mode) {
        TokenRequest request;
        request.ns = place.pod->ns();
        request.service_account = string_at(place.spec(), "serviceAccountName", "default");
        request.audience = string_at(source, "audience");
        request.pod_name = place.pod->name();
        request.pod_uid = place.pod->uid();
        request.expiration_seconds = int_at(source, "expirationSeconds", 3600);
        auto issued = token ? token(request) : Result<std::string>(std::string());
        if (!issued)
            return Error{issued.error().reason, "failed to fetch token: " + issued.error().message};
        VolumeFile file{string_at(source, "path"), std::move(*issued), mode};
        if (at_path(place.spec(), "securityContext.fsGroup").is_number()) {
            file.mode = 0600;
        } else if (const auto user = common_user()) {
            file.mode = 0600;
            file.uid = *user;
        }
        files.push_back(std::move(file));
        return {};
    }

    std::optional<int> common_user() const {
        std::optional<int> user;
        for (const Json& container : member(place.spec(), "containers")) {
            const Json& own = at_path(container, "securityContext.runAsUser");
            const Json& value =
                own.is_null() ? at_path(place.spec(), "securityContext.runAsUser") : own;
            if (!value.is_number_integer() || (user && *user != value.get<int>()))
                return std::nullopt;
            user = value.get<int>();
        }
        return user;
    }

    Result<void> projected(const Json& source, unsigned mode) {
        for (const Json& part : member(source, "sources")) {
            Result<void> done{};
            if (const Json& secret = member(part, "secret"); secret.is_object()) {
                done = keys(secret, "Secret", string_at(secret, "name"), mode);
            } else if (const Json& map = member(part, "configMap"); map.is_object()) {
                done = keys(map, "ConfigMap", string_at(map, "name"), mode);
            } else if (const Json& fields = member(part, "downwardAPI"); fields.is_object()) {
                done = downward(fields, mode);
            } else if (const Json& account = member(part, "serviceAccountToken");
                       account.is_object()) {
                done = service_account_token(account, mode);
            } else {
                done = Error{Reason::invalid, "projected source is not known here"};
            }
            if (!done) return done;
        }
        return {};
    }
};

}  // namespace

bool holds_files(const Json& volume) {
    for (const char* type : {"secret", "configMap", "downwardAPI", "projected"})
        if (member(volume, type).is_object()) return true;
    return false;
}

Result<std::vector<VolumeFile>> volume_content(const PodPlace& place, const Json& volume,
                                               const Found& found, const TokenFunction& token) {
    Gatherer gather{place, found, token};
    Result<void> done{};
    const auto source_of = [&](const char* type) -> const Json& { return member(volume, type); };
    const auto mode = [&](const char* type) {
        return mode_of(member(source_of(type), "defaultMode"), 0644);
    };
    if (const Json& secret = source_of("secret"); secret.is_object())
        done = gather.keys(secret, "Secret", string_at(secret, "secretName"), mode("secret"));
    else if (const Json& map = source_of("configMap"); map.is_object())
        done = gather.keys(map, "ConfigMap", string_at(map, "name"), mode("configMap"));
    else if (const Json& fields = source_of("downwardAPI"); fields.is_object())
        done = gather.downward(fields, mode("downwardAPI"));
    else done = gather.projected(source_of("projected"), mode("projected"));
    if (!done) return done.error();
    return std::move(gather.files);
}

}  // namespace shed::kubelet
