// NVML's functions and structures are those of nvml.h, NVIDIA's NVML API reference (driver 580).
#include "fakes/gpu/driver_files.hpp"
#include "fakes/gpu/gpu.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

namespace shed {

namespace {

using Device = void*;

struct Memory {
    unsigned long long total, free, used;
};

struct Attributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpeg_engines, ofa_engines;
    unsigned gpu_slices, compute_slices;
    unsigned long long memory_mib;
};

// The functions that Trainshed calls. Those of MIG are missing in old drivers.
struct Nvml {
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    const char* (*error_text)(int) = nullptr;
    int (*driver_version)(char*, unsigned) = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*device)(unsigned, Device*) = nullptr;
    int (*minor)(Device, unsigned*) = nullptr;
    int (*uuid)(Device, char*, unsigned) = nullptr;
    int (*name)(Device, char*, unsigned) = nullptr;
    int (*memory)(Device, Memory*) = nullptr;
    int (*mig_mode)(Device, unsigned*, unsigned*) = nullptr;
    int (*slice_max)(Device, unsigned*) = nullptr;
    int (*slice)(Device, unsigned, Device*) = nullptr;
    int (*attributes)(Device, Attributes*) = nullptr;
    int (*gpu_instance)(Device, unsigned*) = nullptr;
    int (*compute_instance)(Device, unsigned*) = nullptr;
};

template <class F>
bool find(void* library, F*& function, const char* name) {
    function = reinterpret_cast<F*>(::dlsym(library, name));
    return function != nullptr;
}

bool find_all(void* library, Nvml& nvml) {
    const bool slices = find(library, nvml.mig_mode, "nvmlDeviceGetMigMode") &&
                        find(library, nvml.slice_max, "nvmlDeviceGetMaxMigDeviceCount") &&
                        find(library, nvml.slice, "nvmlDeviceGetMigDeviceHandleByIndex") &&
                        find(library, nvml.attributes, "nvmlDeviceGetAttributes_v2") &&
                        find(library, nvml.gpu_instance, "nvmlDeviceGetGpuInstanceId") &&
                        find(library, nvml.compute_instance, "nvmlDeviceGetComputeInstanceId");
    if (!slices) nvml.mig_mode = nullptr;
    return find(library, nvml.init, "nvmlInit_v2") &&
           find(library, nvml.shutdown, "nvmlShutdown") &&
           find(library, nvml.error_text, "nvmlErrorString") &&
           find(library, nvml.driver_version, "nvmlSystemGetDriverVersion") &&
           find(library, nvml.count, "nvmlDeviceGetCount_v2") &&
           find(library, nvml.device, "nvmlDeviceGetHandleByIndex_v2") &&
           find(library, nvml.minor, "nvmlDeviceGetMinorNumber") &&
           find(library, nvml.uuid, "nvmlDeviceGetUUID") &&
           find(library, nvml.name, "nvmlDeviceGetName") &&
           find(library, nvml.memory, "nvmlDeviceGetMemoryInfo");
}

std::string text_of(int (*get)(Device, char*, unsigned), Device device) {
    char text[96] = "";  // NVML_DEVICE_UUID_V2_BUFFER_SIZE, NVML_DEVICE_NAME_V2_BUFFER_SIZE
    return get(device, text, sizeof text) == 0 ? text : "";
}

// "DeviceFileMinor: 12" of a capability's `access` file; -1 when it is not there.
int capability_minor(const std::string& path) {
    std::ifstream file(path);
    for (std::string word; file >> word;) {
        int minor = -1;
        if (word == "DeviceFileMinor:" && file >> minor) return minor;
    }
    return -1;
}

