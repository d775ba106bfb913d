// Volumes and their sources. Sources of hardware and clouds that do not exist here are checked for
// what they cannot do without, no more.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

void empty_dir(const Field& source) {
    const auto limit = Quantity::from_json(source["sizeLimit"].json());
    if (limit && limit->milli() < 0)
        source["sizeLimit"].forbidden("SizeLimit field must be a valid resource quantity");
}

void host_path(const Field& source) {
    static constexpr std::string_view types[] = {
        "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
        "File", "FileOrCreate", "Socket"};
    const Field path = source["path"];
    if (path.text().empty()) return path.required();
    validate_no_backsteps(path);
    source["type"].one_of_if_set(types);
}

void git_repo(const Field& source) { validate_relative_path(source["directory"]); }

void items_and_mode(const Field& source) {
    validate_file_mode(source["defaultMode"]);
    for (const Field& item : source["items"].items()) validate_key_to_path(item);
}

void nfs(const Field& source) {
    const Field path = source["path"];
    if (!path.text().starts_with('/')) path.invalid(path.text(), "must be an absolute path");
}

void downward(const Field& source) {
    validate_file_mode(source["defaultMode"]);
    for (const Field& file : source["items"].items()) validate_downward_file(file, source);
}

void csi(const Field& source) {
    constexpr std::size_t driver_max = 63;
    const Field driver = source["driver"], secret = source["nodePublishSecretRef"];
    if (driver.text().empty()) driver.required();
    else if (driver.size() > driver_max) driver.too_long(driver_max);
    if (secret && secret["name"].text().empty()) secret["name"].required();
}

void ephemeral(const Field& source) {
    const Field claim = source["volumeClaimTemplate"];
    if (!claim) return claim.required();
    validate_annotations(claim["metadata"]["annotations"]);
    validate_labels(claim["metadata"]["labels"]);
    validate_claim_spec(claim["spec"]);
}

void image(const Field& source) {
    static constexpr std::string_view policies[] = {"Always", "IfNotPresent", "Never"};
    source["pullPolicy"].one_of_if_set(policies);
}

struct Source {
    std::string_view member;
    std::string_view needs = "";  // members that must not be empty, by commas
    void (*rule)(const Field&) = nullptr;
    std::string_view path =
        "";  // where the real server says the rule's complaints are, if elsewhere
    std::string_view crowded_path = "";  // and those about a second source
};

// In the order in which the real server looks.
constexpr Source sources[] = {
    {"emptyDir", "", empty_dir},
    {"hostPath", "", host_path},
    {"gitRepo", "repository", git_repo},
    {"gcePersistentDisk", "pdName", nullptr, "persistentDisk"},
    {"awsElasticBlockStore", "volumeID"},
    {"secret", "secretName", items_and_mode},
    {"nfs", "server,path", nfs},
    {"iscsi", "targetPortal,iqn"},
    {"glusterfs", "endpoints,path"},
    {"flocker"},
    {"persistentVolumeClaim", "claimName"},
    {"rbd", "monitors,image"},
    {"cinder", "volumeID"},
    {"cephfs", "monitors", nullptr, "", "cephFS"},
    {"quobyte", "registry,volume"},
    {"downwardAPI", "", downward, "", "downwarAPI"},
    {"fc"},
    {"flexVolume", "driver"},
    {"configMap", "name", items_and_mode},
    {"azureFile", "secretName,shareName"},
    {"vsphereVolume", "volumePath"},
    {"photonPersistentDisk", "pdID"},
    {"portworxVolume", "volumeID"},
    {"azureDisk", "diskName,diskURI"},
    {"storageos", "volumeName"},
    {"projected", "", validate_projected_volume},
    {"scaleIO", "gateway,system,volumeName"},
    {"csi", "", csi},
    {"ephemeral", "", ephemeral},
    {"image", "", image},
};

void validate_source(const Source& source, const Field& volume) {
    const Field value = source.path.empty()
                            ? volume[source.member]
                            : volume[source.member].moved(joined_path(volume.path(), source.path));
    std::string_view rest = source.needs;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const Field needed = value[rest.substr(0, comma)];
        if (needed.size() == 0) needed.required();
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    if (source.rule != nullptr) source.rule(value);
}

// The claim that an ephemeral volume makes is named after the pod and the volume.
void validate_claim_name(const Field& volume, const Json& pod_metadata) {
    const std::string pod = string_at(pod_metadata, "name"), name = volume["name"].text();
    if (pod.empty() || name.empty() || !volume["ephemeral"]) return;
    for (const std::string& why : dns_subdomain_problems(pod + "-" + name))
        volume["name"].invalid("PVC name \"" + pod + "-" + name + "\": " + why);
}

void validate_sources(const Field& volume, const Json* pod_metadata) {
    bool found = false;
    for (const Source& source : sources) {
        const Field value = volume[source.member];
        if (!value) continue;
        const std::string_view crowded =
            source.crowded_path.empty() ? source.member : source.crowded_path;
        if (found)
            value.moved(joined_path(volume.path(), crowded))
                .forbidden("may not specify more than 1 volume type");
        else validate_source(source, volume);
        if (!found && source.member == "ephemeral" && pod_metadata != nullptr)
            validate_claim_name(volume, *pod_metadata);
        found = true;
    }
    if (!found) volume.required("must specify a volume type");
}

}  // namespace

void validate_key_to_path(const Field& item) {
    required_text(item["key"]);
    required_text(item["path"]);
    validate_local_path(item["path"]);
    validate_file_mode(item["mode"]);
}

void validate_downward_file(const Field& file, const Field& shown) {
    static constexpr std::string_view allowed[] = {"metadata.annotations", "metadata.labels",
                                                   "metadata.name", "metadata.namespace",
                                                   "metadata.uid"};
    // The real server leaves out which of the files it means.
    const Field at = file.moved(shown.path());
    required_text(at["path"]);
    validate_local_path(at["path"]);
    const Field field = at["fieldRef"], resource = at["resourceFieldRef"];
    if (field) {
        validate_field_ref(field, allowed);
        if (resource)
            at.invalid("resource",
                       "fieldRef and resourceFieldRef can not be specified simultaneously");
    } else if (resource) {
        validate_resource_field_ref(resource, true);
    } else {
        at.required("one of fieldRef and resourceFieldRef is required");
    }
    validate_file_mode(at["mode"]);
}

std::map<std::string, const Json*> validate_volumes(const Field& volumes,
                                                    const Json* pod_metadata) {
    std::map<std::string, const Json*> valid;
    std::set<std::string> made;
    const std::string pod = pod_metadata == nullptr ? "" : string_at(*pod_metadata, "name");
    for (const Field& volume : volumes.items())
        if (volume["ephemeral"] && !pod.empty()) made.insert(pod + "-" + volume["name"].text());
    for (const Field& volume : volumes.items()) {
        const std::size_t before = volume.complaints();
        validate_sources(volume, pod_metadata);
        const Field name = volume["name"];
        if (name.text().empty()) name.required();
        else named(name, dns_label_problems);
        if (valid.contains(name.text())) name.duplicate();
        if (volume.complaints() == before) valid[name.text()] = &volume.json();
        const Field claim = volume["persistentVolumeClaim"]["claimName"];
        if (made.contains(claim.text()))
            claim.invalid("must not reference a PVC that gets created for an ephemeral volume");
    }
    return valid;
}

}  // namespace shed::admission
