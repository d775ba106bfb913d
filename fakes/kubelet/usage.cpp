#include "fakes/kubelet/usage.hpp"

#include <algorithm>

namespace shed {

namespace {

// Two who ask at a time get the same answer: a mean over less says little, by clock ticks nothing.
constexpr auto window_least = std::chrono::seconds(1);

}  // namespace

void UsageMeter::take(Sample& sample, std::int64_t cpu_ns,
                      std::chrono::steady_clock::time_point now) const {
    const bool first = sample.window == sample.window.zero();
    const auto window = now - sample.at;
    if (window <= window.zero() || (!first && window < window_least)) return;
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(window).count();
    const double used = static_cast<double>(std::max<std::int64_t>(0, cpu_ns - sample.cpu_ns));
    sample.rate = static_cast<std::int64_t>(used / static_cast<double>(ns) * 1e9);
    sample.window = window;
    sample.cpu_ns = cpu_ns;
    sample.at = now;
}

std::vector<PodUsage> UsageMeter::measure(const std::vector<ContainerReading>& readings,
                                          std::chrono::steady_clock::time_point now) {
    std::map<std::pair<std::string, std::string>, Sample> running;
    std::map<std::string, PodUsage> pods;
    for (const ContainerReading& reading : readings) {
        if (!reading.used.cpu_ns || !reading.used.memory_bytes) continue;
        const std::pair key(reading.pod_uid, reading.container);
        Sample sample = samples_[key];
        if (sample.started != reading.started) {  // another run of it: its counter began at 0
            sample = Sample();
            sample.started = sample.at = reading.started;
        }
        take(sample, *reading.used.cpu_ns, now);
        PodUsage& pod = pods[reading.pod_uid];
        pod.uid = reading.pod_uid;
        pod.window = std::max(pod.window, std::chrono::duration_cast<Duration>(sample.window));
        ContainerUsage used;
        used.name = reading.container;
        used.cpu_nanocores = sample.rate;
        used.memory_bytes = *reading.used.memory_bytes;
        pod.containers.push_back(std::move(used));
        running[key] = sample;
    }
    samples_ = std::move(running);
    std::vector<PodUsage> all;
    for (auto& [uid, pod] : pods) all.push_back(std::move(pod));
    return all;
}

}  // namespace shed
