#include "bench/allreduce/options.hpp"

#include "bench/allreduce/units.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

namespace allreduce {

namespace {

constexpr std::array<const char*, 4> backends = {"mpi", "cuda-host", "cuda-ipc", "nccl"};
constexpr std::array<const char*, 2> timings = {"slowest", "osu"};

// As typed; what needs a look at several options is read afterwards.
struct Typed {
    std::string min = "8", max = "64M", step;
    std::vector<std::string> sizes;
    std::uint64_t factor = 2;
    std::string dtype = "float32", op = "sum", backend = "mpi", timing = "slowest";
    bool out_of_place = false;
};

std::uint64_t size_of(const char* option, const std::string& text) {
    const auto bytes = parse_size(text);
    if (!bytes)
        throw CLI::ValidationError(
            option, "'" + text + "' is not a size: bytes, or a number with K, M or G");
    return *bytes;
}

// Whole elements, as nccl-tests rounds sizes down.
std::uint64_t whole_elements(const char* option, std::uint64_t bytes, Dtype dtype) {
    const std::size_t element = facts(dtype).bytes;
    const std::string element_text =
        std::string(facts(dtype).name) + " (" + std::to_string(element) + " bytes)";
    if (bytes < element)
        throw CLI::ValidationError(option, size_text(bytes) + " is less than one " + element_text);
    // MPI counts elements in an int.
    if (bytes / element > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
        throw CLI::ValidationError(
            option, size_text(bytes) + " is more than 2147483647 of " + element_text);
    return bytes - bytes % element;
}

std::vector<std::uint64_t> sizes_of(const Typed& typed, Dtype dtype) {
    std::vector<std::uint64_t> sizes;
    if (!typed.sizes.empty()) {
        for (const std::string& text : typed.sizes)
            sizes.push_back(whole_elements("--sizes", size_of("--sizes", text), dtype));
        return sizes;
    }
    const std::uint64_t min = size_of("--min", typed.min);
    const std::uint64_t max = size_of("--max", typed.max);
    whole_elements("--min", min, dtype);
    whole_elements("--max", max, dtype);
    const std::uint64_t step = typed.step.empty() ? 0 : size_of("--step", typed.step);
    if (max < min)
        throw CLI::ValidationError("--max", typed.max + " is less than --min " + typed.min);
    for (const std::uint64_t size : sweep(min, max, typed.factor, step)) {
        const std::uint64_t whole = whole_elements("--step", size, dtype);
        if (sizes.empty() || sizes.back() != whole) sizes.push_back(whole);
    }
    return sizes;
}

void add_sizes(CLI::App& app, Typed& typed) {
    auto* min = app.add_option("--min", typed.min, "Smallest size: bytes, or with K, M or G")
                    ->capture_default_str();
    auto* max = app.add_option("--max", typed.max, "Largest size")->capture_default_str();
    auto* factor =
        app.add_option("--factor", typed.factor, "Each size is the one before times this")
            ->check(CLI::Range(std::uint64_t{2}, std::uint64_t{1} << 30))
            ->capture_default_str();
    auto* step =
        app.add_option("--step", typed.step, "... or plus this many bytes")->excludes(factor);
    app.add_option("--sizes", typed.sizes, "These sizes instead: 1K,64K,1M")
        ->delimiter(',')
        ->excludes(min)
        ->excludes(max)
        ->excludes(factor)
        ->excludes(step);
}

void add_work(CLI::App& app, Typed& typed, Options& options) {
    app.add_option("--dtype", typed.dtype, "Element type")
        ->check(CLI::IsMember({"float32", "float16", "bfloat16", "float64", "int32"}))
        ->capture_default_str();
    app.add_option("--op", typed.op, "Operation")
        ->check(CLI::IsMember({"sum", "max", "avg"}))
        ->capture_default_str();
    auto* in_place = app.add_flag("--in-place", options.in_place, "Results replace the inputs");
    app.add_flag("--out-of-place", typed.out_of_place,
                 "Results go to memory of their own (the default)")
        ->excludes(in_place);
    app.add_option("--backend", typed.backend, "What reduces")
        ->check(CLI::IsMember(std::vector<std::string>(backends.begin(), backends.end())))
        ->capture_default_str();
}

void add_timing(CLI::App& app, Typed& typed, Options& options) {
    app.add_option("--warmup", options.warmup, "Calls per size before the measured ones")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    app.add_option("--iterations", options.iterations, "Measured calls per size, at most")
        ->check(CLI::Range(1, 10'000'000))
        ->capture_default_str();
    app.add_option("--budget", options.budget_s, "Seconds per size, but at least 5 measured calls")
        ->check(CLI::Range(0.001, 86400.0))
        ->capture_default_str();
    app.add_option("--timing", typed.timing,
                   "A sample is the slowest rank's time, or the ranks' mean as OSU has it")
        ->check(CLI::IsMember(std::vector<std::string>(timings.begin(), timings.end())))
        ->capture_default_str();
    app.add_option("--delay", options.delay_percent,
                   "Make each call this many percent longer, to test a gate")
        ->check(CLI::Range(0.0, 10000.0))
        ->capture_default_str();
}

template <class Enum, std::size_t N>
Enum chosen(const std::array<const char*, N>& names, const std::string& text) {
    return static_cast<Enum>(std::find(names.begin(), names.end(), text) - names.begin());
}

}  // namespace

std::variant<Options, Ending> parse_options(int argc, const char* const* argv) {
    CLI::App app("All-reduce between MPI ranks: time and bandwidth by size, every result verified.",
                 "allreduce");
    Typed typed;
    Options options;
    add_sizes(app, typed);
    add_work(app, typed, options);
    add_timing(app, typed, options);
    app.add_flag("--json", options.json, "Machine-readable lines on standard output, too");
    app.add_flag("--quiet", options.quiet, "No table");
    app.footer(
        "Exit codes: 0 all results right, 1 wrong results, 2 usage, 77 no such device here.");
    try {
        app.parse(argc, argv);
        options.dtype = *find_dtype(typed.dtype);
        options.op = *find_op(typed.op);
        options.backend = chosen<BackendKind>(backends, typed.backend);
        options.timing = chosen<Timing>(timings, typed.timing);
        options.sizes = sizes_of(typed, options.dtype);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out, err;
        const bool mistake = app.exit(error, out, err) != 0;
        return Ending{mistake ? 2 : 0, out.str() + err.str()};
    }
    return options;
}

std::string name(BackendKind kind) { return backends[static_cast<std::size_t>(kind)]; }
std::string name(Timing timing) { return timings[static_cast<std::size_t>(timing)]; }

}  // namespace allreduce
