// Builds an environment's layer. The directory has, for each environment NAME:
//   NAME                      the layer; its stamp, written last, says from which recipe
//   .NAME.lock                held by flock while someone builds, also by pip itself
//   .NAME.building.XXXXXX     a build under way, or the rest of one that was killed
//   .NAME.old.XXXXXX          a layer that was replaced while pods still used it
#include "fakes/images/internal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

extern char** environ;

namespace shed {

namespace {

namespace fs = std::filesystem;
using namespace images;
using Clock = std::chrono::steady_clock;

Error environment_error(const std::string& what, const std::string& path) {
    return {Reason::environment, what + " " + path + ": " + std::strerror(errno)};
}

// Also when the user's umask is stricter: pods' users come here as strangers.
Result<void> make_public(const std::string& path) {
    if (const std::string parent = fs::path(path).parent_path(); !fs::exists(parent))
        if (auto made = make_public(parent); !made) return made;
    if (::mkdir(path.c_str(), 0755) != 0) {
        if (errno == EEXIST) return {};
        return environment_error("cannot make", path);
    }
    if (::chmod(path.c_str(), 0755) != 0) return environment_error("cannot open to pods:", path);
    return {};
}

// Root's pods are other users of this machine. An ordinary user's pods are mounted as the user.
Result<void> check_reachable(const std::string& directory) {
    if (::geteuid() != 0) return {};
    std::error_code ec;
    for (fs::path path = fs::canonical(directory, ec); path.has_relative_path();
         path = path.parent_path()) {
        struct stat info{};
        if (::stat(path.c_str(), &info) != 0) return environment_error("cannot look at", path);
        if ((info.st_mode & S_IXOTH) != 0) continue;
        return Error{Reason::environment, "pods cannot enter " + path.string() +
                                              ": it is closed to other users; chmod o+x " +
                                              path.string()};
    }
    return {};
}

class Lock {
public:
    explicit Lock(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {}
    Lock(const Lock&) = delete;
    ~Lock() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    bool open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    bool take_now() { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }
    // False when cancelled: flock itself returns at a signal only.
    bool wait(const std::function<bool()>& cancelled) {
        while (::flock(descriptor_, LOCK_EX) != 0)
            if (errno != EINTR || cancelled()) return false;
        return true;
    }

private:
    int descriptor_;
};

// A pod's overlay names the layer's place in its mount options.
bool used_by_pods(const std::string& layer) {
    std::error_code ec;
    for (const auto& process : fs::directory_iterator("/proc", ec)) {
        const std::string pid = process.path().filename();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream mounts("/proc/" + pid + "/mountinfo");
        for (std::string line; std::getline(mounts, line);)
            if (line.find(layer + "/") != std::string::npos) return true;
    }
    return false;
}

std::uint64_t bytes_below(const std::string& directory) {
    std::error_code ec;
    std::uint64_t bytes = 0;
    for (auto entry = fs::recursive_directory_iterator(directory, ec);
         !ec && entry != fs::recursive_directory_iterator(); entry.increment(ec)) {
        struct stat info{};
        if (::lstat(entry->path().c_str(), &info) == 0)
            bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
    return bytes;
}

class Builder {
public:
    Builder(std::string layer, Plan plan, Machine machine, const BuildOptions& options,
            const BuildProgress& progress)
        : layer_(std::move(layer)),
          plan_(std::move(plan)),
          machine_(std::move(machine)),
          options_(options),
          progress_(progress),
          folder_(fs::path(layer_).parent_path()),
          name_(fs::path(layer_).filename()) {}

    Result<BuildReport> build() {
        if (auto made = make_public(folder_); !made) return made.error();
        if (auto reachable = check_reachable(folder_); !reachable) return reachable.error();
        Lock lock(prefix() + "lock");
        if (!lock.open()) return environment_error("cannot open", prefix() + "lock");
        if (!lock.take_now()) {
            progress_("another build of " + name_ + " is under way: waiting for it");
            if (!lock.wait(options_.cancelled)) return cancelled();
            if (up_to_date()) return report(true);
        }
        sweep();
        if (auto room = check_room(); !room) return room.error();
        if (auto made = make_layer(lock.descriptor()); !made) {
            std::error_code ec;
            fs::remove_all(draft_, ec);
            return made.error();
        }
        return report(false);
    }

    bool up_to_date() const {
        const auto stamp = read_stamp(layer_);
        return stamp && stamp->digest == plan_.digest;
    }

    BuildReport report(bool already_built) const {
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_);
        return {already_built, layer_, read_stamp(layer_).value_or(Stamp{}).bytes, took};
    }

private:
    std::string prefix() const { return folder_ + "/." + name_ + "."; }
    Error cancelled() const {
        return {Reason::timeout, "the build of " + name_ + " was interrupted"};
    }

    void sweep() const {
        std::error_code ec;
        for (const auto& entry : fs::directory_iterator(folder_, ec)) {
            const std::string path = entry.path();
            const bool draft = path.starts_with(prefix() + "building.");
            const bool old = path.starts_with(prefix() + "old.");
            if (draft || (old && !used_by_pods(layer_))) fs::remove_all(path, ec);
        }
    }

    Result<void> check_room() const {
        struct statvfs disk{};
        if (::statvfs(folder_.c_str(), &disk) != 0) return environment_error("cannot ask", folder_);
        const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize / 1'000'000;
        const auto wanted = static_cast<std::uint64_t>(plan_.megabytes);
        // Packages are kept until they are unpacked, so for a moment a little more is needed.
        if (free < wanted + wanted / 4)
            return Error{Reason::environment, folder_ + " has " + std::to_string(free) +
                                                  " MB free, " + name_ + " needs about " +
                                                  std::to_string(wanted + wanted / 4) +
                                                  "; free some disk space"};
        progress_(name_ + " takes about " + std::to_string(wanted) + " MB and " +
                  std::to_string(plan_.seconds) + " s, once");
        return {};
    }

    Result<void> make_layer(int lock) {
        draft_ = prefix() + "building.XXXXXX";
        if (::mkdtemp(draft_.data()) == nullptr) return environment_error("cannot make", draft_);
        ::chmod(draft_.c_str(), 0755);
        if (!plan_.debian.empty())
            if (auto unpacked = unpack(lock); !unpacked) return unpacked;
        if (!plan_.requirements.empty())
            if (auto installed = install(lock); !installed) return installed;
        if (auto linked = add_links(); !linked) return linked;
        if (auto stamped = stamp(); !stamped) return stamped;
        return put_in_place();
    }

    static std::vector<std::string> own_environment() {
        std::vector<std::string> own;
        for (char** entry = environ; *entry != nullptr; ++entry) own.emplace_back(*entry);
        return own;
    }

    Result<void> unpack(int lock) {
        std::vector<std::string> environment = own_environment();
        // Its words are read below; of two values programs take the one or the other.
        std::erase_if(environment, [](const std::string& entry) {
            return entry.starts_with("LC_ALL=") || entry.starts_with("LANGUAGE=");
        });
        environment.emplace_back("LC_ALL=C");
        std::string program;
        const auto output = unpack_debian(
            plan_.debian, draft_, options_, [&](const std::vector<std::string>& words) {
                program = fs::path(words.front()).filename();
                return run_lines(words, environment, lock, options_.cancelled,
                                 [this](const std::string& line) {
                                     if (const auto text = condense_apt(line)) progress_(*text);
                                 });
            });
        if (!output) return output.error();
        if (output->cancelled) return cancelled();
        if (output->exit_code != 0)
            return Error{Reason::environment,
                         explain_unpacking(program, output->tail, output->exit_code)};
        return {};
    }

    Result<void> install(int lock) {
        const auto output =
            run_lines(pip_words(options_.python, draft_, plan_), pip_environment(own_environment()),
                      lock, options_.cancelled, [this](const std::string& line) {
                          if (const auto text = condense(line)) progress_(*text);
                      });
        if (!output) return output.error();
        if (output->cancelled) return cancelled();
        if (output->exit_code != 0)
            return Error{Reason::environment,
                         explain_failure(output->tail, output->exit_code, options_.python)};
        if (fs::is_directory(draft_ + "/usr")) return {};
        return Error{Reason::environment,
                     "pip put its packages elsewhere than below /usr; use the distribution's "
                     "python3, not one of a virtual environment"};
    }

    // Ranks started over ssh only have sshd's PATH; `python` and libmpi.so must be where it leads.
    Result<void> add_links() const {
        std::error_code ec;
        const auto link = [&](const std::string& target, const std::string& path) {
            fs::create_directories(fs::path(draft_ + path).parent_path(), ec);
            fs::create_symlink(target, draft_ + path, ec);
            return !ec || ec == std::errc::file_exists;
        };
        bool done = link(options_.python, "/usr/local/bin/python") &&
                    link(options_.python, "/usr/local/bin/python3");
        if (!machine_.libmpi_link.empty())
            done = done && link(machine_.libmpi, machine_.libmpi_link);
        if (!machine_.has_openmpi)
            progress_("warning: no Open MPI here: sudo apt-get install openmpi-bin libopenmpi-dev");
        if (!done)
            return Error{Reason::environment, "cannot link in " + draft_ + ": " + ec.message()};
        return {};
    }

    Result<void> stamp() const {
        const nlohmann::json json = {{"digest", plan_.digest},
                                     {"requirements", plan_.requirements},
                                     {"debian", plan_.debian},
                                     {"python", machine_.python},
                                     {"bytes", bytes_below(draft_)}};
        std::ofstream out(stamp_path(draft_));
        out << json.dump(2) << "\n";
        out.close();
        if (!out) return environment_error("cannot write", stamp_path(draft_));
        ::chmod(stamp_path(draft_).c_str(), 0644);
        return {};
    }

    Result<void> put_in_place() const {
        if (::rename(draft_.c_str(), layer_.c_str()) == 0) return {};
        // There is one from another recipe: exchanged, so that no pod ever finds none.
        if (::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, layer_.c_str(), RENAME_EXCHANGE) != 0)
            return environment_error("cannot replace", layer_);
        std::error_code ec;
        if (used_by_pods(layer_)) {
            progress_("the former " + name_ + " stays for pods that use it, until the next build");
            std::string old = prefix() + "old." + draft_.substr(draft_.size() - 6);
            fs::rename(draft_, old, ec);
        } else {
            fs::remove_all(draft_, ec);
        }
        return {};
    }

    const std::string layer_;
    const Plan plan_;
    const Machine machine_;
    const BuildOptions& options_;
    const BuildProgress& progress_;
    const std::string folder_, name_;
    const Clock::time_point begin_ = Clock::now();
    std::string draft_;
};

}  // namespace

Result<BuildReport> build_environment(const Catalogue& catalogue, const std::string& name,
                                      const BuildOptions& options, const BuildProgress& progress) {
    const auto recipe = catalogue.recipe(name);
    if (!recipe) return recipe.error();
    auto machine = examine_machine(options.python);
    if (!machine) return machine.error();
    const Plan plan = plan_of(*recipe, *machine);
    Builder builder(catalogue.layer_path(name), plan, *machine, options, progress);
    if (builder.up_to_date()) return builder.report(true);
    return builder.build();
}

}  // namespace shed