// "2g.20gb", with "1c." before it for a part of a GPU instance's compute slices.
std::string profile_of(const Attributes& a, std::uint64_t gpu_bytes) {
    // As go-nvlib: the memory in eighths of the GPU's, rounded up, in whole GiB.
    const double share = static_cast<double>(a.memory_mib << 20) / static_cast<double>(gpu_bytes);
    const auto eighths = static_cast<std::uint64_t>(share * 8 + 0.999);
    const std::uint64_t gibibytes = (gpu_bytes + (1ULL << 30) - 1) >> 30;
    const std::uint64_t memory = (gibibytes * eighths + 4) / 8;
    std::string profile = std::to_string(a.gpu_slices) + "g." + std::to_string(memory) + "gb";
    if (a.compute_slices < a.gpu_slices)
        profile.insert(0, std::to_string(a.compute_slices) + "c.");
    return profile;
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

class Search {
public:
    Search(const Nvml& nvml, const GpuSource& source, GpuDriver& found)
        : nvml_(nvml), source_(source), found_(found) {}

    void run() {
        char version[96] = "";
        if (nvml_.driver_version(version, sizeof version) == 0) found_.version = version;
        unsigned count = 0;
        if (nvml_.count(&count) != 0) count = 0;
        for (unsigned index = 0; index < count; ++index) {
            Device device = nullptr;
            if (nvml_.device(index, &device) == 0) take(device);
        }
        if (found_.gpus.empty()) found_.problem = "the NVIDIA driver knows no usable GPU";
    }

private:
    void take(Device device) {
        unsigned minor = 0;
        Memory memory{};
        if (nvml_.minor(device, &minor) != 0 || nvml_.memory(device, &memory) != 0) return;
        Gpu gpu;
        gpu.uuid = text_of(nvml_.uuid, device);
        gpu.name = text_of(nvml_.name, device);
        gpu.memory_bytes = memory.total;
        gpu.devices = {"/dev/nvidia" + std::to_string(minor)};
        unsigned mode = 0, pending = 0;
        const bool sliced =
            nvml_.mig_mode != nullptr && nvml_.mig_mode(device, &mode, &pending) == 0 && mode == 1;
        if (sliced) take_slices(device, gpu, minor);
        else found_.gpus.push_back(std::move(gpu));
    }

    void take_slices(Device device, const Gpu& whole, unsigned minor) {
        unsigned max = 0;
        if (nvml_.slice_max(device, &max) != 0) return;
        for (unsigned index = 0; index < max; ++index) {
            Device handle = nullptr;
            unsigned instance = 0, part = 0;
            Attributes attributes{};
            if (nvml_.slice(device, index, &handle) != 0 ||
                nvml_.attributes(handle, &attributes) != 0 ||
                nvml_.gpu_instance(handle, &instance) != 0 ||
                nvml_.compute_instance(handle, &part) != 0)
                continue;
            Gpu slice = whole;
            slice.uuid = text_of(nvml_.uuid, handle);
            slice.profile = profile_of(attributes, whole.memory_bytes);
            slice.name += " MIG " + slice.profile;
            slice.memory_bytes = attributes.memory_mib << 20;
            const std::string gi = source_.root + "/proc/driver/nvidia/capabilities/gpu" +
                                   std::to_string(minor) + "/mig/gi" + std::to_string(instance);
            for (const std::string& path : {gi, gi + "/ci" + std::to_string(part)})
                if (const int cap = capability_minor(path + "/access"); cap >= 0)
                    slice.devices.push_back("/dev/nvidia-caps/nvidia-cap" + std::to_string(cap));
            found_.gpus.push_back(std::move(slice));
        }
    }

    const Nvml& nvml_;
    const GpuSource& source_;
    GpuDriver& found_;
};

}  // namespace

std::string Gpu::resource() const {
    return profile.empty() ? "nvidia.com/gpu" : "nvidia.com/mig-" + profile;
}

GpuSource gpu_source() {
    GpuSource source;
    if (const char* library = std::getenv("TRAINSHED_NVML"); library != nullptr && *library != '\0')
        source.library = library;
    return source;
}

GpuDriver find_gpus(const GpuSource& source) {
    GpuDriver found;
    const std::unique_ptr<void, int (*)(void*)> library(
        ::dlopen(source.library.c_str(), RTLD_NOW | RTLD_LOCAL),
        [](void* handle) { return handle == nullptr ? 0 : ::dlclose(handle); });
    Nvml nvml;
    if (library == nullptr) {
        found.problem = "no NVIDIA driver: there is no " + source.library;
    } else if (!find_all(library.get(), nvml)) {
        found.problem = source.library + " is not the NVML of a driver that Trainshed knows";
    } else if (const int error = nvml.init(); error != 0) {
        found.problem = std::string("NVML: ") + nvml.error_text(error);
    } else {
        Search(nvml, source, found).run();
        Dl_info where{};
        if (::dladdr(reinterpret_cast<void*>(nvml.init), &where) != 0)
            found.files = driver_files(directory_of(where.dli_fname), "/usr/bin");
        nvml.shutdown();
    }
    return found;
}

std::vector<std::string> shared_gpu_devices() {
    std::vector<std::string> there;
    for (const char* path :
         {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"})
        if (::access(path, F_OK) == 0) there.emplace_back(path);
    return there;
}

}  // namespace shed
