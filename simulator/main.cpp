// The command line: parse into options, run one command, return its exit code.
#include "fakes/base/log.hpp"
#include "simulator/bench/command_line.hpp"
#include "simulator/commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include <numeric>

namespace shed {
namespace {

constexpr const char* about =
    "Trainshed runs Kubeflow TrainJobs on this machine: a local Kubernetes API, real processes for pods.\n"
    "Examples:\n"
    "  trainshed run job.yaml            a cluster, the job, its log, its exit code\n"
    "  trainshed render job.yaml         the objects it becomes, nothing run\n"
    "  trainshed up -d                   a cluster in the background\n"
    "  eval \"$(trainshed kubeconfig --export)\"   point kubectl and the SDK at it\n"
    "  trainshed logs JOB -f             the job's log as it is written\n"
    "  trainshed why JOB                 why it failed, or what it waits for\n"
    "  trainshed bench allreduce --floor   all-reduce by a TrainJob, beside bare mpirun\n"
    "  trainshed down                    and nothing is left\n";

struct CommandLine {
    CLI::App app{about, "trainshed"};
    CommonOptions common;
    UpOptions up;
    RunOptions run;
    RenderOptions render;
    LogsOptions logs;
    WhyOptions why;
    bench::CommandLine bench;
    std::string environment, image, shell, store_file;
    bool export_line = false;
    int verbosity = 0;
    std::function<int()> action;
};

void add_name(CommandLine& line, CLI::App* command) {
    command->add_option("--name", line.common.name, "The cluster's name")->capture_default_str();
}

void add_output(CommandLine& line, CLI::App* command) {
    command->add_option("-o,--output", line.common.output, "Form of the output: json")
        ->check(CLI::IsMember({"json"}));
}

void add_topology(CLI::App* command, UpOptions& up) {
    command->add_option("--nodes", up.nodes, "Number of nodes")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    CLI::Option* fake =
        command->add_option("--fake-gpus", up.fake_gpus,
                            "Exactly so many nvidia.com/gpu on each node (default: the real ones, at least 8)")
            ->check(CLI::Range(0, 1'000));
    CLI::Option* share =
        command->add_option("--gpu-share", up.gpu_share,
                            "Count each real GPU so many times, and lend it to no more pods at once; nodes divide them")
            ->check(CLI::Range(1, 64))
            ->excludes(fake);
    command->add_flag_callback("--strict-gpus", [&up] { up.gpu_share = 1; }, "The same as --gpu-share 1")
        ->excludes(fake)
        ->excludes(share);
    command->add_flag("--strict-resources", up.strict_resources,
                      "Advertise this machine's cpu and memory, not more");
    command->add_flag("--faithful-timing", up.faithful_timing,
                      "Keep the real cluster's probe delays and batching");
    command->add_flag("--allow-host-namespaces", up.allow_host_namespaces,
                      "Let pods ask for hostPID and hostIPC: they then see the processes of all pods");
    command->add_option("--time-scale", up.time_scale, "Run control-plane time so many times faster")
        ->check(CLI::Range(0.01, 10'000.0))
        ->capture_default_str();
    command->add_option("--pod-pids-limit", up.pod_pids_limit, "The most processes of a pod")
        ->check(CLI::Range(16, 4'194'304))
        ->capture_default_str();
    command->add_option("--port", up.port, "Port of the API server on 127.0.0.1 (default: a free one)");
    command->add_option("--mount", up.mounts,
                        "Show pods a directory or file of this machine: HOST[:POD[:ro|rw]], read-only unless rw; "
                        "repeatable")
        ->allow_extra_args(false);
    command->add_option("--allow-host-path", up.allowed_host_paths,
                        "Let pods mount this directory of this machine, and what is below it, by hostPath volumes: "
                        "PREFIX[:ro|rw], read-only unless rw; repeatable")
        ->allow_extra_args(false);
    command->add_flag("!--no-share-caches", up.share_caches,
                      "Do not show pods this machine's caches of Hugging Face and MLX Data");
}

void add_up(CommandLine& line) {
    CLI::App* up = line.app.add_subcommand("up", "Start a cluster; Ctrl-C ends it and leaves nothing");
    up->footer("Example: trainshed up -d --nodes 3 --fake-gpus 1");
    add_name(line, up);
    add_topology(up, line.up);
    up->add_flag("-d,--detach", line.up.detach, "Return once it is ready; end it with trainshed down");
    up->add_option("--store", line.up.store,
                   "Where the cluster's state is: memory, or a FILE that outlives it (default: memory; with -d a "
                   "file of the cluster's, which trainshed down removes)");
    up->add_option("--ready-fd", line.up.ready_descriptor)->group("");
    up->add_option("--lock-fd", line.up.lock_descriptor)->group("");
    up->callback([&line] {
        line.action = [&line] {
            line.up.common = line.common;
            return command_up(line.up);
        };
    });
}

void add_run(CommandLine& line) {
    CLI::App* run = line.app.add_subcommand(
        "run", "Run a manifest on a cluster of its own: live log, the job's exit code, nothing left");
    run->footer("Example: trainshed run scenarios/guide/mlx3.yaml --timeout 60");
    add_name(line, run);
    add_topology(run, line.run.up);
    run->add_option("FILE", line.run.file, "Manifest with a TrainJob, JobSet, Job or Pod; - for stdin")
        ->required();
    run->add_option("--timeout", line.run.timeout_seconds, "Give up after so many seconds (exit 5)");
    run->callback([&line] {
        line.action = [&line] {
            line.run.up.common = line.common;
            return command_run(line.run);
        };
    });
}

void add_render(CommandLine& line) {
    CLI::App* render = line.app.add_subcommand(
        "render", "Print the JobSet, Jobs, Pods and what else a manifest becomes, without running it");
    render->footer("Example: trainshed render scenarios/guide/mlx3.yaml | less");
    add_output(line, render);
    render->add_option("FILE", line.render.file, "Manifest; - for stdin")->required();
    render->callback([&line] {
        line.action = [&line] {
            line.render.common = line.common;
            return command_render(line.render);
        };
    });
}

void add_logs(CommandLine& line) {
    CLI::App* logs = line.app.add_subcommand("logs", "Print a TrainJob's log");
    logs->footer("Example: trainshed logs my-job -f");
    add_name(line, logs);
    logs->add_option("JOB", line.logs.job, "Name of the TrainJob")->required();
    logs->add_option("-n,--namespace", line.logs.ns, "Namespace")->capture_default_str();
    logs->add_option("--step", line.logs.step, "node-0 is the launcher of an MPI job")
        ->capture_default_str();
    logs->add_flag("-f,--follow", line.logs.follow, "Go on until the container ends");
    logs->add_flag("--previous", line.logs.previous, "Of the step's attempt before");
    logs->add_option("--attempt", line.logs.attempt,
                     "Of the step's attempt N, from 1, over all its restarts and pods");
    logs->add_flag("--timestamps", line.logs.timestamps, "Begin each line with its time");
    logs->add_option("--tail", line.logs.tail, "Only the last so many lines");
    logs->callback([&line] {
        line.action = [&line] {
            line.logs.common = line.common;
            return command_logs(line.logs);
        };
    });
}

void add_why(CommandLine& line) {
    CLI::App* why = line.app.add_subcommand("why", "Why a TrainJob failed or waits: the chain, and the first cause");
    why->footer("Example: trainshed why my-job");
    add_name(line, why);
    add_output(line, why);
    why->add_option("JOB", line.why.job, "Name of the TrainJob")->required();
    why->add_option("-n,--namespace", line.why.ns, "Namespace")->capture_default_str();
    why->callback([&line] {
        line.action = [&line] {
            line.why.common = line.common;
            return command_why(line.why);
        };
    });
}

void add_image(CommandLine& line) {
    CLI::App* image = line.app.add_subcommand("image", "The local environments that stand for images");
    image->require_subcommand(1);
    CLI::App* build = image->add_subcommand("build", "Make an environment once, from PyPI");
    build->footer("Example: trainshed image build mlx");
    build->add_option("ENVIRONMENT", line.environment, "Its name, such as mlx")->required();
    build->callback([&line] {
        line.action = [&line] { return command_image_build(line.common, line.environment); };
    });
    CLI::App* list = image->add_subcommand("list", "Image name patterns and their environments");
    add_output(line, list);
    list->callback([&line] { line.action = [&line] { return command_image_list(line.common); }; });
    CLI::App* inspect = image->add_subcommand("inspect", "What an image name resolves to");
    add_output(line, inspect);
    inspect->add_option("IMAGE", line.image, "Such as ghcr.io/kubeflow/trainer/mlx-runtime")->required();
    inspect->callback([&line] {
        line.action = [&line] { return command_image_inspect(line.common, line.image); };
    });
}

void add_store(CommandLine& line) {
    CLI::App* store = line.app.add_subcommand("store", "The file of a durable cluster (up --store)");
    store->require_subcommand(1);
    CLI::App* check = store->add_subcommand("check", "Read all of it and say whether it is whole");
    check->footer("Example: trainshed store check state.db");
    check->add_option("FILE", line.store_file, "The store")->required();
    add_output(line, check);
    check->callback([&line] { line.action = [&line] { return command_store_check(line.common, line.store_file); }; });
    CLI::App* repair = store->add_subcommand("repair", "Save what is whole into a new file; the old one stays beside it");
    repair->footer("Example: trainshed store repair state.db");
    repair->add_option("FILE", line.store_file, "The store")->required();
    repair->callback(
        [&line] { line.action = [&line] { return command_store_repair(line.common, line.store_file); }; });
}

void add_small(CommandLine& line) {
    CLI::App* down = line.app.add_subcommand("down", "End a cluster; returns when nothing is left");
    add_name(line, down);
    down->callback([&line] { line.action = [&line] { return command_down(line.common); }; });

    CLI::App* status = line.app.add_subcommand("status", "The running clusters, or one of them");
    add_name(line, status);
    add_output(line, status);
    status->callback([&line, status] {
        line.action = [&line, status] {
            return command_status(line.common, status->get_option("--name")->count() > 0);
        };
    });

    CLI::App* kubeconfig = line.app.add_subcommand("kubeconfig", "Print the kubeconfig");
    add_name(line, kubeconfig);
    kubeconfig->add_flag("--export", line.export_line, "Print a line for the shell: export KUBECONFIG=...");
    kubeconfig->callback([&line] {
        line.action = [&line] {
            if (line.export_line) line.common.output = "export";
            return command_kubeconfig(line.common);
        };
    });

    CLI::App* doctor = line.app.add_subcommand("doctor", "What this machine can do, and how to mend the rest");
    add_output(line, doctor);
    doctor->callback([&line] { line.action = [&line] { return command_doctor(line.common); }; });

    CLI::App* version = line.app.add_subcommand("version", "Versions of this program and of what it stands for");
    add_output(line, version);
    version->callback([&line] { line.action = [&line] { return command_version(line.common); }; });

    CLI::App* completion = line.app.add_subcommand("completion", "Print completion for a shell");
    completion->footer("Example: source <(trainshed completion bash)");
    completion->add_option("SHELL", line.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    completion->callback([&line] { line.action = [&line] { return command_completion(line.shell); }; });
}

int edit_distance(const std::string& a, const std::string& b) {
    std::vector<int> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

// CLI11 only says that a command is missing. True when a word stands where a command should.
bool said_unknown_command(const CommandLine& line, int argc, char** argv) {
    if (argc < 2 || argv[1][0] == '-') return false;
    const std::string word = argv[1];
    std::string nearest;
    int least = 3;
    for (const CLI::App* command : line.app.get_subcommands({})) {
        if (command->get_name() == word) return false;
        const int distance = edit_distance(word, command->get_name());
        if (distance < least) nearest = command->get_name(), least = distance;
    }
    const std::string meant = nearest.empty() ? "" : "did you mean " + nearest + "? ";
    Terminal().error("there is no command \"" + word + "\"", meant + "trainshed --help lists all");
    return true;
}

int run_program(int argc, char** argv) {
    // A peer that closes its connection is no reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    CommandLine line;
    line.app.require_subcommand(1);
    line.app.fallthrough();
    line.app.add_flag("--plain", line.common.plain, "No colours, no symbols");
    line.app.add_flag("-q,--quiet", line.common.quiet, "Only warnings and errors");
    line.app.add_flag("-v,--verbose", line.verbosity, "Log what happens; twice for everything");
    add_up(line);
    add_run(line);
    add_render(line);
    add_logs(line);
    add_why(line);
    add_small(line);
    add_image(line);
    add_store(line);
    bench::add_bench(line.app, line.bench, line.common, line.action);
    if (said_unknown_command(line, argc, argv)) return exit_usage;
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return line.app.exit(e) == 0 ? exit_ok : exit_usage;
    }
    if (line.verbosity > 0) set_log_level(line.verbosity > 1 ? LogLevel::debug : LogLevel::info);
    return line.action();
}

}  // namespace
}  // namespace shed

int main(int argc, char** argv) try {
    return shed::run_program(argc, argv);
} catch (const std::exception& e) {
    std::cerr << "error: " << e.what() << "\nhint: this is a mistake in trainshed; please report it\n";
    return shed::exit_bug;
}
