// The entry points of NVML that Trainshed calls, for a machine with three GPUs of which one is
// broken. Their minor numbers are not their indexes, as after a GPU was taken out of a machine.
namespace {
unsigned minors[] = {3, 0, 7};
}

extern "C" {

int nvmlInit_v2() { return 0; }

int nvmlShutdown() { return 0; }

int nvmlDeviceGetCount_v2(unsigned* count) {
    *count = 3;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
    constexpr int gpu_is_lost = 15;
    if (index == 1) return gpu_is_lost;
    *device = &minors[index];
    return 0;
}

int nvmlDeviceGetMinorNumber(void* device, unsigned* minor) {
    *minor = *static_cast<unsigned*>(device);
    return 0;
}
}
