// What this machine brings: its pip configuration, Python, NVIDIA driver and Open MPI.
#include "fakes/gpu/gpu.hpp"
#include "fakes/images/internal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace shed {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool exists(const std::string& path) {
    std::error_code ec;
    return fs::is_regular_file(path, ec);
}

std::optional<std::string> read(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    if (!in || !(text << in.rdbuf())) return std::nullopt;
    return text.str();
}

std::string version_in(const std::string& text) {
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 ..."
    std::istringstream words(text);
    for (std::string word; words >> word;)
        if (word.find('.') != std::string::npos &&
            word.find_first_not_of("0123456789.") == std::string::npos)
            return word;
    return "";
}

std::string driver_version() {
    for (const char* path : {"/proc/driver/nvidia/version", "/sys/module/nvidia/version"}) {
        if (const auto text = read(path)) {
            if (std::string version = version_in(*text); !version.empty()) return version;
        }
    }
    // The driver's library knows it where /proc does not, as in some containers.
    return find_gpus(gpu_source()).version;
}

// The linker's default directories, this machine's own architecture first.
constexpr const char* library_directories[] = {
#if defined(__aarch64__)
    "/usr/lib/aarch64-linux-gnu",
#elif defined(__x86_64__)
    "/usr/lib/x86_64-linux-gnu",
#endif
    "/usr/lib64", "/usr/lib", "/usr/local/lib"};

// MLX opens exactly "libmpi.so", which Debian has in libopenmpi-dev only.
void find_libmpi(images::Machine& machine) {
    std::error_code ec;
    for (const char* directory : library_directories)
        if (fs::exists(std::string(directory) + "/libmpi.so", ec)) {
            machine.has_openmpi = true;
            return;
        }
    for (const char* directory : library_directories) {
        if (!fs::exists(std::string(directory) + "/libmpi.so.40", ec)) continue;
        machine.has_openmpi = true;
        machine.libmpi_link = std::string(directory) + "/libmpi.so";
        machine.libmpi = "libmpi.so.40";
        return;
    }
}

}  // namespace

namespace images {

Result<Machine> examine_machine(const std::string& python) {
    Machine machine;
    std::error_code ec;
    // The version is part of the name, "python3.11", so that asking the program is not needed.
    machine.python = fs::canonical(python, ec).string();
    if (ec || ::access(python.c_str(), X_OK) != 0)
        return Error{Reason::environment,
                     "there is no " + python + "; sudo apt-get install python3 python3-pip"};
    machine.cuda = cuda_extra(driver_version());
    find_libmpi(machine);
    return machine;
}

}  // namespace images

FileContents host_pip_files() {
    images::PipHost host;
    for (const std::string& path : images::pip_config_paths(variable, exists))
        if (auto text = read(path)) host.files.push_back(std::move(*text));
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string word = *entry;
        const auto equals = word.find('=');
        const std::string name = word.substr(0, equals);
        if (name.starts_with("PIP_") || name.ends_with("_CA_BUNDLE"))
            host.variables[name] = word.substr(equals + 1);
    }
    host.read = read;
    return images::pip_files(host);
}

}  // namespace shed
