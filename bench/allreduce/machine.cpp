#include "bench/allreduce/machine.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>

namespace allreduce {

namespace {

std::string text_of_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

std::optional<CpuTime> parse_cpu_time(std::string_view proc_stat, double ticks_per_second) {
    std::istringstream line{std::string(proc_stat.substr(0, proc_stat.find('\n')))};
    std::string word;
    if (!(line >> word) || word != "cpu") return std::nullopt;
    // user nice system idle iowait irq softirq steal; guest times after them are part of user and
    // nice.
    std::vector<double> ticks;
    for (double value = 0; ticks.size() < 8 && line >> value;) ticks.push_back(value);
    if (ticks.size() < 5) return std::nullopt;
    CpuTime time;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        time.total_s += ticks[i] / ticks_per_second;
        if (i != 3 && i != 4) time.busy_s += ticks[i] / ticks_per_second;
    }
    return time;
}

CpuTime cpu_time_now() {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return parse_cpu_time(text_of_file("/proc/stat"), ticks).value_or(CpuTime{});
}

double own_cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string machine_id() {
    std::string id = text_of_file("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

double unix_time_s() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) *
           1e-6;
}

std::string binding_name(int allowed, int parent_allowed, int cores) {
    if (allowed == 0) return "unknown";
    if (allowed >= (parent_allowed > 0 ? parent_allowed : cores)) return "none";
    return allowed == 1 ? "core" : std::to_string(allowed) + " cpus";
}

double other_cpu_share(const std::vector<CpuUse>& ranks) {
    // Every rank of a machine read the same counters, at almost the same times: its first one
    // stands for it.
    std::map<int, CpuUse> machines;
    for (const CpuUse& rank : ranks) {
        const auto [machine, fresh] = machines.emplace(rank.machine, rank);
        if (!fresh) machine->second.own_s += rank.own_s;
    }
    double most = 0;
    for (const auto& [number, use] : machines)
        if (use.total_s > 0) most = std::max(most, (use.busy_s - use.own_s) / use.total_s);
    return std::min(most, 1.0);
}

}  // namespace allreduce
