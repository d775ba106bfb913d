// create, and what every new object gets: name, uid, time, generation.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::size_t generated_base_max = 58;  // 63 less the suffix
constexpr int generate_attempts = 8;

Error terminating(const Kind& kind, std::string_view name, const std::string& ns) {
    const Json cause = {{"reason", "NamespaceTerminating"},
                        {"message", "namespace " + ns + " is being terminated"},
                        {"field", "metadata.namespace"}};
    Json details = {{"name", name}, {"kind", kind.plural}, {"causes", Json::array({cause})}};
    if (!kind.group.empty()) details["group"] = kind.group;
    return {Reason::forbidden,
            kind.group_resource() + " \"" + std::string(name) +
                "\" is forbidden: unable to create new content in namespace " + ns +
                " because it is being terminated",
            dump_json(details)};
}

Result<void> check_request_namespace(const Request& request, Json& metadata) {
    const std::string sent = string_at(metadata, "namespace");
    if (!request.kind->namespaced) {
        metadata.erase("namespace");
        return {};
    }
    if (!sent.empty() && sent != request.ns)
        return bad_request(
            "the namespace of the provided object does not match the namespace sent on the request");
    metadata["namespace"] = request.ns;
    return {};
}

std::string generated_name(const std::string& prefix, Rng& rng) {
    return prefix.substr(0, generated_base_max) + rng.suffix();
}

void drop_empty(Json& metadata, const char* name) {
    const auto found = metadata.find(name);
    if (found != metadata.end() && (found->is_null() || (found->is_structured() && found->empty())))
        metadata.erase(found);
}

void fill_metadata(Json& metadata, const Kind& kind, Rng& rng, Time now) {
    for (const char* name : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"})
        metadata.erase(name);
    for (const char* name : {"labels", "annotations", "finalizers", "ownerReferences"})
        drop_empty(metadata, name);
    metadata["uid"] = rng.uuid();
    metadata["creationTimestamp"] = format_time(now);
    metadata.erase("resourceVersion");
    metadata.erase("generation");
    if (kind.has_generation) metadata["generation"] = 1;
}

// What storage decides for a new object whatever the client sent.
void prepare_for_create(Json& object, const Kind& kind) {
    if (kind.has_status && kind.plural != "nodes") object.erase("status");
    if (kind.group == "" && kind.plural == "namespaces") {
        object["spec"]["finalizers"] = Json::array({"kubernetes"});
        object["status"]["phase"] = "Active";
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] =
            string_at(object, "metadata.name");
    }
    if (kind.group == "" && kind.plural == "events") normalize_event(object);
}

}  // namespace

Result<void> Api::Impl::check_namespace(const Request& request, std::string_view name) const {
    if (!request.kind->namespaced) return {};
    static const Kind& namespaces = kind_of("v1", "Namespace");
    const ObjectPtr ns = store.find({&namespaces, "", request.ns});
    if (!ns) return not_found(namespaces, request.ns);
    if (ns->deleting() && request.kind->plural != "localsubjectaccessreviews")
        return terminating(*request.kind, name, request.ns);
    return {};
}

// A stable address per service, from the range a real cluster uses by default.
void Api::Impl::assign_cluster_ip(Json& service) {
    Json& spec = service["spec"];
    const std::string given = string_at(spec, "clusterIP");
    if (string_at(spec, "type") == "ExternalName") return;
    if (given.empty()) {
        static const Kind& services = kind_of("v1", "Service");
        std::map<std::string, bool> used;
        for (const ObjectPtr& other : store.list(services))
            used[string_at(other->dom(), "spec.clusterIP")] = true;
        const std::string key =
            string_at(service, "metadata.namespace") + "/" + string_at(service, "metadata.name");
        std::string address;
        for (std::uint64_t n = hash_text(key);; ++n) {
            const std::uint64_t host = 2 + n % 65'000;
            address = "10.96." + std::to_string(host >> 8) + "." + std::to_string(host & 255);
            if (key == "default/kubernetes") address = "10.96.0.1";
            if (!used.contains(address) || key == "default/kubernetes") break;
        }
        spec["clusterIP"] = address;
    }
    if (!spec.contains("clusterIPs"))
        spec["clusterIPs"] = Json::array({string_at(spec, "clusterIP")});
}

Result<ObjectPtr> Api::Impl::create(const Request& request, Json body, Time now, Warnings warnings) {
    if (store.full()) return *store.full();
    const Kind& shown = *request.kind;
    const Kind& kind = stored_kind(shown);
    if (auto valid = validate_fields(request, shown, body, warnings); !valid) return valid.error();
    if (is_new_event(shown)) body = event_to_core(std::move(body));
    if (auto wrong = check_metadata_types(kind, body)) return *wrong;
    Json& metadata = body["metadata"];
    if (metadata.is_null()) metadata = Json::object();
    if (auto checked = check_request_namespace(request, metadata); !checked) return checked.error();
    if (!string_at(metadata, "resourceVersion").empty())
        return plain_internal("resourceVersion should not be set on objects to be created");

    const std::string prefix = string_at(metadata, "generateName");
    const bool generate = string_at(metadata, "name").empty() && !prefix.empty();
    if (generate) {
        std::string name = generated_name(prefix, rng);
        for (int i = 1; i < generate_attempts && store.find({&kind, request.ns, name}); ++i)
            name = generated_name(prefix, rng);
        metadata["name"] = name;
    }
    const std::string name = string_at(metadata, "name");
    if (auto checked = check_namespace(request, name); !checked) return checked.error();
    fill_metadata(metadata, kind, rng, now);
    prepare_for_create(body, kind);

    const AdmissionRequest admission{Operation::create, &kind,  "",  nullptr,
                                     request.user,      now,    rng.next()};
    auto admitted = admit(admission, body, StoreView(store));
    if (!admitted) return admitted.error();
    if (warnings != nullptr)
        warnings->insert(warnings->end(), admitted->warnings.begin(), admitted->warnings.end());
    if (kind.plural == "services") assign_cluster_ip(body);
    if (kind.plural == "pods" && string_at(body, "status.phase").empty())
        body["status"]["phase"] = "Pending";

    if (const ObjectPtr existing = store.find({&kind, request.ns, name})) {
        Error error = already_exists(kind, name);
        if (existing->deleting()) error.message = "object is being deleted: " + error.message;
        return error;
    }
    if (!body["metadata"].contains("managedFields"))
        record_update(kind, nullptr, body, {field_manager(request), false, "", now});
    if (!request.parameter("dryRun").empty()) return presented(shown, Object::make(std::move(body)));
    return presented(shown, store.put(std::move(body)));
}

}  // namespace shed
