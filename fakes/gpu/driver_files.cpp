#include "fakes/gpu/driver_files.hpp"

#include <algorithm>
#include <filesystem>

namespace shed {

namespace fs = std::filesystem;

namespace {

// As NVIDIA's container toolkit names what belongs to the driver.
constexpr std::string_view libraries[] = {
    "libcuda.so",     "libcudadebugger.so", "libnvidia-",   "libnvcuvid.so", "libnvoptix.so",
    "libGLX_nvidia.", "libEGL_nvidia.",     "libGLESv",     "libvdpau_nvidia."};
constexpr std::string_view programs[] = {"nvidia-smi", "nvidia-debugdump", "nvidia-persistenced",
                                         "nvidia-cuda-mps-control", "nvidia-cuda-mps-server"};

bool is_library(const std::string& name) {
    const auto begins = [&](std::string_view word) { return name.starts_with(word); };
    if (name.starts_with("libGLESv")) return name.find("_nvidia.") != std::string::npos;
    // The container toolkit's own libraries are no part of the driver.
    if (name.starts_with("libnvidia-container")) return false;
    return name.find(".so") != std::string::npos &&
           std::any_of(std::begin(libraries), std::end(libraries), begins);
}

}  // namespace

std::vector<std::string> driver_files(const std::string& library_directory,
                                      const std::string& program_directory) {
    std::vector<std::string> files;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(library_directory, ec))
        if (!entry.is_directory(ec) && is_library(entry.path().filename().string()))
            files.push_back(entry.path().string());
    for (const std::string_view name : programs)
        if (const fs::path path = fs::path(program_directory) / name; fs::exists(path, ec))
            files.push_back(path.string());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace shed
