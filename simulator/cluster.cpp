#include "simulator/cluster.hpp"

#include "fakes/base/log.hpp"
#include "fakes/images/images.hpp"
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/manager/manager.hpp"
#include "fakes/net/gateway.hpp"
#include "fakes/podinit/protocol.hpp"
#include "simulator/cluster_facts.hpp"
#include "simulator/cluster_state.hpp"
#include "simulator/limits.hpp"
#include "simulator/mounts.hpp"
#include "simulator/node_logs.hpp"
#include "simulator/node_streams.hpp"
#include "simulator/node_usage.hpp"
#include "simulator/terminal.hpp"
#include "simulator/world_size.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <csignal>
#include <random>
#include <set>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr auto start_limit = std::chrono::seconds(60);
constexpr auto look_again = std::chrono::milliseconds(2);
constexpr int api_port_for_pods = 443;

std::uint64_t random_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

HolderOptions holder_options(const Topology& topology, std::shared_ptr<CgroupTree> groups) {
    HolderOptions options;
    options.directory = topology.node_directory;
    options.podinit = topology.podinit;
    options.also_remove = topology.directory;
    options.keep_open = topology.lock_descriptor;
    options.groups = std::move(groups);
    for (const HostMount& mount : topology.mounts) options.shared.push_back(mount.source);
    for (const AllowedHostPath& allowed : topology.allowed_host_paths)
        options.shared.push_back(allowed.path);
    return options;
}

}  // namespace

struct Cluster::Impl {
    Impl(asio::io_context& context, Topology given)
        : io(context),
          topology(std::move(given)),
          rng(random_seed()),
          api(store, rng),
          clock(topology.time_scale),
          admin(local_client(api, clock, io.get_executor(), "trainshed")),
          control(local_client(api, clock, io.get_executor(), "kube-controller-manager")),
          kubelet_client(local_client(api, clock, io.get_executor(), "kubelet")),
          logs(io.get_executor(), clock, topology.node_directory),
          tasks(io.get_executor()) {}

    asio::awaitable<Result<ClusterFacts>> start(Progress progress);
    Result<void> open_store();
    Result<std::uint16_t> listen();
    Result<void> begin_to_serve();
    asio::awaitable<Result<void>> start_holder();
    asio::awaitable<Result<void>> start_api();
    asio::awaitable<Result<void>> bootstrap();
    asio::awaitable<Result<void>> forget_absent_nodes();
    void start_control_plane();
    Result<void> start_nodes();
    asio::awaitable<Result<void>> until_ready();
    bool all_ready();
    Result<std::string> pod_token(const TokenRequest& request);
    ClusterFacts facts() const;
    asio::awaitable<void> stop();

    asio::io_context& io;
    Topology topology;
    Store store;
    std::unique_ptr<SqliteJournal> journal;  // goes before the store
    Rng rng;
    Api api;
    SystemClock clock;
    std::unique_ptr<Client> admin, control, kubelet_client;
    NodeLogs logs;
    NodeStreams streams;
    NodeUsage usage;
    ClusterIdentity identity;
    std::size_t found_objects = 0;  // of an earlier run
    GpuDriver driver;
    std::optional<Catalogue> catalogue;
    std::unique_ptr<ProcessRuntime> runtime;
    std::unique_ptr<KubeletHost> host;
    std::vector<std::unique_ptr<Kubelet>> kubelets;
    std::unique_ptr<Manager> manager;
    std::unique_ptr<ApiServer> server;
    std::unique_ptr<HostGateway> gateway;
    std::unique_ptr<WorldSizeWatch> world_size;
    Tasks tasks;
};

asio::awaitable<Result<void>> Cluster::Impl::start_holder() {
    auto loaded =
        Catalogue::load(topology.catalogue, topology.user_catalogue, topology.environments);
    if (!loaded) co_return loaded.error();
    catalogue.emplace(std::move(*loaded));
    auto groups = make_groups(topology);
    if (!groups) co_return groups.error();
    runtime = std::make_unique<ProcessRuntime>(io.get_executor(), holder_options(topology, *groups));
    runtime->on_lost([] {
        log(LogLevel::error, "podinit.lost", {{"hint", "the pods' holder has died; ending"}});
        std::raise(SIGTERM);
    });
    co_return co_await runtime->start();
}

Result<void> Cluster::Impl::open_store() {
    auto opened = open_journal(topology.store, io);
    if (!opened) return opened.error();
    journal = std::move(*opened);
    auto found = identity_of(journal.get(), SystemClock().now());
    if (!found) return found.error();
    identity = std::move(*found);
    return {};
}

Result<std::uint16_t> Cluster::Impl::listen() {
    ApiServerOptions options;
    options.port = topology.port != 0 ? topology.port : identity.port;
    options.identity = identity.tls;
    options.streams = &streams;
    options.metrics = &usage;
    options.tokens = {{identity.token, "kubernetes-admin"}};
    options.service_account = [this](const std::string& token) {
        return api.user_of_token(token, clock.now());
    };
    server = std::make_unique<ApiServer>(io.get_executor(), api, clock, logs, options);
    auto listening = server->listen();
    if (listening || topology.port != 0) return listening;
    // Somebody else has the port of the last time: clients have to read the kubeconfig again.
    options.port = 0;
    server = std::make_unique<ApiServer>(io.get_executor(), api, clock, logs, std::move(options));
    return server->listen();
}

