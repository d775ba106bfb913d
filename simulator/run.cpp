// `run FILE`: a cluster for one file's objects, their output as it comes, and the job's exit code.
#include "simulator/commands.hpp"
#include "simulator/job_watch.hpp"
#include "simulator/manifest.hpp"
#include "simulator/mounts.hpp"
#include "simulator/owner.hpp"
#include "simulator/why/why.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

// What to wait for: the TrainJobs; without any the JobSets, then Jobs, then Pods.
std::vector<Key> targets_of(const std::vector<ObjectPtr>& created) {
    for (const char* plural : {"trainjobs", "jobsets", "jobs", "pods"}) {
        std::vector<Key> targets;
        for (const ObjectPtr& object : created)
            if (object->kind().plural == plural) targets.push_back(object->key());
        if (!targets.empty()) return targets;
    }
    return {};
}

struct Run {
    const RunOptions& options;
    const Terminal& terminal;
    OwnedCluster& owned;
    const ClusterPaths& paths;
    std::vector<Json> objects;
    int code = exit_ok;

    asio::awaitable<void> go();
    asio::awaitable<int> follow(std::vector<Key> targets);
    asio::awaitable<void> explain(std::vector<Key> targets);
};

asio::awaitable<void> Run::go() {
    std::vector<ObjectPtr> created;
    for (const Json& object : objects) {
        WriteOptions write;
        write.strict = true;
        auto made = co_await owned.cluster().client().create(object, std::move(write));
        if (!made) {
            code = report(terminal, made.error());
            if (code == exit_failed) code = exit_usage;
            co_return;
        }
        created.push_back(*made);
    }
    std::vector<Key> targets = targets_of(created);
    if (targets.empty()) {
        terminal.error(options.file + ": nothing to wait for",
                       "run needs a TrainJob, JobSet, Job or Pod; use trainshed up and kubectl "
                       "apply for the rest");
        code = exit_usage;
        co_return;
    }
    for (const Key& target : targets) terminal.ok("created", target.text());
    code = co_await follow(std::move(targets));
}

asio::awaitable<int> Run::follow(std::vector<Key> targets) {
    using namespace asio::experimental::awaitable_operators;
    Cluster& cluster = owned.cluster();
    JobWatch watch(owned.io().get_executor(), cluster.client(), cluster.pod_logs(), terminal,
                   targets);
    const auto since = std::chrono::steady_clock::now();
    asio::steady_timer limit(owned.io(), asio::steady_timer::time_point::max());
    if (options.timeout_seconds)
        limit.expires_after(std::chrono::milliseconds(
            static_cast<std::int64_t>(*options.timeout_seconds * 1000)));
    const auto result = co_await (watch.until_ended() || limit.async_wait(asio::use_awaitable));
    const std::string took = seconds_text(std::chrono::steady_clock::now() - since);
    if (result.index() == 1) {
        terminal.error("not ended after " + took, "a longer --timeout, or trainshed up and kubectl "
                                                  "describe to see what it waits for");
        co_return exit_timeout;
    }
    if (std::get<0>(result)) {
        terminal.ok("done", "after " + took);
        co_return exit_ok;
    }
    terminal.fail("failed", "after " + took);
    co_await explain(targets);
    for (const std::string& cause : watch.causes()) terminal.note("  " + cause);
    co_return exit_failed;
}

// What `trainshed why` would say of each TrainJob, while the cluster that knows it is still there.
asio::awaitable<void> Run::explain(std::vector<Key> targets) {
    const auto https = https_target_of(paths);
    if (!https || options.up.common.quiet) co_return;
    Connection connection(owned.io(), *https);
    for (const Key& target : targets) {
        if (target.kind->plural != "trainjobs") continue;
        const auto diagnosis = co_await diagnose_job(connection, target.ns, target.name);
        if (!diagnosis || diagnosis->state == Diagnosis::State::complete) continue;
        std::cerr << "\n";
        print(*diagnosis, std::cerr);
    }
}

}  // namespace

int command_run(const RunOptions& options) {
    const Terminal terminal(options.up.common.plain, options.up.common.quiet);
    auto objects = read_manifest(options.file);
    if (!objects) return report(terminal, objects.error());
    const auto paths = own_paths(options.up.common.name, "run");
    if (!paths) return report(terminal, paths.error());
    auto mounts = host_mounts(options.up.mounts, options.up.share_caches);
    if (!mounts) return report(terminal, mounts.error());
    OwnedCluster owned(options.up, *paths, std::move(*mounts));
    const auto started = owned.start([&](const std::string& stage, const std::string& text) {
        terminal.ok(stage, text);
    });
    if (!started)
        return owned.signal_number() != 0 ? exit_by_signal(owned.signal_number()) : report(terminal, started.error());
    Run run{options, terminal, owned, *paths, std::move(*objects)};
    if (!owned.run(run.go())) {
        terminal.note("interrupted; ending the cluster");
        owned.stop();
        return exit_by_signal(owned.signal_number());
    }
    owned.stop();
    return run.code;
}

}  // namespace shed
