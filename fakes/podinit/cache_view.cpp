#include "fakes/podinit/cache_view.hpp"

#include "fakes/podinit/identity.hpp"
#include "fakes/podinit/util.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shed::podinit {

namespace {

constexpr off_t small_bytes = 16 * 1024;  // locks, references and indices are less; blobs are not rewritten
constexpr uid_t unmapped = 65'534;        // how the kernel shows an owner whom the pods' map does not have

class Walk {
public:
    explicit Walk(const CacheView& cache) : cache_(cache) {}

    std::string directory(const std::string& below) {
        const std::string source = cache_.root + cache_.original + below, view = cache_.root + cache_.view + below;
        DIR* folder = ::opendir(source.c_str());
        if (folder == nullptr) return "";
        std::string error;
        if (!make_directories(view, 0755)) error = failure("make " + view);
        if (error.empty()) error = own(view);
        while (const dirent* entry = error.empty() ? ::readdir(folder) : nullptr) {
            const std::string name = entry->d_name;
            if (name == "." || name == ".." || (below.empty() && left_out(name))) continue;
            error = one(below + "/" + name, source + "/" + name, view + "/" + name);
        }
        ::closedir(folder);
        return error;
    }

private:
    bool left_out(const std::string& name) const {
        for (const std::string& other : cache_.left_out)
            if (name == other) return true;
        return false;
    }

    std::string own(const std::string& path) const {
        const auto uid = static_cast<uid_t>(cache_.uid);
        const auto gid = static_cast<gid_t>(cache_.gid);
        if (cache_.single || ::lchown(path.c_str(), uid, gid) == 0) return "";
        return failure("chown " + path);
    }

    bool readable(const struct stat& info) const {
        if ((info.st_mode & S_IROTH) != 0) return true;
        if (cache_.single) return info.st_uid == static_cast<uid_t>(single_id);
        if (info.st_uid == unmapped) return false;
        return cache_.uid == 0 || info.st_uid == static_cast<uid_t>(cache_.uid);
    }

    std::string one(const std::string& below, const std::string& source, const std::string& view) {
        struct stat info {};
        if (::lstat(source.c_str(), &info) != 0) return "";
        if (S_ISDIR(info.st_mode)) return directory(below);
        if (S_ISLNK(info.st_mode)) {
            char target[4096];
            const ssize_t length = ::readlink(source.c_str(), target, sizeof target);
            if (length <= 0) return "";
            return link(std::string(target, static_cast<std::size_t>(length)), view);
        }
        if (!S_ISREG(info.st_mode) || !readable(info)) return "";
        if (info.st_size > small_bytes) return link(cache_.original + below, view);
        return copy(source, view, info.st_mode);
    }

    std::string link(const std::string& target, const std::string& view) const {
        if (::symlink(target.c_str(), view.c_str()) != 0) return failure("link " + view);
        return own(view);
    }

    std::string copy(const std::string& source, const std::string& view, mode_t mode) const {
        std::string text;
        if (!read_text(source.c_str(), text)) return "";
        const Descriptor file(::open(view.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file.open() || !write_all(file.get(), text)) return failure("write " + view);
        if (::fchmod(file.get(), (mode & 0777) | S_IRUSR | S_IWUSR) != 0) return failure("chmod " + view);
        return own(view);
    }

    const CacheView& cache_;
};

}  // namespace

std::string make_cache_view(const CacheView& cache) { return Walk(cache).directory(""); }

}  // namespace shed::podinit