// Without a turn of the loop in between: nobody is answered before the state is there.
Result<void> Cluster::Impl::begin_to_serve() {
    const auto listening = listen();
    if (!listening) return listening.error();
    identity.port = *listening;
    if (!journal) return {};
    if (auto kept = keep_identity(*journal, identity); !kept) return kept.error();
    if (auto served = journal->serve(store); !served) return served.error();
    found_objects = store.size();
    return {};
}

asio::awaitable<Result<void>> Cluster::Impl::start_api() {
    auto begun = begin_to_serve();
    if (!begun) co_return begun.error();
    std::string service_address = podinit::api_address;
    auto for_pods = co_await runtime->listen(std::move(service_address), api_port_for_pods);
    if (!for_pods) co_return for_pods.error();
    server->listen_on(*for_pods);
    gateway = std::make_unique<HostGateway>(
        io.get_executor(), [this](int wanted) -> asio::awaitable<Result<int>> {
            std::string address = podinit::host_address;
            co_return co_await runtime->listen(std::move(address), wanted);
        });
    gateway->start();
    co_return Result<void>();
}

asio::awaitable<Result<void>> Cluster::Impl::bootstrap() {
    for (const Json& object : bootstrap_objects()) {
        const Kind& kind = kind_of(string_at(object, "apiVersion"), string_at(object, "kind"));
        const Key known{&kind, string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
        if (store.find(known)) continue;  // of an earlier run, and perhaps changed since
        WriteOptions options;
        Result<ObjectPtr> made;
        if (kind.custom) {
            // As the trainer's manifests are installed: its snapshots show who applied a runtime.
            options.manager = "kubectl";
            Key key = Key();
            key.kind = &kind;
            key.name = string_at(object, "metadata.name");
            made = co_await admin->patch(std::move(key), PatchType::apply, object, std::move(options));
        } else {
            made = co_await admin->create(object, std::move(options));
        }
        if (!made)
            co_return Error{Reason::internal, "cannot make " + string_at(object, "kind") + " " +
                                                  string_at(object, "metadata.name") + ": " +
                                                  made.error().message};
    }
    co_return Result<void>();
}

// An earlier run of this store may have had more nodes. Nobody runs theirs any more, so they go, as a
// cluster's pod garbage collector would have it.
asio::awaitable<Result<void>> Cluster::Impl::forget_absent_nodes() {
    std::set<std::string> present;
    for (int i = 0; i < topology.nodes; ++i) present.insert("node-" + std::to_string(i));
    std::vector<Key> absent;
    for (const ObjectPtr& pod : store.list(kind_of("v1", "Pod"))) {
        const std::string node = string_at(pod->dom(), "spec.nodeName");
        if (!node.empty() && !present.contains(node)) absent.push_back(pod->key());
    }
    for (const ObjectPtr& node : store.list(kind_of("v1", "Node")))
        if (!present.contains(node->name())) absent.push_back(node->key());
    for (const Key& key : absent) {
        Json options = {{"gracePeriodSeconds", 0}};
        auto removed = co_await admin->remove(key, std::move(options));
        if (!removed && removed.error().reason != Reason::not_found) co_return removed.error();
    }
    co_return Result<void>();
}

void Cluster::Impl::start_control_plane() {
    Manager::Options options;
    options.inputs.make_ssh_key = make_ssh_key;
    options.inputs.seed = rng.next();
    options.inputs.faithful_timing = topology.faithful_timing;
    options.inputs.root_ca_pem = identity.tls.ca_pem;
    manager = std::make_unique<Manager>(io.get_executor(), *control, clock, std::move(options));
    manager->start();
}

// As a kubelet asks for it: bound to the pod.
Result<std::string> Cluster::Impl::pod_token(const TokenRequest& request) {
    Json spec = {{"expirationSeconds", request.expiration_seconds},
                 {"boundObjectRef",
                  {{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"name", request.pod_name},
                   {"uid", request.pod_uid}}}};
    if (!request.audience.empty()) spec["audiences"] = Json::array({request.audience});
    const auto issued =
        api.issue_token(request.ns, request.service_account, std::move(spec), clock.now());
    if (!issued) return issued.error();
    return string_at(*issued, "token");
}

Result<void> Cluster::Impl::start_nodes() {
    driver = find_gpus(gpu_source());
    KubeletHost::Deps deps{*kubelet_client,
                           *runtime,
                           clock,
                           [this](const std::string& image) { return catalogue->resolve(image); },
                           io.get_executor(),
                           topology.node_directory,
                           [this](const TokenRequest& request) { return pod_token(request); },
                           GpuPool(driver.gpus, topology.gpu_share.value_or(0)),
                           driver.files};
    host = std::make_unique<KubeletHost>(std::move(deps));
    streams.ask(*host);
    usage.ask(*host);
    logs.ask([this](const std::string& ns) { return host->gone_pods(ns); });
    tasks.spawn("kubelet.host", host->run());
    for (int i = 0; i < topology.nodes; ++i) {
        KubeletConfig config;
        config.node = "node-" + std::to_string(i);
        const std::vector<Gpu> gpus = gpus_of_node(topology, driver.gpus, i);
        config.capacity = capacity_of(topology, gpus);
        if (topology.gpu_share)
            for (const Gpu& gpu : gpus) config.gpus.push_back(gpu.uuid);
        config.faithful_timing = topology.faithful_timing;
        config.pod_pids_limit = topology.pod_pids_limit;
        config.allow_host_namespaces = topology.allow_host_namespaces;
        config.host_mounts = topology.mounts;
        config.allowed_host_paths = topology.allowed_host_paths;
        kubelets.push_back(std::make_unique<Kubelet>(*host, std::move(config)));
        tasks.spawn("kubelet", kubelets.back()->run());
    }
    return {};
}

bool Cluster::Impl::all_ready() {
    if (!manager->synced()) return false;
    for (const auto& kubelet : kubelets)
        if (!kubelet->ready()) return false;
    // A pod made before its namespace is furnished would be refused.
    for (const char* account : {"default", "kubeflow-system"})
        if (!store.find({&kind_of("v1", "ServiceAccount"), account, "default"})) return false;
    return true;
}

asio::awaitable<Result<void>> Cluster::Impl::until_ready() {
    const auto limit = std::chrono::steady_clock::now() + start_limit;
    asio::steady_timer timer(io);
    while (!all_ready()) {
        if (std::chrono::steady_clock::now() > limit)
            co_return Error{Reason::timeout, "the nodes did not become Ready within 60 s"};
        timer.expires_after(look_again);
        auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) co_return Error{Reason::timeout, "interrupted"};
    }
    co_return Result<void>();
}

