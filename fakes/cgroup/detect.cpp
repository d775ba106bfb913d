// Which controllers there are, and where this process may make groups for its pods.
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/cgroup/files.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace shed {

namespace {

using cgroup::has_word;
using cgroup::read_text;
using cgroup::words_of;

const std::vector<std::string> controller_names = {"memory", "cpu", "cpuacct", "pids"};

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// One line of /proc/self/mountinfo (proc(5)): where which part of which hierarchy is mounted.
struct Mount {
    std::string within, point;                  // the hierarchy's directory that is at `point`
    std::vector<std::string> controllers = {};  // of version 1
    bool unified = false;                       // version 2
};

std::vector<Mount> cgroup_mounts(const std::string& root) {
    std::vector<Mount> mounts;
    for (const std::string& line : split(read_text(root + "/proc/self/mountinfo"), '\n')) {
        const std::vector<std::string> words = words_of(line);
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (words.size() < 6 || words.end() - dash < 4) continue;
        Mount mount{words[3], words[4]};
        mount.unified = dash[1] == "cgroup2";
        if (dash[1] == "cgroup") mount.controllers = split(dash[3], ',');
        if (mount.unified || dash[1] == "cgroup") mounts.push_back(std::move(mount));
    }
    return mounts;
}

// The group this process is in, by /proc/self/cgroup (cgroups(7)): `controller` "" means version 2.
std::optional<std::string> own_group(const std::string& root, const std::string& controller) {
    for (const std::string& line : split(read_text(root + "/proc/self/cgroup"), '\n')) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string names = line.substr(first + 1, second - first - 1);
        const bool found = controller.empty() ? line.starts_with("0:") && names.empty()
                                              : has_word(split(names, ','), controller);
        if (found) return line.substr(second + 1);
    }
    return std::nullopt;
}

// Where a group is in the file system; empty when the mount does not show it. Inside a cgroup
// namespace a group outside of it is called /../x.
std::string directory_of(const std::string& root, const Mount& mount, const std::string& group) {
    if (group.starts_with("/..")) return "";
    std::string rest = group;
    if (mount.within != "/") {
        if (!(group + "/").starts_with(mount.within + "/")) return "";
        rest = group.substr(mount.within.size());
    }
    if (rest == "/") rest.clear();
    return root + mount.point + rest;
}

std::string program_of(const std::string& root, const std::string& pid) {
    std::error_code ec;
    return std::filesystem::read_symlink(root + "/proc/" + pid + "/exe", ec).string();
}

class Detection {
public:
    Detection(const std::string& root, std::function<bool(const std::string&)> may_write)
        : root_(root), may_write_(std::move(may_write)), mounts_(cgroup_mounts(root)) {}

    CgroupHost run() {
        CgroupHost host;
        host.root = root_;
        for (const std::string& name : controller_names)
            host.controllers.push_back(version_1(name));
        version_2(host);
        bool one = false, two = false;
        for (const Mount& mount : mounts_) {
            two = two || mount.unified;
            for (const std::string& name : controller_names)
                one = one || has_word(mount.controllers, name);
        }
        host.layout = one && two ? "hybrid" : one ? "v1" : two ? "v2" : "none";
        for (CgroupController& controller : host.controllers)
            if (controller.version == CgroupVersion::none && controller.why_not.empty())
                controller.why_not = "the kernel offers no " + controller.name + " controller";
        return host;
    }

private:
    CgroupController version_1(const std::string& name) const {
        CgroupController controller{name};
        const auto group = own_group(root_, name);
        for (const Mount& mount : mounts_) {
            if (!group || !has_word(mount.controllers, name)) continue;
            controller.version = CgroupVersion::v1;
            const std::string directory = directory_of(root_, mount, *group);
            if (directory.empty()) controller.why_not = "the group " + *group + " is not mounted";
            else if (!may_write_(directory))
                controller.why_not = directory + " is not writable for this user";
            else controller.directory = directory;
        }
        return controller;
    }

    void version_2(CgroupHost& host) {
        const auto group = own_group(root_, "");
        const auto mount =
            std::find_if(mounts_.begin(), mounts_.end(), [](const Mount& m) { return m.unified; });
        if (!group || mount == mounts_.end()) return;
        const std::string top = root_ + mount->point, own = directory_of(root_, *mount, *group);
        std::vector<CgroupController*> wanted;
        const std::vector<std::string> offered = words_of(read_text(top + "/cgroup.controllers"));
        for (CgroupController& controller : host.controllers)
            if (controller.version == CgroupVersion::none && has_word(offered, controller.name))
                wanted.push_back(&controller);
        for (CgroupController* controller : wanted) controller->version = CgroupVersion::v2;
        if (wanted.empty()) return;
        const Place place = own.empty() ? Place() : best_place(own, top, wanted);
        host.must_step_aside = place.aside;
        for (CgroupController* controller : wanted) {
            if (has_word(place.granted, controller->name)) controller->directory = place.directory;
            else
                controller->why_not = "the " + controller->name +
                                      " controller of cgroup v2 is not delegated to this user";
        }
    }

    struct Place {
        std::string directory;
        std::vector<std::string> granted;
        bool aside = false;
    };

    // From this process's own group upwards, where a process may go from its group to another one
    // below: the nearest group that hands down most.
    Place best_place(const std::string& own, const std::string& top,
                     const std::vector<CgroupController*>& wanted) const {
        Place best;
        for (std::string at = own; at.size() >= top.size(); at = at.substr(0, at.rfind('/'))) {
            Place here = look_at(at, at == own, wanted);
            if (here.granted.size() > best.granted.size()) best = std::move(here);
            if (at == top) break;
        }
        return best;
    }

    Place look_at(const std::string& directory, bool own,
                  const std::vector<CgroupController*>& wanted) const {
        Place place;
        if (!may_write_(directory) || !may_write_(directory + "/cgroup.procs")) return place;
        place.directory = directory;
        const std::vector<std::string> offered =
                                           words_of(read_text(directory + "/cgroup.controllers")),
                                       enabled = words_of(
                                           read_text(directory + "/cgroup.subtree_control")),
                                       inside = words_of(read_text(directory + "/cgroup.procs"));
        std::error_code ec;
        // The hierarchy's own root, which has no type, may have processes in it all the same.
        const bool empty =
            inside.empty() || !std::filesystem::exists(directory + "/cgroup.type", ec);
        const bool aside = !empty && own && all_ours(inside);
        const bool may_enable =
            may_write_(directory + "/cgroup.subtree_control") && (empty || aside);
        for (const CgroupController* controller : wanted) {
            if (has_word(enabled, controller->name)) place.granted.push_back(controller->name);
            else if (may_enable && has_word(offered, controller->name))
                place.granted.push_back(controller->name);
            else continue;
            place.aside = place.aside || (aside && !has_word(enabled, controller->name));
        }
        return place;
    }

    bool all_ours(const std::vector<std::string>& pids) const {
        const std::string own = program_of(root_, "self");
        return !own.empty() && std::all_of(pids.begin(), pids.end(), [&](const std::string& pid) {
            return program_of(root_, pid) == own;
        });
    }

    std::string root_;
    std::function<bool(const std::string&)> may_write_;
    std::vector<Mount> mounts_;
};

}  // namespace

const CgroupController& CgroupHost::find(std::string_view name) const {
    for (const CgroupController& controller : controllers)
        if (controller.name == name) return controller;
    static const CgroupController none{"", CgroupVersion::none, "", "there is no such controller"};
    return none;
}

CgroupHost detect_cgroups(const std::string& root,
                          std::function<bool(const std::string&)> may_write) {
    if (!may_write)
        may_write = [](const std::string& path) { return ::access(path.c_str(), W_OK) == 0; };
    return Detection(root, std::move(may_write)).run();
}

}  // namespace shed
