// All-reduce between MPI ranks, measured and verified. See README.md.
#include "bench/allreduce/lines.hpp"
#include "bench/allreduce/machine.hpp"
#include "bench/allreduce/measure.hpp"
#include "bench/allreduce/run_facts.hpp"
#include "bench/allreduce/table.hpp"

#include <mpi.h>
#include <chrono>
#include <cstdio>
#include <functional>
#include <variant>

namespace allreduce {

namespace {

enum ExitCode { all_right = 0, wrong_results = 1, no_device = 77, bug = 70 };

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

Start start_mpi(double main_unix_s, int& argc, char**& argv) {
    Start start;
    start.unix_s = main_unix_s;
    auto since = std::chrono::steady_clock::now();
    MPI_Init(&argc, &argv);
    start.mpi_init_s = seconds_since(since);
    start.init_done_unix_s = unix_time_s();
    // Connections are made at first use.
    since = std::chrono::steady_clock::now();
    Ranks().sum(1.0);
    start.first_collective_s = seconds_since(since);
    return start;
}

class Report {
public:
    Report(const Options& options, bool first)
        : table_(first && !options.quiet), json_(first && options.json) {}

    void head(const Options& options, const RunFacts& facts) const {
        if (json_) print(run_line(options, facts) + "\n");
        if (table_) print(table_head(options, facts));
    }
    void row(const Row& row) const {
        if (table_) print(table_row(row));
        if (!json_) return;
        print(row_line(row) + "\n");
        for (const std::string& line : sample_lines(row)) print(line + "\n");
    }
    void end(std::size_t wrong, double seconds) const {
        if (table_) print(table_end(wrong));
        if (json_) print(end_line(wrong, seconds) + "\n");
    }

private:
    bool table_, json_;
};

int run(const Options& options, const Start& start, int argc, const char* const* argv) {
    const auto since = std::chrono::steady_clock::now();
    const Ranks ranks;
    const Pacing pacing;
    const auto backend = make_backend(options.backend, ranks);
    RunFacts facts = gather_facts(ranks, start, argc, argv);
    facts.algorithm = backend->algorithm();
    facts.extra = backend->run_figures();
    if (!pacing.link().empty()) facts.extra["link"] = pacing.link();
    const Report report(options, ranks.rank() == 0);
    report.head(options, facts);
    Measurement measurement(options, ranks, pacing, *backend);
    std::size_t wrong = 0;
    for (const std::uint64_t bytes : options.sizes) {
        const Row row = measurement.measure(bytes);
        wrong += row.wrong;
        report.row(row);
    }
    report.end(wrong, seconds_since(since));
    return wrong == 0 ? all_right : wrong_results;
}

// Ranks with different command lines would wait for each other for ever. Names of the program may
// differ.
bool same_options(const Ranks& ranks, int argc, const char* const* argv) {
    std::string words;
    for (int i = 1; i < argc; ++i) words += argv[i] + std::string(1, '\0');
    const auto mine =
        static_cast<double>(static_cast<std::uint32_t>(std::hash<std::string>{}(words)));
    return !ranks.any(ranks.max(mine) != mine);
}

// All ranks end together, so that no launcher kills the one that speaks.
int end_early(const Ending& ending) {
    if (Ranks().rank() == 0) std::fputs(ending.text.c_str(), ending.code == 0 ? stdout : stderr);
    return ending.code;
}

int run_with(const std::variant<Options, Ending>& parsed, const Start& start, int argc,
             const char* const* argv) {
    if (!same_options(Ranks(), argc, argv))
        return end_early({2, "allreduce: ranks were given different options\n"});
    if (const auto* ending = std::get_if<Ending>(&parsed)) return end_early(*ending);
    return run(std::get<Options>(parsed), start, argc, argv);
}

// Unavailable comes to all ranks; anything else may come to one, and the others must not wait for
// it.
int run_to_exit_code(const std::variant<Options, Ending>& parsed, const Start& start, int argc,
                     const char* const* argv) {
    try {
        return run_with(parsed, start, argc, argv);
    } catch (const Unavailable& reason) {
        if (Ranks().rank() == 0) std::fprintf(stderr, "allreduce: SKIPPED: %s\n", reason.what());
        return no_device;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "allreduce: rank %d: %s\n", Ranks().rank(), error.what());
        MPI_Abort(MPI_COMM_WORLD, bug);
        return bug;
    }
}

}  // namespace

}  // namespace allreduce

int main(int argc, char** argv) {
    using namespace allreduce;
    const double main_unix_s = unix_time_s();
    const auto parsed = parse_options(argc, argv);
    const Start start = start_mpi(main_unix_s, argc, argv);
    const int code = run_to_exit_code(parsed, start, argc, argv);
    MPI_Finalize();
    return code;
}
