#pragma once
// Runs made up for tests.
#include "fakes/base/rng.hpp"
#include "simulator/measure/run.hpp"

#include <string>
#include <vector>

namespace shed::measure::samples {

// A run of 4 ranks on two hosts; each size of `bytes` takes `p50_us(bytes)`.
template <class P50>
Run run(const std::vector<std::uint64_t>& bytes, P50 p50_us) {
    Run run;
    run.facts.ranks = 4;
    run.facts.hosts = {{"node-0", 2}, {"node-1", 2}};
    run.facts.backend = "mpi";
    run.facts.dtype = "float32";
    run.facts.op = "sum";
    run.facts.timing = "slowest";
    run.facts.mpi = "Open MPI v4.1.4";
    run.facts.transports = {"tcp"};
    run.facts.yield_when_idle = true;
    run.facts.binding = "none";
    run.facts.cores = 2;
    run.facts.unix_s = 1'700'000'000;
    run.facts.mpi_init_s = 0.2;
    run.facts.init_done_unix_s = run.facts.unix_s + 0.3;
    run.facts.first_collective_s = 0.01;
    run.seconds = 2;
    for (const std::uint64_t size : bytes) {
        RunRow row;
        row.bytes = size;
        row.count = size / 4;
        row.dtype = "float32";
        row.op = "sum";
        row.iterations = 100;
        row.p50_us = p50_us(size);
        row.min_us = row.p50_us * 0.9;
        row.p95_us = row.p50_us * 1.2;
        row.p99_us = row.p50_us * 1.5;
        row.mad_us = row.p50_us * 0.05;
        row.mean_us = row.p50_us * 1.1;
        row.algbw_GBps = algbw_GBps(size, row.p50_us);
        row.busbw_GBps = busbw_GBps(row.algbw_GBps, run.facts.ranks);
        run.rows.push_back(row);
        for (int i = 0; i < 11; ++i) run.samples_us[size].push_back(row.p50_us * (0.9 + 0.02 * i));
    }
    return run;
}

// Uniform in [0, 1).
inline double uniform(Rng& rng) { return static_cast<double>(rng.next() >> 11) * 0x1.0p-53; }

// Standard normal, near enough: Irwin and Hall's sum of 12 uniforms.
inline double normal(Rng& rng) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform(rng);
    return sum;
}

}  // namespace shed::measure::samples
