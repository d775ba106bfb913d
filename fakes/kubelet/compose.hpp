#pragma once
// From a pod's spec to what podinit is told: environment variables, volume files, root file system,
// commands. Pure but for looking at the host's directories: objects it refers to are fetched
// beforehand.
#include "fakes/kube/kube.hpp"
#include "fakes/kubelet/kubelet.hpp"

#include <functional>
#include <map>
#include <set>

namespace shed::kubelet {

using Variables = std::vector<std::pair<std::string, std::string>>;  // in order; a later one
                                                                     // replaces an earlier one

struct Found {
    std::map<Key, ObjectPtr> objects;
    ObjectPtr find(std::string_view kind, const std::string& ns, const std::string& name) const;
};

// Where one pod lives on this machine, and what its words may refer to.
struct PodPlace {
    ObjectPtr pod;
    std::string directory;  // .../pods/UID
    std::string ip, host_ip, node;
    bool single_identity = false;  // pods have one id, under the name they ask for
    std::vector<HostMount> host_mounts;
    std::vector<AllowedHostPath> allowed_host_paths;
    std::string claims_directory;
    std::map<std::string, std::string> node_allocatable;  // "cpu": "16"

    const Json& spec() const;
    std::string hostname() const;
    std::string kernel_hostname() const;  // what the pod's `hostname` prints
    std::string fqdn() const;  // hostname.subdomain.ns.svc.cluster.local, or the hostname alone
    std::string volume_path(std::string_view volume) const;
    std::string container_path(std::string_view container) const;
    std::string log_path(std::string_view container, int attempt) const;
    std::string exit_path(std::string_view container, int attempt) const;
    std::string message_path(std::string_view container, int attempt) const;
};

struct Identity {
    int uid = 0, gid = 0;
    std::vector<int> groups;  // supplementary
    std::optional<int> fs_group;
    std::string user_name, home;
};
Identity identity_of(const PodPlace& place, const Json& container, const Environment& environment);

// ---- security.cpp
// keep-cap and drop-cap records, against what a container has by default.
Result<Spec> capability_records(const Json& container);
// Why it must not run as the user it would run as; empty when it may.
std::string non_root_violation(const PodPlace& place, const Json& container,
                               const Environment& environment);

// ---- references.cpp
std::vector<Key> volume_references(const Object& pod);
std::vector<Key> env_references(const Object& pod, const Json& container);

// ---- fields.cpp: downward API
Result<std::string> field_value(const PodPlace& place, const std::string& path);
Result<std::string> resource_value(const PodPlace& place, const Json& resource_ref,
                                   std::string_view default_container);

// ---- env.cpp
// $(NAME) from `known`, $$ is $; unknown names stay as they are.
std::string expand(std::string_view text, const std::map<std::string, std::string>& known);
// What the kubelet adds to the image's own variables: service links, envFrom, env.
Result<Variables> container_env(const PodPlace& place, const Json& container, const Found& found);

// ---- volume_content.cpp
struct VolumeFile {
    std::string path, content;
    unsigned mode = 0644;
    int uid = 0;
};
bool holds_files(const Json& volume);  // configMap, secret, downwardAPI, projected
Result<std::vector<VolumeFile>> volume_content(const PodPlace& place, const Json& volume,
                                               const Found& found, const TokenFunction& token);

// ---- volumes.cpp
// A volume of files as it was written last.
struct WrittenVolume {
    std::string data;             // the directory that `..data` points to
    std::uint64_t hash = 0;       // of its files
    std::set<std::string> links;  // first elements of their paths
};
using WrittenVolumes = std::map<std::string, WrittenVolume>;  // by the volume's name
// File operations that make the pod's directory and its volumes. `stamp` names the data
// directories; `written` is told what is there afterwards.
Result<Spec> volume_files(const PodPlace& place, const Found& found, const TokenFunction& token,
                          const std::string& stamp, WrittenVolumes& written);
// What brings volumes of files up to date: nothing where all is as it was. A volume that cannot be
// made stays as it is.
struct VolumeUpdate {
    Spec operations;
    WrittenVolumes written;  // once they are done
    std::optional<Error> failed;
};
VolumeUpdate volume_update(const PodPlace& place, const Found& found, const TokenFunction& token,
                           const std::string& stamp, const WrittenVolumes& written);
// To be done before the pod's directory can be removed.
Spec volume_ends(const PodPlace& place);

// ---- host_path.cpp
struct HostPlace {
    int allowed = 0;    // which of the allowed host paths it is in
    std::string below;  // where in that; "" for the path itself
    bool writable = false, file = false;
};
// A missing one is made where its type asks for it. The error names the flag that would allow it.
Result<HostPlace> host_place(const PodPlace& place, const Json& host_path);

// ---- rootfs.cpp
struct ContainerPlan {
    Spec files;  // to be done before
    Spec spec;   // of the container
};
struct ContainerInputs {
    const Json* container = nullptr;
    int attempt = 0;
    Environment environment;
    Variables variables;
    std::vector<std::string> devices = {};  // GPU device nodes to pass through
    std::vector<std::string> hidden = {};   // files of this machine that must not be there
};
Result<ContainerPlan> container_plan(const PodPlace& place, const ContainerInputs& inputs);
Spec sandbox_spec(const PodPlace& place);

// ---- skeleton.cpp: what a pod finds below /etc
std::string hosts_file(const PodPlace& place);
std::string resolv_conf(const PodPlace& place);
std::map<std::string, std::string> etc_files(const PodPlace& place, const Identity& identity,
                                             const Environment& environment);

// ---- mounts.cpp: volumeMounts and host mounts
struct Mount {
    std::string source, target;
    // Where in the source, each path beneath what the one before leads to; found when the container
    // starts, whatever links are there then.
    std::vector<std::string> below = {};
    bool make = false;  // the last of them, when it is missing
    bool read_only = false;
    bool file = false;   // what is mounted is a file
    int shared = -1;     // number of a host mount or path; its source is for the runtime to find
    bool cache = false;  // a host mount that the pod may change for itself
    std::vector<std::string> left_out = {};
};
Result<std::vector<Mount>> volume_mounts(const PodPlace& place, const Json& container,
                                         const Variables& variables);
// Adds the place's host mounts; a volume that the pod mounts at the same path wins.
void add_host_mounts(const PodPlace& place, const std::string& home, std::vector<Mount>& mounts);
// Follows the links every pod has (/bin, /lib, /var/run ...) and removes `.`, `..` and doubled
// slashes.
std::string pod_path(std::string_view path);

std::string octal(unsigned mode);

}  // namespace shed::kubelet
