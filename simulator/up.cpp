// `up`: a cluster owned by this process, or by a copy of it in the background.
#include "fakes/images/images.hpp"
#include "simulator/cluster.hpp"
#include "simulator/commands.hpp"
#include "simulator/mounts.hpp"
#include "simulator/owner.hpp"
#include "simulator/paths.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

extern char** environ;
namespace asio = boost::asio;

namespace shed {

namespace {

// What a detached child tells its parent, one line each: `ok STAGE\tTEXT`, `ready`, `error CODE\tMESSAGE`.
void tell(int descriptor, const std::string& line) {
    if (descriptor < 0) return;
    const std::string text = line + "\n";
    if (::write(descriptor, text.data(), text.size()) < 0) ::close(descriptor);
}

void print_facts(const Terminal& terminal, const ClusterPaths& paths, const ClusterFacts& facts) {
    terminal.ok("isolation", facts.isolation);
    if (!facts.gpus.empty()) terminal.ok("gpus", facts.gpus);
    if (!facts.resources.empty()) terminal.ok("resources", facts.resources);
    if (!facts.egress.empty()) terminal.ok("network", facts.egress);
    if (!facts.store.empty()) terminal.ok("store", facts.store);
    for (const std::string& mount : facts.mounts) terminal.ok("mount", mount);
    terminal.note("");
    terminal.note("export KUBECONFIG=" + paths.kubeconfig);
}

int own_cluster(const UpOptions& options, const ClusterPaths& paths, std::vector<HostMount> mounts) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const int pipe = options.ready_descriptor;
    OwnedCluster owned(options, paths, std::move(mounts));
    const auto fail = [&](const Error& error) {
        const int code = owned.signal_number() != 0 ? exit_by_signal(owned.signal_number()) : report(terminal, error);
        tell(pipe, "error " + std::to_string(code) + "\t" + error.message);
        return code;
    };
    const auto started = owned.start([&](const std::string& stage, const std::string& text) {
        terminal.ok(stage, text);
        tell(pipe, "ok " + stage + "\t" + text);
    });
    if (!started) return fail(started.error());
    if (pipe < 0) print_facts(terminal, paths, *started);
    else {
        tell(pipe, "ok isolation\t" + started->isolation);
        if (!started->gpus.empty()) tell(pipe, "ok gpus\t" + started->gpus);
        if (!started->resources.empty()) tell(pipe, "ok resources\t" + started->resources);
        if (!started->egress.empty()) tell(pipe, "ok network\t" + started->egress);
        if (!started->store.empty()) tell(pipe, "ok store\t" + started->store);
        for (const std::string& mount : started->mounts) tell(pipe, "ok mount\t" + mount);
    }
    tell(pipe, "ready");
    if (pipe >= 0) ::close(pipe);
    else terminal.note("Ctrl-C ends the cluster");
    const int signal_number = owned.wait_for_signal();
    const bool ended_by_down = ::access(paths.ending.c_str(), F_OK) == 0;
    terminal.note("");
    terminal.note("ending cluster " + paths.name);
    owned.stop();
    return pipe < 0 && !ended_by_down ? exit_by_signal(signal_number) : exit_ok;
}

// Starts `trainshed up --ready-fd N ...` in a session of its own, its output in the cluster's log
// file. It gets the lock, too: were that free for a moment, another trainshed could sweep the
// directory.
Result<pid_t> start_detached(const UpOptions& options, const ClusterPaths& paths, int pipe,
                             const OwnerLock& lock) {
    const auto log = open_log(paths);
    if (!log) return log.error();
    std::vector<std::string> words = {"trainshed", "up", "--name", paths.name, "--plain",
                                      "--ready-fd", std::to_string(pipe),
                                      "--lock-fd", std::to_string(lock.descriptor()),
                                      "--nodes", std::to_string(options.nodes),
                                      "--time-scale", std::to_string(options.time_scale),
                                      "--pod-pids-limit", std::to_string(options.pod_pids_limit),
                                      "--port", std::to_string(options.port),
                                      "--store", options.store};
    if (options.fake_gpus) words.insert(words.end(), {"--fake-gpus", std::to_string(*options.fake_gpus)});
    if (options.gpu_share) words.insert(words.end(), {"--gpu-share", std::to_string(*options.gpu_share)});
    if (options.strict_resources) words.push_back("--strict-resources");
    if (options.faithful_timing) words.push_back("--faithful-timing");
    if (options.allow_host_namespaces) words.push_back("--allow-host-namespaces");
    if (!options.share_caches) words.push_back("--no-share-caches");
    for (const std::string& mount : options.mounts) words.insert(words.end(), {"--mount", mount});
    for (const std::string& prefix : options.allowed_host_paths)
        words.insert(words.end(), {"--allow-host-path", prefix});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, *log, 2);
    // Onto itself: it stays open in the child.
    for (const int kept : {pipe, lock.descriptor()})
        posix_spawn_file_actions_adddup2(&actions, kept, kept);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(*log);
    if (error != 0) return Error{Reason::environment, std::string("cannot start trainshed: ") + std::strerror(error)};
    return child;
}

// "memory" or an absolute path.
std::string store_place(const UpOptions& options, const ClusterPaths& paths) {
    if (options.store == "memory") return options.store;
    if (options.store.empty()) return options.detach ? paths.store : "memory";
    std::error_code ec;
    return std::filesystem::absolute(options.store, ec).lexically_normal().string();
}

int detach(const UpOptions& options, const ClusterPaths& paths) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    // Makes the directory for the log, and refuses early when the name is taken.
    std::optional<OwnerLock> lock;
    if (auto taken = OwnerLock::take(paths); taken) lock.emplace(std::move(*taken));
    else return report(terminal, taken.error());
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return report(terminal, {Reason::environment, std::strerror(errno)});
    auto child = start_detached(options, paths, ends[1], *lock);
    ::close(ends[1]);
    lock.reset();  // now the child's alone
    if (!child) return report(terminal, child.error());
    FILE* lines = ::fdopen(ends[0], "r");
    char* buffer = nullptr;
    std::size_t capacity = 0;
    int code = -1;
    while (code < 0 && ::getline(&buffer, &capacity, lines) > 0) {
        std::string line(buffer);
        line.pop_back();
        const auto tab = line.find('\t');
        const std::string rest = tab == std::string::npos ? "" : line.substr(tab + 1);
        if (line == "ready") code = exit_ok;
        else if (line.starts_with("ok ")) terminal.ok(line.substr(3, tab - 3), rest);
        else if (line.starts_with("error ")) {
            terminal.error(rest);
            code = std::atoi(line.c_str() + 6);
        }
    }
    std::free(buffer);
    std::fclose(lines);
    if (code < 0) {
        terminal.error("the cluster's process ended while starting", "see " + paths.log);
        return exit_environment;
    }
    if (code == exit_ok) terminal.note("export KUBECONFIG=" + paths.kubeconfig);
    else ::waitpid(*child, nullptr, 0);
    return code;
}

}  // namespace

int command_up(const UpOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const auto paths = paths_of(options.common.name);
    if (!paths) return report(terminal, paths.error());
    auto mounts = host_mounts(options.mounts, options.share_caches);
    if (!mounts) return report(terminal, mounts.error());
    UpOptions placed = options;
    placed.store = store_place(options, *paths);
    return options.detach ? detach(placed, *paths) : own_cluster(placed, *paths, std::move(*mounts));
}

}  // namespace shed
