#pragma once
// The sub-commands. Each returns the program's exit code (terminal.hpp) and prints data on stdout, progress on stderr.
#include "simulator/terminal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shed {

struct CommonOptions {
    std::string name = "trainshed";
    std::string output;  // "" for people, "json"
    bool plain = false;
    bool quiet = false;
};

struct UpOptions {
    CommonOptions common;
    bool detach = false;
    int ready_descriptor = -1;  // of a detached child: where it says that it is ready
    int lock_descriptor = -1;   // of a detached child: the owner's lock, which its parent took
    int nodes = 1;
    std::optional<int> fake_gpus, gpu_share;
    bool strict_resources = false, faithful_timing = false, allow_host_namespaces = false;
    double time_scale = 1.0;
    std::int64_t pod_pids_limit = 1024;
    std::uint16_t port = 0;
    std::string store;  // "memory", a file, or "": memory, and for a detached one a file of its own
    std::vector<std::string> mounts;  // HOST[:POD[:ro|rw]]
    bool share_caches = true;
    std::vector<std::string> allowed_host_paths;  // PREFIX[:ro|rw], for hostPath volumes
};

struct RunOptions {
    UpOptions up;
    std::string file;
    std::optional<double> timeout_seconds;
};

struct RenderOptions {
    CommonOptions common;
    std::string file;
};

struct LogsOptions {
    CommonOptions common;
    std::string job, ns = "default", step = "node-0";
    bool follow = false, previous = false, timestamps = false;
    std::optional<int> tail;
    std::optional<int> attempt;  // of the step, over all its pods and restarts, from 1
};

struct WhyOptions {
    CommonOptions common;
    std::string job, ns = "default";
};

int command_up(const UpOptions& options);
int command_down(const CommonOptions& options);
int command_status(const CommonOptions& options, bool named);
int command_kubeconfig(const CommonOptions& options);
int command_run(const RunOptions& options);
int command_render(const RenderOptions& options);
int command_logs(const LogsOptions& options);
int command_why(const WhyOptions& options);
int command_doctor(const CommonOptions& options);
int command_image_build(const CommonOptions& options, const std::string& environment);
int command_image_list(const CommonOptions& options);
int command_image_inspect(const CommonOptions& options, const std::string& image);
int command_store_check(const CommonOptions& options, const std::string& file);
int command_store_repair(const CommonOptions& options, const std::string& file);
int command_version(const CommonOptions& options);
int command_completion(const std::string& shell);

// Prints the error and its hint; the exit code that belongs to its reason.
int report(const Terminal& terminal, const struct Error& error);

}  // namespace shed
