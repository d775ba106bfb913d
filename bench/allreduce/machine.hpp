// The machine under the ranks: its CPUs, and who else used them (/proc/stat beside what ranks
// used).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace allreduce {

// Seconds since boot, over all CPUs. Busy is all but idle and iowait; steal (another guest's time)
// is busy.
struct CpuTime {
    double busy_s = 0, total_s = 0;
};

// Of the text of /proc/stat (proc(5)).
std::optional<CpuTime> parse_cpu_time(std::string_view proc_stat, double ticks_per_second);

CpuTime cpu_time_now();
double own_cpu_s();
// The same for all processes under one kernel, whatever their containers.
std::string machine_id();
double unix_time_s();

// How a mask of CPUs is called that a rank may use: "none" where it may use all that mpirun may.
std::string binding_name(int allowed, int parent_allowed, int cores);

// What one rank saw during a row. `machine` numbers the machines.
struct CpuUse {
    int machine = 0;
    double busy_s = 0, total_s = 0, own_s = 0;
};

// The share of CPU time that others used, on the machine where it was largest. In ticks of 10 ms:
// rough for rows of less than 0.1 s.
double other_cpu_share(const std::vector<CpuUse>& ranks);

}  // namespace allreduce
