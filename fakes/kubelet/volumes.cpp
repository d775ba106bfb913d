#include "fakes/base/base64.hpp"
#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

struct File {
    std::string path, content;
    unsigned mode = 0644;
    int uid = 0;
};

unsigned mode_of(const Json& value, unsigned otherwise) {
    return value.is_number_integer() ? static_cast<unsigned>(value.get<int>()) & 07777 : otherwise;
}

// The files one volume, or one source of a projected volume, brings.
struct Gatherer {
    const PodPlace& place;
    const Found& found;
    const TokenFunction& token;
    std::vector<File> files = {};

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
            for (auto& [key, content] : entries) files.push_back(File{key, content, mode});
            return {};
        }
        for (const Json& item : items) {
            const auto entry = entries.find(string_at(item, "key"));
            if (entry != entries.end()) {
                files.push_back(File{string_at(item, "path"), entry->second,
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
            files.push_back(File{string_at(item, "path"), std::move(*value),
                                 mode_of(member(item, "mode"), mode)});
        }
        return {};
    }

    // The token is for the pod's user alone: with fsGroup the group reads it, else it belongs to
    // the user.
    void service_account_token(const Json& source, unsigned mode) {
        TokenRequest request;
        request.ns = place.pod->ns();
        request.service_account = string_at(place.spec(), "serviceAccountName", "default");
        request.audience = string_at(source, "audience");
        request.pod_name = place.pod->name();
        request.pod_uid = place.pod->uid();
        request.expiration_seconds = int_at(source, "expirationSeconds", 3600);
        File file{string_at(source, "path"), token ? token(request) : std::string{}, mode};
        if (at_path(place.spec(), "securityContext.fsGroup").is_number()) {
            file.mode = 0600;
        } else if (const auto user = common_user()) {
            file.mode = 0600;
            file.uid = *user;
        }
        files.push_back(std::move(file));
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
                service_account_token(account, mode);
            } else {
                done = Error{Reason::invalid, "projected source is not known here"};
            }
            if (!done) return done;
        }
        return {};
    }
};

bool inside(const std::string& path) {
    return !path.empty() && path.front() != '/' &&
           ("/" + path + "/").find("/../") == std::string::npos && path.rfind("..", 0) != 0;
}

class Writer {
public:
    Writer(const PodPlace& place, Spec& out) : out_(out) {
        const Json& group = at_path(place.spec(), "securityContext.fsGroup");
        if (group.is_number_integer() && !place.single_identity) group_ = group.get<int>();
    }

    void directory(const std::string& path, unsigned mode) {
        const unsigned own = group_ ? mode | 02050u : mode;
        out_.push_back({"mkdir", path, octal(own), "0", gid()});
    }

    // The kubelet's layout: a dated directory, `..data` that points to it, and one link for each
    // first path element.
    Result<void> files(const std::string& root, const std::string& stamp,
                       const std::vector<File>& files) {
        const std::string data = ".." + stamp;
        out_.push_back({"rmtree", root});
        directory(root, 0755);
        directory(root + "/" + data, 0755);
        std::set<std::string> made, links;
        for (const File& file : files) {
            if (!inside(file.path))
                return Error{Reason::invalid, "path \"" + file.path + "\" leaves the volume"};
            for (auto slash = file.path.find('/'); slash != std::string::npos;
                 slash = file.path.find('/', slash + 1)) {
                const std::string parent = file.path.substr(0, slash);
                if (made.insert(parent).second) directory(root + "/" + data + "/" + parent, 0755);
            }
            const unsigned mode = group_ ? file.mode | 0440u : file.mode;
            out_.push_back({"file", root + "/" + data + "/" + file.path, octal(mode),
                            std::to_string(file.uid), gid(), file.content});
            links.insert(file.path.substr(0, file.path.find('/')));
        }
        out_.push_back({"link", root + "/..data", data});
        for (const std::string& link : links)
            out_.push_back({"link", root + "/" + link, "..data/" + link});
        return {};
    }

private:
    std::string gid() const { return std::to_string(group_.value_or(0)); }
    Spec& out_;
    std::optional<int> group_;
};

Result<void> host_path_allowed(const PodPlace& place, const std::string& path) {
    for (const std::string& prefix : place.allowed_host_paths) {
        const bool below =
            path == prefix || path.starts_with(prefix.back() == '/' ? prefix : prefix + "/");
        if (below && path.find("/..") == std::string::npos) return {};
    }
    return Error{
        Reason::forbidden,
        "hostPath \"" + path +
            "\" is refused: pods see only the host paths that were allowed with --allow-host-path"};
}

Result<void> one_volume(const PodPlace& place, const Json& volume, Gatherer gather, Writer& writer,
                        const std::string& stamp, Spec& out) {
    const std::string path = place.volume_path(string_at(volume, "name"));
    if (member(volume, "emptyDir").is_object()) {
        writer.directory(path, 0777);
        return {};
    }
    if (const Json& host = member(volume, "hostPath"); host.is_object())
        return host_path_allowed(place, string_at(host, "path"));
    if (const Json& claim = member(volume, "persistentVolumeClaim"); claim.is_object()) {
        // Unlike a real cluster: every claim is a directory of this machine that outlives its pods.
        const std::string ns = place.claims_directory + "/" + place.pod->ns();
        out.push_back({"mkdir", ns, "0755", "0", "0"});
        writer.directory(ns + "/" + string_at(claim, "claimName"), 0777);
        return {};
    }
    Result<void> done = Error{Reason::invalid,
                              "only secret, configMap, emptyDir, downwardAPI, projected, hostPath "
                              "and persistentVolumeClaim volumes are known here"};
    for (const char* type : {"secret", "configMap", "downwardAPI", "projected"}) {
        const Json& source = member(volume, type);
        if (!source.is_object()) continue;
        const unsigned mode = mode_of(member(source, "defaultMode"), 0644);
        const std::string_view kind = type;
        if (kind == "secret")
            done = gather.keys(source, "Secret", string_at(source, "secretName"), mode);
        if (kind == "configMap")
            done = gather.keys(source, "ConfigMap", string_at(source, "name"), mode);
        if (kind == "downwardAPI") done = gather.downward(source, mode);
        if (kind == "projected") done = gather.projected(source, mode);
    }
    if (!done) return done;
    return writer.files(path, stamp, gather.files);
}

}  // namespace

std::string octal(unsigned mode) {
    std::string digits;
    for (; mode != 0; mode >>= 3)
        digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7)));
    return "0" + digits;
}

Result<Spec> volume_files(const PodPlace& place, const Found& found, const TokenFunction& token,
                          const std::string& stamp) {
    Spec out;
    // A second preparation of the same pod (after a failure) starts afresh, but keeps what
    // containers wrote.
    out.push_back({"mkdir", place.directory, "0755", "0", "0"});
    for (const char* part : {"/volumes", "/containers", "/logs"})
        out.push_back({"mkdir", place.directory + part, "0755", "0", "0"});
    Writer writer(place, out);
    for (const Json& volume : member(place.spec(), "volumes")) {
        Gatherer gather{place, found, token};
        if (auto done = one_volume(place, volume, std::move(gather), writer, stamp, out); !done) {
            Error error = done.error();
            error.message = "MountVolume.SetUp failed for volume \"" + string_at(volume, "name") +
                            "\" : " + error.message;
            return error;
        }
    }
    return out;
}

}  // namespace shed::kubelet
