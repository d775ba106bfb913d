// Debian packages as part of a layer: downloaded and unpacked, never installed on this machine.
#include "fakes/images/internal.hpp"

#include <algorithm>
#include <filesystem>

namespace shed::images {

namespace {

namespace fs = std::filesystem;

// The packages' files land here first, then go.
constexpr const char* work_directory = "/.debian";

// apt-get resolves against what this machine has installed, and writes to `work` only: it needs
// neither root nor the lock that an administrator's own apt-get may hold.
std::vector<std::string> apt_words(const std::string& program, const std::string& work) {
    return {program, "-q", "-y", "--no-install-recommends", "-o", "Debug::NoLocking=1", "-o",
            "Dir::Cache::archives=" + work + "/archives", "-o",
            // Root's apt-get would give the download to a user who cannot enter the draft.
            "APT::Sandbox::User=root"};
}

// Package lists of its own: this machine's may be missing, or name files that have gone.
std::vector<std::string> with_own_lists(std::vector<std::string> words, const std::string& work) {
    words.insert(words.end(), {"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
                               "-o", "Dir::State::lists=" + work + "/lists"});
    return words;
}

Result<Output> download(const std::vector<std::string>& packages, const std::string& work,
                        const std::string& apt_get, const Runner& run) {
    std::vector<std::string> install = {"--download-only", "install"};
    install.insert(install.end(), packages.begin(), packages.end());
    const auto with = [](std::vector<std::string> words, const std::vector<std::string>& more) {
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    const std::vector<std::string> apt = apt_words(apt_get, work);
    auto done = run(with(apt, install));
    if (!done || done->cancelled || done->exit_code == 0) return done;
    const std::vector<std::string> fresh = with_own_lists(apt, work);
    auto updated = run(with(fresh, {"update"}));
    if (!updated || updated->cancelled) return updated;
    // A list that could not be had shows in what is then missing.
    return run(with(fresh, install));
}

Result<Output> unpack(const std::string& archives, const std::string& root,
                      const std::string& dpkg_deb, const Runner& run) {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(archives))
        if (entry.path().extension() == ".deb") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    Output output;
    for (const std::string& file : files) {
        auto done = run({dpkg_deb, "--extract", file, root});
        if (!done || done->cancelled || done->exit_code != 0) return done;
        output = std::move(*done);
    }
    return output;
}

// Some packages still bring /lib, which is a link to /usr/lib on every machine of today.
void merge_into_usr(const std::string& root) {
    for (const char* name : {"/bin", "/sbin", "/lib", "/lib64"}) {
        if (!fs::is_directory(root + name) || !fs::is_symlink(name)) continue;
        fs::copy(root + name, root + "/usr" + name,
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                     fs::copy_options::overwrite_existing);
        fs::remove_all(root + name);
    }
}

// The packages' scripts are not run; of what they do, programs miss this: BLAS and LAPACK stand in
// directories of their own, and one of several is linked to where the linker looks.
void link_alternatives(const std::string& root) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(root + "/usr/lib"))
        for (const char* name : {"blas/libblas.so.3", "lapack/liblapack.so.3"})
            if (fs::exists(entry.path() / name)) found.push_back(entry.path() / name);
    for (const fs::path& library : found) {
        const fs::path folder = library.parent_path();
        const fs::path link = folder.parent_path() / library.filename();
        const bool there = fs::exists(fs::symlink_status(link)) ||
                           fs::exists("/" + fs::relative(link, root).string());
        if (!there) fs::create_symlink(folder.filename() / library.filename(), link);
    }
}

}  // namespace

Result<Output> unpack_debian(const std::vector<std::string>& packages, const std::string& root,
                             const BuildOptions& options, const Runner& run) try {
    const std::string work = root + work_directory;
    fs::create_directories(work + "/archives/partial");
    fs::create_directories(work + "/lists/partial");
    auto done = download(packages, work, options.apt_get, run);
    if (!done || done->cancelled || done->exit_code != 0) return done;
    done = unpack(work + "/archives", root, options.dpkg_deb, run);
    if (!done || done->cancelled || done->exit_code != 0) return done;
    fs::remove_all(work);
    merge_into_usr(root);
    link_alternatives(root);
    // Pods cannot write beside the modules: each process would compile them again. The exit code
    // counts files that are meant not to compile, in packages' own tests.
    const std::string modules = root + "/usr/lib/python3/dist-packages";
    if (!fs::is_directory(modules)) return done;
    auto compiled =
        run({options.python, "-m", "compileall", "-q", "-j", "0", "-s", root, "-p", "/", modules});
    if (compiled) compiled->exit_code = 0;
    return compiled;
} catch (const fs::filesystem_error& e) {
    return Error{Reason::environment, std::string("cannot unpack: ") + e.what()};
}

std::optional<std::string> condense_apt(std::string_view line) {
    // "Need to get 150 MB of archives." and "0 upgraded, 175 newly installed, ..."
    if (line.starts_with("Need to get ")) {
        const auto size = line.substr(12, line.find(" of archives") - 12);
        return "downloading Debian packages (" + std::string(size.substr(0, size.find('/'))) + ")";
    }
    if (line.starts_with("Reading package lists...") || !line.starts_with("Fetched "))
        return std::nullopt;
    return "unpacking";
}

std::string explain_unpacking(const std::string& program, const std::vector<std::string>& tail,
                              int exit_code) {
    std::string shown, hint = "see: apt-get update";
    for (const std::string& line : tail) {
        if (line.find("Unable to locate package") != std::string::npos ||
            line.find("has no installation candidate") != std::string::npos)
            hint =
                "this distribution has no such package: put one of PyPI's into "
                "~/.config/trainshed/images.yaml, as build: {debian: null, cpu: [torch]}";
        if (line.starts_with("E: ")) shown += (shown.empty() ? "" : "\n  ") + line.substr(3);
    }
    if (shown.empty() && !tail.empty()) shown = tail.back();
    for (auto at = shown.find("; "); at != std::string::npos; at = shown.find("; "))
        shown.replace(at, 2, ", ");
    return program + " failed with exit code " + std::to_string(exit_code) + ":\n  " + shown +
           "; " + hint;
}

}  // namespace shed::images
