#include "simulator/cluster.hpp"

#include "fakes/base/log.hpp"
#include "fakes/images/images.hpp"
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/manager/manager.hpp"
#include "fakes/net/gateway.hpp"
#include "fakes/podinit/protocol.hpp"
#include "simulator/cluster_facts.hpp"
#include "simulator/mounts.hpp"
#include "simulator/node_logs.hpp"
#include "simulator/node_streams.hpp"
#include "simulator/terminal.hpp"
#include "simulator/world_size.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <csignal>
#include <random>

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

HolderOptions holder_options(const Topology& topology) {
    HolderOptions options;
    options.directory = topology.node_directory;
    options.podinit = topology.podinit;
    options.also_remove = topology.directory;
    options.keep_open = topology.lock_descriptor;
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
    asio::awaitable<Result<void>> start_holder();
    asio::awaitable<Result<void>> start_api();
    asio::awaitable<Result<void>> bootstrap();
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
    Rng rng;
    Api api;
    SystemClock clock;
    std::unique_ptr<Client> admin, control, kubelet_client;
    NodeLogs logs;
    NodeStreams streams;
    TlsIdentity identity;
    std::string admin_token;
    std::uint16_t port = 0;
    int gpus = 0, real_gpus = 0;
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
    runtime = std::make_unique<ProcessRuntime>(io.get_executor(), holder_options(topology));
    runtime->on_lost([] {
        log(LogLevel::error, "podinit.lost", {{"hint", "the pods' holder has died; ending"}});
        std::raise(SIGTERM);
    });
    co_return co_await runtime->start();
}

asio::awaitable<Result<void>> Cluster::Impl::start_api() {
    identity = make_tls_identity(SystemClock().now());
    admin_token = make_token();
    ApiServerOptions options;
    options.port = topology.port;
    options.identity = identity;
    options.streams = &streams;
    options.tokens = {{admin_token, "kubernetes-admin"}};
    options.service_account = [this](const std::string& token) {
        return api.user_of_token(token, clock.now());
    };
    server = std::make_unique<ApiServer>(io.get_executor(), api, clock, logs, std::move(options));
    const auto listening = server->listen();
    if (!listening) co_return listening.error();
    port = *listening;
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

void Cluster::Impl::start_control_plane() {
    Manager::Options options;
    options.inputs.make_ssh_key = make_ssh_key;
    options.inputs.seed = rng.next();
    options.inputs.faithful_timing = topology.faithful_timing;
    options.inputs.root_ca_pem = identity.ca_pem;
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
    KubeletHost::Deps deps{*kubelet_client,
                           *runtime,
                           clock,
                           [this](const std::string& image) { return catalogue->resolve(image); },
                           io.get_executor(),
                           topology.node_directory,
                           [this](const TokenRequest& request) { return pod_token(request); }};
    host = std::make_unique<KubeletHost>(std::move(deps));
    streams.ask(*host);
    logs.ask([this](const std::string& ns) { return host->gone_pods(ns); });
    real_gpus = host->real_gpus();
    gpus = gpus_per_node(topology, real_gpus);
    tasks.spawn("kubelet.host", host->run());
    for (int i = 0; i < topology.nodes; ++i) {
        KubeletConfig config;
        config.node = "node-" + std::to_string(i);
        config.capacity = capacity_of(topology, gpus);
        config.faithful_timing = topology.faithful_timing;
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
    auto held = co_await start_holder();
    if (!held) co_return held.error();
    done("pods", "namespaces and network are there");
    auto served = co_await start_api();
    if (!served) co_return served.error();
    done("api server", "https://127.0.0.1:" + std::to_string(port));
    auto furnished = co_await bootstrap();
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
    facts.server = "https://127.0.0.1:" + std::to_string(port);
    facts.kubeconfig =
        kubeconfig_text(topology.name, facts.server, identity.ca_pem, admin_token);
    facts.isolation = isolation_text(runtime->identity_map());
    facts.gpus = gpus_text(gpus, real_gpus);
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
