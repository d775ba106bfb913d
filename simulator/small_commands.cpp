// Commands that need no cluster of their own: down, status, kubeconfig, doctor, version, completion.
#include "simulator/commands.hpp"
#include "simulator/completion.hpp"
#include "simulator/doctor.hpp"
#include "simulator/paths.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace shed {

namespace {

using nlohmann::json;

void print(const json& value) { std::cout << value.dump(2) << "\n"; }

// Resident memory and CPU time of a process, from /proc; zeros when it is gone.
std::pair<long, double> usage_of(int pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(in, text);
    const auto close = text.rfind(')');
    if (close == std::string::npos) return {0, 0};
    std::istringstream words(text.substr(close + 2));
    std::string word;
    long user = 0, system = 0, pages = 0;
    for (int field = 3; words >> word; ++field) {
        if (field == 14) user = std::stol(word);
        if (field == 15) system = std::stol(word);
        if (field == 24) pages = std::stol(word);
    }
    return {pages * ::sysconf(_SC_PAGESIZE),
            static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

Result<json> status_of_cluster(const std::string& name) {
    const auto paths = paths_of(name);
    if (!paths) return paths.error();
    auto cluster = read_cluster(*paths);
    if (!cluster) return cluster.error();
    if (!OwnerLock::held_by_other(*paths))
        return Error{Reason::not_found,
                     "cluster \"" + name + "\" has died; " +
                         (has_state(*paths) ? "its state is kept, go on with it: trainshed up -d --name " + name
                                            : "its directory goes at the next trainshed up")};
    const auto [rss, cpu] = usage_of(cluster->value("pid", 0));
    (*cluster)["rss_bytes"] = rss;
    (*cluster)["cpu_seconds"] = cpu;
    return cluster;
}

void print_row(const json& cluster) {
    std::printf("%-20s %-26s %8d %6d %8.1f MiB %8.2f s\n", cluster.value("name", "").c_str(),
                cluster.value("server", "").c_str(), cluster.value("pid", 0), cluster.value("nodes", 0),
                static_cast<double>(cluster.value("rss_bytes", 0L)) / (1024.0 * 1024.0),
                cluster.value("cpu_seconds", 0.0));
}

// True once the owner has ended, nothing holds the cluster's lock and its directory has gone. An owner that has died
// removes nothing: what it left goes here.
bool gone(const ClusterPaths& paths, const std::optional<OwnerProcess>& owner) {
    if ((owner && !owner->ended()) || OwnerLock::held_by_other(paths)) return false;
    if (!owner) sweep_stale(beside_us("podinit"));
    return ::access(paths.directory.c_str(), F_OK) != 0 || (!owner && remove_state(paths, beside_us("podinit")));
}

}  // namespace

int report(const Terminal& terminal, const Error& error) {
    const auto semicolon = error.message.find("; ");
    if (semicolon == std::string::npos) terminal.error(error.message);
    else terminal.error(error.message.substr(0, semicolon), error.message.substr(semicolon + 2));
    switch (error.reason) {
        case Reason::bad_request:
        case Reason::invalid: return exit_usage;
        case Reason::environment: return exit_environment;
        case Reason::conflict:
        case Reason::already_exists: return exit_conflict;
        case Reason::timeout: return exit_timeout;
        default: return exit_failed;
    }
}

int command_down(const CommonOptions& options) {
    const Terminal terminal(options.plain, options.quiet);
    const auto paths = paths_of(options.name);
    if (!paths) return report(terminal, paths.error());
    if (!OwnerLock::held_by_other(*paths)) {
        sweep_stale(beside_us("podinit"));
        const bool removed = has_state(*paths) && remove_state(*paths, beside_us("podinit"));
        terminal.ok("down", "cluster " + options.name + " is not running" +
                                (removed ? "; the state it had kept is removed" : ""));
        return exit_ok;
    }
    const auto cluster = read_cluster(*paths);
    if (!cluster) return report(terminal, cluster.error());
    const auto owner = OwnerProcess::find(*paths);
    // Without this mark the owner keeps the state.
    if (auto marked = write_file(paths->ending, "", 0600); !marked) return report(terminal, marked.error());
    if (owner) owner->signal(SIGTERM);
    const auto start = std::chrono::steady_clock::now();
    while (!gone(*paths, owner)) {
        if (std::chrono::steady_clock::now() - start > std::chrono::seconds(60))
            return report(terminal, {Reason::timeout, "cluster " + options.name +
                                                          (owner ? " (pid " + std::to_string(owner->pid()) + ")" : "") +
                                                          " has not ended within 60 s; see " + paths->log});
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    terminal.ok("down", "cluster " + options.name + " ended (" +
                            seconds_text(std::chrono::steady_clock::now() - start) + ")");
    return exit_ok;
}

int command_status(const CommonOptions& options, bool named) {
    const Terminal terminal(options.plain, options.quiet);
    std::vector<std::string> names = named ? std::vector{options.name} : cluster_names();
    json list = json::array();
    for (const std::string& name : names) {
        auto cluster = status_of_cluster(name);
        if (cluster) list.push_back(std::move(*cluster));
        else if (named) return report(terminal, cluster.error());
    }
    if (options.output == "json") {
        print(named ? list.front() : list);
        return exit_ok;
    }
    if (list.empty()) {
        terminal.note("no cluster is running; start one with: trainshed up -d");
        return exit_ok;
    }
    std::printf("%-20s %-26s %8s %6s %12s %10s\n", "NAME", "SERVER", "PID", "NODES", "MEMORY", "CPU");
    for (const json& cluster : list) print_row(cluster);
    return exit_ok;
}

int command_kubeconfig(const CommonOptions& options) {
    const Terminal terminal(options.plain, options.quiet);
    const auto paths = paths_of(options.name);
    if (!paths) return report(terminal, paths.error());
    if (const auto cluster = read_cluster(*paths); !cluster) return report(terminal, cluster.error());
    if (options.output == "export") {
        std::cout << "export KUBECONFIG=" << paths->kubeconfig << "\n";
        return exit_ok;
    }
    const auto text = read_file(paths->kubeconfig);
    if (!text) return report(terminal, text.error());
    std::cout << *text;
    return exit_ok;
}

int command_doctor(const CommonOptions& options) {
    const Terminal terminal(options.plain, options.quiet);
    const std::vector<Finding> findings = examine_machine();
    bool failed = false;
    for (const Finding& f : findings) failed = failed || f.verdict == Finding::Verdict::fail;
    if (options.output == "json") {
        print(to_json(findings));
        return failed ? exit_environment : exit_ok;
    }
    for (const Finding& f : findings) {
        static constexpr const char* words[] = {"ok  ", "warn", "fail"};
        std::printf("%s  %-18s %s\n", words[static_cast<int>(f.verdict)], f.id.c_str(), f.found.c_str());
        if (!f.hint.empty()) std::printf("      %-18s hint: %s\n", "", f.hint.c_str());
    }
    return failed ? exit_environment : exit_ok;
}

int command_version(const CommonOptions& options) {
    if (options.output == "json") {
        print({{"trainshed", SHED_VERSION},
               {"kubernetes", "v1.36.3"},
               {"trainer", "v2.3.0"},
               {"jobset", "v0.12.0"}});
        return exit_ok;
    }
    std::cout << "trainshed " << SHED_VERSION
              << " (stands for Kubernetes v1.36.3, Kubeflow Trainer v2.3.0, JobSet v0.12.0)\n";
    return exit_ok;
}

int command_completion(const std::string& shell) {
    std::cout << completion_script(shell);
    return exit_ok;
}

}  // namespace shed
