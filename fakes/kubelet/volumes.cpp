#include "fakes/base/rng.hpp"
#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

bool inside(const std::string& path) {
    return !path.empty() && path.front() != '/' &&
           ("/" + path + "/").find("/../") == std::string::npos && path.rfind("..", 0) != 0;
}

std::uint64_t hash_of(const std::vector<VolumeFile>& files) {
    std::string all;
    for (const VolumeFile& file : files)
        all += file.path + '\0' + octal(file.mode) + '\0' + std::to_string(file.uid) + '\0' +
               std::to_string(file.content.size()) + '\0' + file.content;
    return hash_text(all);
}

// Volumes of files in the layout of kubelet's AtomicWriter: a dated directory, `..data` that points
// to it, and one link for each first path element. Whoever reads through them sees one whole state
// or the next.
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

    Result<void> begin(const std::string& root, const std::string& stamp,
                       const std::vector<VolumeFile>& files, WrittenVolume& written) {
        out_.push_back({"rmtree", root});
        directory(root, 0755);
        written = {};
        return replace(root, stamp, files, written);
    }

    Result<void> replace(const std::string& root, const std::string& stamp,
                         const std::vector<VolumeFile>& files, WrittenVolume& written) {
        WrittenVolume next{".." + stamp, hash_of(files), {}};
        if (auto done = data(root + "/" + next.data, files, next); !done) return done;
        out_.push_back({"link", root + "/..data_tmp", next.data});
        out_.push_back({"rename", root + "/..data_tmp", root + "/..data"});
        for (const std::string& link : next.links)
            if (!written.links.contains(link))
                out_.push_back({"link", root + "/" + link, "..data/" + link});
        for (const std::string& link : written.links)
            if (!next.links.contains(link)) out_.push_back({"rmtree", root + "/" + link});
        if (!written.data.empty()) out_.push_back({"rmtree", root + "/" + written.data});
        written = std::move(next);
        return {};
    }

private:
    Result<void> data(const std::string& root, const std::vector<VolumeFile>& files,
                      WrittenVolume& written) {
        directory(root, 0755);
        std::set<std::string> made;
        for (const VolumeFile& file : files) {
            if (!inside(file.path))
                return Error{Reason::invalid, "path \"" + file.path + "\" leaves the volume"};
            for (auto slash = file.path.find('/'); slash != std::string::npos;
                 slash = file.path.find('/', slash + 1)) {
                const std::string parent = file.path.substr(0, slash);
                if (made.insert(parent).second) directory(root + "/" + parent, 0755);
            }
            const unsigned mode = group_ ? file.mode | 0440u : file.mode;
            out_.push_back({"file", root + "/" + file.path, octal(mode), std::to_string(file.uid),
                            gid(), file.content});
            written.links.insert(file.path.substr(0, file.path.find('/')));
        }
        return {};
    }

    std::string gid() const { return std::to_string(group_.value_or(0)); }
    Spec& out_;
    std::optional<int> group_;
};

void empty_directory(const Json& source, const std::string& path, Writer& writer, Spec& out) {
    writer.directory(path, 0777);
    if (string_at(source, "medium") != "Memory") return;
    const auto size = Quantity::from_json(member(source, "sizeLimit"));
    const std::string limit =
        size && size->value() > 0 ? ",size=" + std::to_string(size->value()) : "";
    out.push_back({"tmpfs", path, "mode=0777" + limit});
    writer.directory(path, 0777);
}

// Volumes that are directories: their contents are not the kubelet's.
Result<void> directory_volume(const PodPlace& place, const Json& volume, Writer& writer,
                              Spec& out) {
    const std::string path = place.volume_path(string_at(volume, "name"));
    if (const Json& empty = member(volume, "emptyDir"); empty.is_object()) {
        empty_directory(empty, path, writer, out);
        return {};
    }
    if (const Json& host = member(volume, "hostPath"); host.is_object()) {
        const auto found = host_place(place, host);
        if (!found) return found.error();
        return {};
    }
    if (const Json& claim = member(volume, "persistentVolumeClaim"); claim.is_object()) {
        // Unlike a real cluster: every claim is a directory of this machine that outlives its pods.
        const std::string ns = place.claims_directory + "/" + place.pod->ns();
        out.push_back({"mkdir", ns, "0755", "0", "0"});
        writer.directory(ns + "/" + string_at(claim, "claimName"), 0777);
        return {};
    }
    return Error{Reason::invalid,
                 "only secret, configMap, emptyDir, downwardAPI, projected, hostPath and "
                 "persistentVolumeClaim volumes are known here"};
}

Error set_up_failed(const Json& volume, Error error) {
    error.message = "MountVolume.SetUp failed for volume \"" + string_at(volume, "name") +
                    "\" : " + error.message;
    return error;
}

}  // namespace

std::string octal(unsigned mode) {
    std::string digits;
    for (; mode != 0; mode >>= 3)
        digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7)));
    return "0" + digits;
}

Result<Spec> volume_files(const PodPlace& place, const Found& found, const TokenFunction& token,
                          const std::string& stamp, WrittenVolumes& written) {
    Spec out;
    // A second preparation of the same pod (after a failure) starts afresh, but keeps what
    // containers wrote.
    out.push_back({"mkdir", place.directory, "0755", "0", "0"});
    for (const char* part : {"/volumes", "/containers", "/logs"})
        out.push_back({"mkdir", place.directory + part, "0755", "0", "0"});
    Writer writer(place, out);
    for (const Json& volume : member(place.spec(), "volumes")) {
        Result<void> done{};
        if (holds_files(volume)) {
            const std::string name = string_at(volume, "name");
            const auto files = volume_content(place, volume, found, token);
            if (!files) done = files.error();
            else done = writer.begin(place.volume_path(name), stamp, *files, written[name]);
        } else {
            done = directory_volume(place, volume, writer, out);
        }
        if (!done) return set_up_failed(volume, done.error());
    }
    return out;
}

VolumeUpdate volume_update(const PodPlace& place, const Found& found, const TokenFunction& token,
                           const std::string& stamp, const WrittenVolumes& written) {
    VolumeUpdate update{{}, written, std::nullopt};
    for (const Json& volume : member(place.spec(), "volumes")) {
        const std::string name = string_at(volume, "name");
        const auto before = written.find(name);
        if (before == written.end()) continue;
        const auto files = volume_content(place, volume, found, token);
        if (files && hash_of(*files) == before->second.hash) continue;
        Spec operations;
        Result<void> done{};
        if (!files) done = files.error();
        else
            done = Writer(place, operations)
                       .replace(place.volume_path(name), stamp, *files, update.written[name]);
        if (done)
            std::move(operations.begin(), operations.end(), std::back_inserter(update.operations));
        else update.failed = set_up_failed(volume, done.error());
    }
    return update;
}

Spec volume_ends(const PodPlace& place) {
    Spec out;
    for (const Json& volume : member(place.spec(), "volumes"))
        if (string_at(volume, "emptyDir.medium") == "Memory")
            out.push_back({"unmount", place.volume_path(string_at(volume, "name"))});
    return out;
}

}  // namespace shed::kubelet
