#include "bench/allreduce/table.hpp"

#include <cstdarg>
#include <cstdio>

namespace allreduce {

namespace {

__attribute__((format(printf, 1, 2))) std::string formatted(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return text;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : between) + word;
    return all;
}

std::string hosts_text(const std::vector<Host>& hosts) {
    std::vector<std::string> words;
    for (const Host& host : hosts) words.push_back(host.name + " x " + std::to_string(host.ranks));
    return joined(words, ", ");
}

// nccl-tests' precision: as many digits as fit in a column of 7.
std::string time_text(double us) {
    if (us >= 10000) return formatted("%7.0f", us);
    if (us >= 1000) return formatted("%7.1f", us);
    return formatted("%7.2f", us);
}

}  // namespace

std::string table_head(const Options& options, const RunFacts& facts) {
    std::string head;
    head += "# allreduce: " + std::to_string(facts.ranks) + " ranks on " + hosts_text(facts.hosts) +
            "\n";
    head += "# backend " + name(options.backend) + ", " + facts.mpi + ", over " +
            joined(facts.transports, "+") + ", " + facts.algorithm + "\n";
    head += "# " + std::to_string(facts.cpus_allowed) + " of " + std::to_string(facts.cores) +
            " cores, binding: " + facts.binding +
            ", yield when idle: " + (facts.yield_when_idle ? "yes" : "no") + "\n";
    if (options.delay_percent > 0)
        head += formatted("# each call made %g %% longer (--delay)\n", options.delay_percent);
    head += options.timing == Timing::osu
                ? "# time: mean over calls and ranks\n"
                : "# time: median over calls of the slowest rank's time\n";
    head += formatted("#%65s\n", options.in_place ? "in-place" : "out-of-place");
    head += formatted("#%12s %13s %9s %7s %6s %7s %7s %7s %6s %7s %7s\n", "size", "count", "type",
                      "redop", "root", "time", "algbw", "busbw", "#wrong", "min", "p95");
    head += formatted("#%12s %13s %9s %7s %6s %7s %7s %7s %6s %7s %7s\n", "(B)", "(elements)", "",
                      "", "", "(us)", "(GB/s)", "(GB/s)", "", "(us)", "(us)");
    return head;
}

std::string table_row(const Row& row) {
    const Problem& problem = row.problem;
    const Summary us = row.summary();
    const Bandwidth speed =
        bandwidth(static_cast<double>(problem.bytes()), row.time_us(), problem.ranks);
    std::string line = formatted("%13zu %13zu %9s %7s %6d ", problem.bytes(), problem.count,
                                 std::string(facts(problem.dtype).short_name).c_str(),
                                 std::string(name(problem.op)).c_str(), -1);
    line += time_text(row.time_us());
    line += formatted(" %7.2f %7.2f %6zu ", speed.algorithm, speed.bus, row.wrong);
    line += time_text(us.min) + " " + time_text(us.p95);
    if (row.infeasible > 0)
        line += formatted("  # %.0f %% of calls slower than the link (%.1f us)",
                          row.infeasible * 100, row.target_us.value_or(0));
    return line + "\n";
}

std::string table_end(std::size_t wrong) {
    return "# Out of bounds values : " + std::to_string(wrong) +
           (wrong == 0 ? " OK\n" : " FAILED\n");
}

}  // namespace allreduce
