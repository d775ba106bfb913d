// What /proc tells of processes, for machines whose groups we may not use.
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/cgroup/files.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>

namespace shed {

using cgroup::number_of;
using cgroup::read_text;
using cgroup::words_of;

ProcessTable ProcessTable::read(const std::string& root) {
    ProcessTable table;
    table.root_ = root;
    const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK),
                       page = ::sysconf(_SC_PAGESIZE);
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(root + "/proc", ec)) {
        const auto pid = number_of(entry.path().filename().string());
        if (!pid) continue;
        const std::string text = read_text(entry.path().string() + "/stat");
        // proc_pid_stat(5). The name, in parentheses, may hold anything; the fields after it are
        // counted from 3.
        const auto name_end = text.rfind(')');
        if (name_end == std::string::npos) continue;
        const std::vector<std::string> words =
            words_of(std::string_view(text).substr(name_end + 1));
        const auto field = [&](std::size_t number) {
            return number - 3 < words.size() ? number_of(words[number - 3]).value_or(0) : 0;
        };
        Process process;
        process.cpu_ns = (field(14) + field(15) + field(16) + field(17)) * tick_ns;
        process.memory_bytes = field(24) * page;
        table.children_.emplace(static_cast<int>(field(4)), static_cast<int>(*pid));
        table.processes_.emplace(static_cast<int>(*pid), process);
    }
    return table;
}

std::vector<int> ProcessTable::children(int pid) const {
    std::vector<int> pids;
    const auto [first, last] = children_.equal_range(pid);
    for (auto child = first; child != last; ++child) pids.push_back(child->second);
    return pids;
}

CgroupUsage ProcessTable::usage(int pid) const {
    if (!processes_.contains(pid)) return {};
    std::int64_t cpu_ns = 0, memory_bytes = 0;
    std::vector<int> left = {pid};
    while (!left.empty()) {
        const int next = left.back();
        left.pop_back();
        const auto process = processes_.find(next);
        if (process == processes_.end()) continue;
        cpu_ns += process->second.cpu_ns;
        memory_bytes += process->second.memory_bytes;
        for (const int child : children(next)) left.push_back(child);
    }
    return {cpu_ns, memory_bytes};
}

int ProcessTable::pid_within(int pid, std::size_t depth) const {
    const std::string status = read_text(root_ + "/proc/" + std::to_string(pid) + "/status");
    const auto at = status.find("\nNSpid:");
    if (at == std::string::npos) return 0;
    const auto end = status.find('\n', at + 1);
    const std::vector<std::string> pids =
        words_of(std::string_view(status).substr(at + 7, end - at - 7));
    return depth < pids.size() ? static_cast<int>(number_of(pids[depth]).value_or(0)) : 0;
}

bool counts_processes_by_namespace(std::string_view release) {
    int major = 0, minor = 0;
    const char* end = release.data() + release.size();
    const auto [dot, error] = std::from_chars(release.data(), end, major);
    if (error != std::errc() || dot == end || *dot != '.') return false;
    if (std::from_chars(dot + 1, end, minor).ec != std::errc()) return false;
    return major > 5 || (major == 5 && minor >= 14);
}

}  // namespace shed
