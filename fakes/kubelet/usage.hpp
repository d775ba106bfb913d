#pragma once
// From counters to rates: what pods use now, for whoever asks. Nothing is read while nobody asks:
// the counters go on by themselves, so that a rate is the mean since the last reading, or since the
// container started. Pure.
#include "fakes/kubelet/runtime.hpp"

#include <map>

namespace shed {

struct ContainerUsage {
    std::string name;
    std::int64_t cpu_nanocores = 0, memory_bytes = 0;
};
struct PodUsage {
    std::string uid;
    Duration window{};  // over which cpu is the mean: the longest of its containers'
    std::vector<ContainerUsage> containers;
};

class UsageMeter {
public:
    // `readings`: of all containers, taken at `now`.
    std::vector<PodUsage> measure(const std::vector<ContainerReading>& readings,
                                  std::chrono::steady_clock::time_point now);

private:
    struct Sample {
        std::chrono::steady_clock::time_point started{}, at{};
        std::int64_t cpu_ns = 0;
        std::int64_t rate = 0;  // nanocores, of the window before `at`
        std::chrono::steady_clock::duration window{};
    };
    void take(Sample& sample, std::int64_t cpu_ns, std::chrono::steady_clock::time_point now) const;
    std::map<std::pair<std::string, std::string>, Sample> samples_;  // by pod and container
};

}  // namespace shed
