#pragma once
// One run of the all-reduce benchmark, read from the JSON lines that it prints among other log
// text. Times are microseconds where named _us and seconds where named _s; sizes are bytes of one
// rank's buffer.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shed::measure {

struct Host {
    std::string name;
    int ranks = 0;
};

// A setting of Open MPI's component architecture that was not the default, and what set it.
struct McaSetting {
    std::string name, value, source;
};

struct RunFacts {
    int ranks = 0;
    std::vector<Host> hosts;
    std::string backend, dtype, op;
    bool in_place = false;
    std::string timing;  // whose time a call has: "slowest" of the ranks
    std::string mpi;     // library and version
    std::vector<std::string> transports;
    bool yield_when_idle = false;
    std::string binding;
    std::vector<McaSetting> mca;
    int cores = 0;
    std::string single_copy;   // how large messages cross shared memory: "cma", "none"; or empty
    std::string algorithm;     // pinned, or the library's choice
    std::string link;          // file of the link model that calls were paced to; or empty
    double delay_percent = 0;  // by how much each call was made longer on purpose, to test a gate
    double unix_s = 0, mpi_init_s = 0, init_done_unix_s = 0, first_collective_s = 0;
};

struct RunRow {
    std::uint64_t bytes = 0, count = 0;
    std::string dtype, op;
    bool in_place = false;
    std::int64_t iterations = 0;
    std::int64_t wrong = 0;  // elements of checked results
    double min_us = 0, p50_us = 0, p95_us = 0, p99_us = 0, mad_us = 0, mean_us = 0;
    double algbw_GBps = 0, busbw_GBps = 0;
    double other_cpu_share = 0;  // of the machine's processor time while the row was measured, used
                                 // by other than the ranks: 0..1
    double infeasible_share = 0;  // of calls that took longer than the link model says: 0..1
    double target_us = 0;         // what the link model says; 0 without one
};

struct Run {
    RunFacts facts;
    std::vector<RunRow> rows;                                 // by size, ascending
    std::map<std::uint64_t, std::vector<double>> samples_us;  // by size; a size may have none
    std::int64_t wrong = 0;
    double seconds = 0;
    // Processor pressure ("some", /proc/pressure/cpu) just before the run, 0..1. The caller's to
    // set: during the run, ranks that outnumber the cores press by themselves.
    double pressure_share = 0;
};

// `name` begins each error: "flow-3.log:17: ...". Lines that do not start with {"allreduce" are
// other programs'. Errors: a line that starts so and is malformed, out of order or lacks a field;
// no run at all; a run without "end", which was cut off.
Result<Run> parse_run(std::string_view text, std::string_view name);

// Bus bandwidth of nccl-tests (doc/PERFORMANCE.md): algbw * 2 (n - 1) / n. 0 for one rank, which
// moves nothing. In-switch reduction and trees between two nodes may exceed a link's rate: it is a
// unit, not a bound.
double busbw_GBps(double algbw_GBps, int ranks);
// bytes per microsecond = MB/s, so / 1000 for GB/s; 0 when us is not above 0.
double algbw_GBps(std::uint64_t bytes, double us);

}  // namespace shed::measure