asio::awaitable<Result<ClusterFacts>> Cluster::Impl::start(Progress progress) {
    auto since = std::chrono::steady_clock::now();
    const auto done = [&](const std::string& stage, const std::string& text) {
        const auto now = std::chrono::steady_clock::now();
        progress(stage, text + " (" + seconds_text(now - since) + ")");
        since = now;
    };
    auto opened = open_store();
    if (!opened) co_return opened.error();
    auto held = co_await start_holder();
    if (!held) co_return held.error();
    done("pods", "namespaces and network are there");
    auto served = co_await start_api();
    if (!served) co_return served.error();
    done("api server", "https://127.0.0.1:" + std::to_string(identity.port));
    auto furnished = co_await bootstrap();
    if (furnished) furnished = co_await forget_absent_nodes();
    if (!furnished) co_return furnished.error();
    start_control_plane();
    auto nodes = start_nodes();
    if (!nodes) co_return nodes.error();
    world_size = std::make_unique<WorldSizeWatch>(io.get_executor(), *admin, clock, logs);
    tasks.spawn("world size", world_size->run());
    auto ready = co_await until_ready();
    if (!ready) co_return ready.error();
    done("nodes", std::to_string(topology.nodes) + " Ready");
    co_return facts();
}

ClusterFacts Cluster::Impl::facts() const {
    ClusterFacts facts;
    facts.server = "https://127.0.0.1:" + std::to_string(identity.port);
    facts.kubeconfig =
        kubeconfig_text(topology.name, facts.server, identity.tls.ca_pem, identity.token);
    facts.store = store_text(topology.store, found_objects);
    facts.isolation = isolation_text(runtime->identity_map());
    facts.gpus = gpus_text(topology, driver);
    facts.resources = resources_text(topology);
    for (const HostMount& mount : topology.mounts) facts.mounts.push_back(mount_text(mount));
    for (const AllowedHostPath& allowed : topology.allowed_host_paths)
        facts.mounts.push_back(allowed_text(allowed));
    facts.egress =
        "pods reach this machine as host.trainshed.internal, and the Internet through its proxy "
        "on port " +
        std::to_string(HostGateway::proxy_port);
    return facts;
}

asio::awaitable<void> Cluster::Impl::stop() {
    if (gateway) gateway->stop();
    if (manager) manager->stop();
    tasks.cancel();
    // Or each would complain that its pods' files go away under it.
    for (const auto& kubelet : kubelets) kubelet->close();
    if (host) host->close();
    if (runtime) {
        runtime->on_lost([] {});
        co_await runtime->quit();
    }
    if (server) server->stop();
}

Cluster::Cluster(asio::io_context& io, Topology topology)
    : impl_(std::make_unique<Impl>(io, std::move(topology))) {}

Cluster::~Cluster() = default;

asio::awaitable<Result<ClusterFacts>> Cluster::start(Progress progress) {
    return impl_->start(std::move(progress));
}

asio::awaitable<void> Cluster::stop() { return impl_->stop(); }

Client& Cluster::client() { return *impl_->admin; }

PodLogs& Cluster::pod_logs() { return impl_->logs; }

}  // namespace shed
