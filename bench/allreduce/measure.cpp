#include "bench/allreduce/measure.hpp"

#include "bench/allreduce/blocks.hpp"
#include "bench/allreduce/machine.hpp"

#include <algorithm>
#include <chrono>

namespace allreduce {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Numbers machines in order of their first rank.
int machine_number(const std::vector<std::string>& ids, int rank) {
    return static_cast<int>(std::find(ids.begin(), ids.end(), ids[static_cast<std::size_t>(rank)]) -
                            ids.begin());
}

class CpuMeter {
public:
    CpuMeter() : machine_start_(cpu_time_now()), own_start_s_(own_cpu_s()) {}

    double other_share(const Ranks& ranks, int machine) const {
        const CpuTime now = cpu_time_now();
        const CpuUse mine = {machine, now.busy_s - machine_start_.busy_s,
                             now.total_s - machine_start_.total_s, own_cpu_s() - own_start_s_};
        std::vector<CpuUse> all(static_cast<std::size_t>(ranks.size()));
        ranks.gather_bytes(&mine, all.data(), sizeof mine);
        return other_cpu_share(all);
    }

private:
    CpuTime machine_start_;
    double own_start_s_;
};

// Calls that could not be paced, of all that were, since it was made.
class InfeasibleMeter {
public:
    explicit InfeasibleMeter(const Pacing& pacing)
        : pacing_(pacing), calls_(pacing.calls()), infeasible_(pacing.infeasible()) {}

    double share(const Ranks& ranks) const {
        const auto totals = ranks.sum({static_cast<double>(pacing_.infeasible() - infeasible_),
                                       static_cast<double>(pacing_.calls() - calls_)});
        return totals[1] > 0 ? totals[0] / totals[1] : 0;
    }

private:
    const Pacing& pacing_;
    std::uint64_t calls_, infeasible_;
};

}  // namespace

Measurement::Measurement(const Options& options, const Ranks& ranks, const Pacing& pacing,
                         Backend& backend)
    : options_(options), ranks_(ranks), pacing_(pacing), backend_(backend) {
    machine_ = machine_number(ranks.gather(machine_id()), ranks.rank());
}

Row Measurement::measure(std::uint64_t bytes) {
    problem_ = {options_.dtype, options_.op, ranks_.size(), bytes / facts(options_.dtype).bytes,
                options_.in_place};
    ++seed_;
    backend_.allocate(problem_);
    scratch_.resize(problem_.bytes());
    fill_input(problem_, seed_, ranks_.rank(), scratch_.data());
    backend_.write_input(scratch_.data());
    if (!problem_.in_place) poison(problem_, scratch_.data());
    restore();
    warm_up();

    const CpuMeter cpu;
    const InfeasibleMeter infeasible(pacing_);
    std::vector<double> own_us = timed_calls();
    Row row;
    row.problem = problem_;
    row.timing = options_.timing;
    row.other_cpu_share = cpu.other_share(ranks_, machine_);
    row.infeasible = infeasible.share(ranks_);
    // Other backends make other calls, or none, of MPI.
    if (options_.backend == BackendKind::mpi)
        row.target_us = pacing_.target_us(problem_.ranks, problem_.bytes());
    row.samples_us = combined(std::move(own_us));
    const std::size_t wrong = wrong_in_output(seed_) + check_fresh_input();
    row.wrong = static_cast<std::size_t>(ranks_.sum(static_cast<double>(wrong)));
    row.extra = backend_.row_figures(problem_, row.time_us());
    return row;
}

// What a call leaves behind goes: in place, the input comes back (sums of sums would grow);
// otherwise the output is spoilt, so that a call that writes nothing is found.
void Measurement::restore() {
    if (problem_.in_place) backend_.write_input(scratch_.data());
    else backend_.write_output(scratch_.data());
}

void Measurement::warm_up() {
    const auto start = Clock::now();
    for (int i = 0; i < options_.warmup; ++i) {
        timed_call();
        if (ranks_.from_first(seconds_since(start) > options_.budget_s)) break;
    }
}

std::vector<double> Measurement::timed_calls() {
    std::vector<double> us;
    const auto start = Clock::now();
    for (;;) {
        const auto done = static_cast<int>(us.size());
        const int next = ranks_.from_first(
            next_block(done, seconds_since(start), options_.iterations, options_.budget_s));
        if (next == 0) return us;
        for (int i = 0; i < next; ++i) {
            // The block may be the last, and the last call is checked.
            if (i == next - 1) restore();
            us.push_back(timed_call());
        }
    }
}

double Measurement::timed_call() {
    ranks_.barrier();
    const auto start = Clock::now();
    backend_.all_reduce();
    if (options_.delay_percent > 0) {
        const auto until = start + (Clock::now() - start) * (1 + options_.delay_percent / 100);
        while (Clock::now() < until) continue;
    }
    return seconds_since(start) * 1e6;
}

std::vector<double> Measurement::combined(std::vector<double> own_us) const {
    if (options_.timing == Timing::slowest) return ranks_.max(std::move(own_us));
    std::vector<double> us = ranks_.sum(std::move(own_us));
    for (double& sample : us) sample /= ranks_.size();
    return us;
}

std::size_t Measurement::wrong_in_output(std::uint64_t seed) {
    backend_.read_output(scratch_.data());
    return count_wrong(problem_, seed, scratch_.data(), backend_.inexact_average());
}

// Another input, so that what an earlier call left in the output is wrong now.
std::size_t Measurement::check_fresh_input() {
    ++seed_;
    fill_input(problem_, seed_, ranks_.rank(), scratch_.data());
    backend_.write_input(scratch_.data());
    ranks_.barrier();
    backend_.all_reduce();
    return wrong_in_output(seed_);
}

}  // namespace allreduce
