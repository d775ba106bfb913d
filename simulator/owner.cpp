#include "simulator/owner.hpp"

#include "fakes/images/images.hpp"
#include "simulator/mounts.hpp"

#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

Topology topology_of(const UpOptions& options, const ClusterPaths& paths) {
    Topology t;
    t.name = paths.name;
    t.nodes = options.nodes;
    t.fake_gpus = options.fake_gpus;
    t.gpu_share = options.gpu_share;
    t.strict_resources = options.strict_resources;
    t.faithful_timing = options.faithful_timing;
    t.allow_host_namespaces = options.allow_host_namespaces;
    t.time_scale = options.time_scale;
    t.pod_pids_limit = options.pod_pids_limit;
    t.port = options.port;
    t.podinit = beside_us("podinit");
    t.catalogue = shared_file("images.yaml");
    t.user_catalogue = user_catalogue_file();
    t.environments = default_environments_dir();
    t.node_directory = paths.node;
    if (options.store != "memory") t.store = options.store;
    if (t.store != paths.store) t.directory = paths.directory;
    return t;
}

}  // namespace

OwnedCluster::OwnedCluster(const UpOptions& options, ClusterPaths paths, std::vector<HostMount> mounts)
    : options_(options), paths_(std::move(paths)), mounts_(std::move(mounts)), signals_(io_, SIGINT, SIGTERM, SIGHUP) {}

OwnedCluster::~OwnedCluster() { stop(); }

void OwnedCluster::arm_signals() {
    signals_.async_wait([this](const boost::system::error_code& ec, int number) {
        if (ec) return;
        if (ending_ || signal_ != 0) {
            // Asked twice: podinit's lifeline ends the pods and its keeper removes the files.
            ::_exit(128 + number);
        }
        signal_ = number;
        io_.stop();
        arm_signals();
    });
}

Result<ClusterFacts> OwnedCluster::start(Cluster::Progress progress) {
    if (options_.lock_descriptor >= 0) {
        lock_.emplace(OwnerLock::inherited(options_.lock_descriptor));
    } else {
        auto lock = OwnerLock::take(paths_);
        if (!lock) return lock.error();
        lock_.emplace(std::move(*lock));
    }
    remove_node(paths_, beside_us("podinit"));
    sweep_stale(beside_us("podinit"));
    const bool found_state = has_state(paths_);
    if (found_state && options_.store != paths_.store) {
        lock_.reset();
        return Error{Reason::conflict, "cluster \"" + paths_.name + "\" has state of an earlier run; go on with it: " +
                                           "trainshed up -d --name " + paths_.name + ", remove it: trainshed down --name " +
                                           paths_.name + ", or use --name for another one"};
    }
    keeps_state_ = found_state;
    ::unlink(paths_.ending.c_str());
    arm_signals();
    auto allowed = allowed_host_paths(options_.allowed_host_paths);
    if (!allowed) return allowed.error();
    Topology topology = topology_of(options_, paths_);
    topology.allowed_host_paths = std::move(*allowed);
    topology.lock_descriptor = lock_->descriptor();
    topology.mounts = mounts_;
    cluster_ = std::make_unique<Cluster>(io_, std::move(topology));
    std::optional<Result<ClusterFacts>> outcome;
    const auto start_it = [&]() -> asio::awaitable<void> {
        outcome.emplace(co_await cluster_->start(std::move(progress)));
    };
    if (!run_to_end(start_it())) return Error{Reason::timeout, "interrupted"};
    if (!outcome) return Error{Reason::internal, "the cluster did not start"};
    if (!*outcome) return outcome->error();
    if (auto published = publish(**outcome); !published) return published.error();
    keeps_state_ = has_state(paths_);
    return std::move(**outcome);
}

bool OwnedCluster::run_to_end(asio::awaitable<void> task) {
    bool done = false;
    const auto finish = [&](const std::exception_ptr& error) {
        done = true;
        io_.stop();
        if (error && signal_ == 0) std::rethrow_exception(error);
    };
    asio::co_spawn(io_, std::move(task), asio::bind_cancellation_slot(cancel_.slot(), finish));
    io_.restart();
    io_.run();
    if (done) return signal_ == 0;
    cancel_.emit(asio::cancellation_type::all);
    while (!done) {
        io_.restart();
        io_.run();
    }
    return false;
}

Result<void> OwnedCluster::publish(const ClusterFacts& facts) {
    if (auto written = write_file(paths_.kubeconfig, facts.kubeconfig, 0600); !written) return written;
    const nlohmann::json cluster = {{"name", paths_.name},
                                    {"pid", ::getpid()},
                                    {"server", facts.server},
                                    {"kubeconfig", paths_.kubeconfig},
                                    {"nodes", options_.nodes},
                                    {"isolation", facts.isolation},
                                    {"mounts", facts.mounts},
                                    {"store", options_.store.empty() ? "memory" : options_.store}};
    return write_file(paths_.cluster_file, cluster.dump(2) + "\n", 0600);
}

int OwnedCluster::wait_for_signal() {
    while (signal_ == 0) {
        io_.restart();
        io_.run();
    }
    return signal_;
}

bool OwnedCluster::run(asio::awaitable<void> task) { return run_to_end(std::move(task)); }

void OwnedCluster::settle() {
    do io_.restart();
    while (io_.poll() > 0);
}

void OwnedCluster::stop() {
    if (!lock_ || ending_) return;
    ending_ = true;
    if (cluster_) {
        io_.restart();
        asio::co_spawn(io_, cluster_->stop(), [&](const std::exception_ptr&) { io_.stop(); });
        io_.run();
        settle();
        cluster_.reset();
        settle();
    }
    // What podinit's keeper would have removed, had it been there before the signal came.
    remove_node(paths_, beside_us("podinit"));
    std::error_code ec;
    // Whoever ends a cluster with state by other means than `trainshed down`, such as a shutdown of the machine, can
    // go on with it.
    const bool keep = keeps_state_ && ::access(paths_.ending.c_str(), F_OK) != 0;
    std::filesystem::remove_all(keep ? paths_.cluster_file : paths_.directory, ec);
    lock_.reset();
}

}  // namespace shed
