// The entry points of NVML that Trainshed calls, for a machine with four GPUs: one whole, one
// broken, one in MIG mode with three slices, one whole whose minor number is not its index, as
// after a GPU was taken out of a machine.
#include <cstring>

namespace {

constexpr int gpu_is_lost = 15;  // NVML_ERROR_GPU_IS_LOST
constexpr int not_found = 6;     // NVML_ERROR_NOT_FOUND
constexpr unsigned long long gibibyte = 1ULL << 30;

struct Memory {
    unsigned long long total, free, used;
};
struct Attributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpeg_engines, ofa_engines;
    unsigned gpu_slices, compute_slices;
    unsigned long long memory_mib;
};

struct Device {
    unsigned minor;
    const char *uuid, *name;
    bool sliced;
    unsigned instance, part, gpu_slices, compute_slices;
    unsigned long long memory_mib;
};

Device whole[] = {
    {3, "GPU-aaaa", "NVIDIA H100 80GB HBM3", false, 0, 0, 0, 0, 80 * 1024},
    {1, "GPU-lost", "", false, 0, 0, 0, 0, 0},
    {0, "GPU-cccc", "NVIDIA A100-SXM4-40GB", true, 0, 0, 0, 0, 40 * 1024},
    {7, "GPU-dddd", "NVIDIA H100 80GB HBM3", false, 0, 0, 0, 0, 80 * 1024},
};
// As an A100 of 40 GiB reports them: 4,864 MiB of it are 1g.5gb.
Device slices[] = {
    {0, "MIG-1111", "", false, 7, 0, 1, 1, 4864},
    {0, "MIG-2222", "", false, 8, 0, 1, 1, 4864},
    {0, "MIG-3333", "", false, 3, 1, 2, 1, 9856},
};

int text(const char* from, char* into, unsigned size) {
    std::strncpy(into, from, size);
    return 0;
}

Device* of(void* device) { return static_cast<Device*>(device); }

}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
const char* nvmlErrorString(int) { return "Unknown Error"; }
int nvmlSystemGetDriverVersion(char* into, unsigned size) { return text("580.65.06", into, size); }

int nvmlDeviceGetCount_v2(unsigned* count) {
    *count = 4;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
    if (index == 1) return gpu_is_lost;
    *device = &whole[index];
    return 0;
}

int nvmlDeviceGetMinorNumber(void* device, unsigned* minor) {
    *minor = of(device)->minor;
    return 0;
}

int nvmlDeviceGetUUID(void* device, char* into, unsigned size) {
    return text(of(device)->uuid, into, size);
}
int nvmlDeviceGetName(void* device, char* into, unsigned size) {
    return text(of(device)->name, into, size);
}

int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
    *memory = {of(device)->memory_mib << 20, gibibyte, gibibyte};
    return 0;
}

int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
    *current = *pending = of(device)->sliced ? 1 : 0;
    return 0;
}

int nvmlDeviceGetMaxMigDeviceCount(void*, unsigned* count) {
    *count = 7;
    return 0;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void*, unsigned index, void** device) {
    if (index >= 3) return not_found;
    *device = &slices[index];
    return 0;
}

int nvmlDeviceGetAttributes_v2(void* device, Attributes* a) {
    *a = {};
    a->gpu_slices = of(device)->gpu_slices;
    a->compute_slices = of(device)->compute_slices;
    a->memory_mib = of(device)->memory_mib;
    return 0;
}

int nvmlDeviceGetGpuInstanceId(void* device, unsigned* instance) {
    *instance = of(device)->instance;
    return 0;
}

int nvmlDeviceGetComputeInstanceId(void* device, unsigned* part) {
    *part = of(device)->part;
    return 0;
}
}
