#include "simulator/bench/command_line.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace shed::bench {

namespace {

void add_output(CLI::App* command, std::string& output) {
    command->add_option("-o,--output", output, "Form of the output: json")->check(CLI::IsMember({"json"}));
}

void add_what(CLI::App* command, AllReduceOptions& options) {
    command->add_option("--nodes", options.nodes, "Number of nodes, the launcher's among them")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    command->add_option("--slots", options.slots, "Ranks on each node")->check(CLI::Range(1, 1'000))->capture_default_str();
    command->add_option("--backend", options.backend, "What reduces: mpi, mlx, cuda-host, cuda-ipc or nccl")
        ->check(CLI::IsMember({"mpi", "mlx", "cuda-host", "cuda-ipc", "nccl"}))
        ->capture_default_str();
    command->add_option("--transport", options.transport,
                        "veth: a pod for each node, TCP between them; shm: one pod with all ranks, shared memory")
        ->check(CLI::IsMember({"veth", "shm"}))
        ->capture_default_str();
    command->add_option("--link", options.link, "Pace collectives to the link model in this file (YAML)")
        ->check(CLI::ExistingFile);
    command->add_flag("--floor", options.floor, "Run the same by bare mpirun, too, in turns with the flow");
    command->add_option("--repeats", options.repeats, "Runs of each side")->check(CLI::Range(1, 10'000))->capture_default_str();
}

void add_program_words(CLI::App* command, AllReduceOptions& options) {
    command->add_option("--min", options.min, "Smallest size: bytes, or with K, M, G")->capture_default_str();
    command->add_option("--max", options.max, "Largest size")->capture_default_str();
    command->add_option("--factor", options.factor, "Each size is the one before times this")
        ->check(CLI::Range(2, 1'024))
        ->capture_default_str();
    command->add_option("--sizes", options.sizes, "Just these: 1K,64K,1M");
    command->add_option("--dtype", options.dtype, "float32, float16, bfloat16, float64 or int32")
        ->check(CLI::IsMember({"float32", "float16", "bfloat16", "float64", "int32"}))
        ->capture_default_str();
    command->add_option("--op", options.op, "sum, max or avg")
        ->check(CLI::IsMember({"sum", "max", "avg"}))
        ->capture_default_str();
    command->add_flag("--in-place", options.in_place, "Reduce in the input's buffer");
    command->add_option("--timing", options.timing, "slowest: the slowest rank's time; osu: as OSU's osu_allreduce")
        ->check(CLI::IsMember({"slowest", "osu"}))
        ->capture_default_str();
    command->add_option("--budget", options.budget_s, "Seconds for each size of a run")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_option("--iterations", options.iterations, "At most so many calls of each size")->check(CLI::PositiveNumber);
    command->add_option("--warmup", options.warmup, "Calls of each size that do not count")->check(CLI::NonNegativeNumber);
    command->add_option("--flow-delay", options.flow_delay_percent,
                        "Slow the flow's calls alone by so many percent, to see that it shows")
        ->check(CLI::Range(0.0, 1'000.0));
    command->add_option("--timeout", options.timeout_s, "Seconds for one run (exit 5)")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
}

void add_results(CLI::App* command, AllReduceOptions& options) {
    command->add_option("--save", options.save, "Write the result to this file, for --baseline and compare");
    command->add_option("--baseline", options.baseline, "Compare with this result; a regression exits with 1")
        ->check(CLI::ExistingFile);
    command->add_option("--history", options.history, "Append the result to this file of JSON lines");
    command->add_option("--report", options.report, "Write one HTML file with all of it");
    command->add_option("--junit", options.junit, "Write the verdicts as JUnit XML");
    command->add_option("--csv", options.csv, "Write the rows as CSV");
    command->add_option("--google-benchmark", options.google_benchmark, "Write Google Benchmark's JSON");
    command->add_option("--predict", options.predict,
                        "Predict a larger cluster's times: ranks=64,latency_us=5,bandwidth_gbps=100");
}

void add_allreduce(CLI::App* bench, CommandLine& line, CommonOptions& common, std::function<int()>& action) {
    CLI::App* command = bench->add_subcommand(
        "allreduce", "All-reduce by a TrainJob on a cluster of its own: times by size, beside bare mpirun with --floor");
    command->footer("Examples: trainshed bench allreduce --nodes 4 --floor\n"
                    "          trainshed bench allreduce --sizes 8,64K,4M --save base.json");
    command->add_option("--name", common.name, "The cluster's name (default: bench- and the process's number)");
    add_output(command, common.output);
    add_what(command, line.allreduce);
    add_program_words(command, line.allreduce);
    add_results(command, line.allreduce);
    command->callback([&line, &common, &action] {
        action = [&line, &common] {
            line.allreduce.common = common;
            return command_allreduce(line.allreduce);
        };
    });
}

void add_compare(CLI::App* bench, CommandLine& line, CommonOptions& common, std::function<int()>& action) {
    CLI::App* command = bench->add_subcommand(
        "compare", "Compare two results, ours or Google Benchmark's; exits with 1 when B is slower than A");
    command->footer("Example: trainshed bench compare base.json now.json --junit out.xml");
    command->add_option("A", line.compare.a, "The reference")->required()->check(CLI::ExistingFile);
    command->add_option("B", line.compare.b, "What is judged")->required()->check(CLI::ExistingFile);
    add_output(command, common.output);
    command->add_option("--report", line.compare.report, "Write one HTML file with both");
    command->add_option("--junit", line.compare.junit, "Write the verdicts as JUnit XML");
    command->callback([&line, &common, &action] {
        action = [&line, &common] {
            line.compare.common = common;
            return command_compare(line.compare);
        };
    });
}

void add_history(CLI::App* bench, CommandLine& line, CommonOptions& common, std::function<int()>& action) {
    CLI::App* command = bench->add_subcommand("history", "How results of this machine went over time");
    command->footer("Example: trainshed bench history allreduce.jsonl");
    command->add_option("FILE", line.history.file, "Written by bench allreduce --history")
        ->required()
        ->check(CLI::ExistingFile);
    add_output(command, common.output);
    command->callback([&line, &common, &action] {
        action = [&line, &common] {
            line.history.common = common;
            return command_history(line.history);
        };
    });
}

}  // namespace

void add_bench(CLI::App& app, CommandLine& line, CommonOptions& common, std::function<int()>& action) {
    CLI::App* bench = app.add_subcommand("bench", "Measure, and compare what was measured");
    bench->require_subcommand(1);
    add_allreduce(bench, line, common, action);
    add_compare(bench, line, common, action);
    add_history(bench, line, common, action);
}

}  // namespace shed::bench
