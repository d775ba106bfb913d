#include "fakes/kubelet/kubelet.hpp"

#include "fakes/base/log.hpp"
#include "fakes/client/informer.hpp"
#include "fakes/kubelet/node.hpp"
#include "fakes/kubelet/pod_worker.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace asio = boost::asio;
using kubelet::NodeContext;
using kubelet::PodWorker;

struct Kubelet::Impl {
    explicit Impl(std::shared_ptr<NodeContext> context) : node(std::move(context)) {}

    asio::awaitable<std::string> register_node();  // its uid
    asio::awaitable<void> keep_alive(std::string node_uid);
    asio::awaitable<void> renew_lease(const std::string& node_uid);
    asio::awaitable<void> reject(ObjectPtr pod, std::string reason, std::string message);
    asio::awaitable<void> delete_ended(ObjectPtr pod);
    void put(const ObjectPtr& pod);
    void erase(const ObjectPtr& pod);
    void adopt(const ObjectPtr& pod);

    std::shared_ptr<NodeContext> node;
    std::map<std::string, std::shared_ptr<PodWorker>> workers;  // by uid
    std::set<std::string> done;  // cleaned up, but a finalizer still keeps the object
    bool registered = false, synced = false;
};

Kubelet::Kubelet(KubeletHost& host, KubeletConfig config)
    : impl_(std::make_shared<Impl>(std::make_shared<NodeContext>(host.impl(), std::move(config)))) {
    Impl* impl = impl_.get();
    impl->node->pod_done = [impl](const std::string& uid, bool known) {
        if (known) impl->done.insert(uid);
        impl->workers.erase(uid);
    };
}

Kubelet::~Kubelet() { close(); }

void Kubelet::close() {
    impl_->node->closed = true;
    impl_->node->pod_done = [](const std::string&, bool) {};
    impl_->node->tasks.cancel();
}

bool Kubelet::ready() const { return impl_->registered && impl_->synced; }
std::size_t Kubelet::pods() const { return impl_->workers.size(); }

asio::awaitable<void> Kubelet::run() {
    const std::shared_ptr<Impl> impl = impl_;
    const std::string node_uid = co_await impl->register_node();
    impl->registered = true;
    impl->node->tasks.spawn("kubelet heartbeat", impl->keep_alive(node_uid));
    Informer::Handlers handlers;
    handlers.put = [self = impl.get()](const ObjectPtr& pod) { self->put(pod); };
    handlers.erase = [self = impl.get()](const ObjectPtr& pod) { self->erase(pod); };
    handlers.synced = [self = impl.get()] { self->synced = true; };
    ListScope scope;
    scope.kind = &kind_of("v1", "Pod");
    scope.field_selector = "spec.nodeName=" + impl->node->config.node;
    const auto& deps = impl->node->host.deps;
    Informer informer(deps.client, deps.clock, std::move(scope), std::move(handlers));
    co_await informer.run();
}

asio::awaitable<std::string> Kubelet::Impl::register_node() {
    const auto& deps = node->host.deps;
    const Key key{&kind_of("v1", "Node"), "", node->config.node};
    for (;;) {
        Json object = kubelet::node_json(node->config, deps.clock.now());
        WriteOptions options, status_options;
        auto made = co_await deps.client.create(std::move(object), std::move(options));
        if (made || made.error().reason == Reason::already_exists) {
            status_options.subresource = "status";
            Json patch = kubelet::node_status_patch(node->config, deps.clock.now());
            made = co_await deps.client.patch(key, PatchType::strategic, std::move(patch),
                                              std::move(status_options));
        }
        if (made) co_return (*made)->uid();
        log(LogLevel::info, "kubelet.register_failed",
            {{"node", node->config.node}, {"error", made.error().message}});
        co_await deps.clock.sleep_until(deps.clock.now() + std::chrono::milliseconds(100));
    }
}

asio::awaitable<void> Kubelet::Impl::keep_alive(std::string node_uid) {
    const auto& deps = node->host.deps;
    const Key key{&kind_of("v1", "Node"), "", node->config.node};
    constexpr Duration lease_period = std::chrono::seconds(10),
                       status_period = std::chrono::minutes(5);
    Time status_due = deps.clock.now() + status_period;
    for (;;) {
        co_await renew_lease(node_uid);
        const Time now = deps.clock.now();
        if (now >= status_due) {
            status_due = now + status_period;
            WriteOptions options;
            options.subresource = "status";
            Json patch = kubelet::node_status_patch(node->config, now);
            const auto told = co_await deps.client.patch(key, PatchType::strategic,
                                                         std::move(patch), std::move(options));
            if (!told)
                log(LogLevel::info, "kubelet.node_status_failed",
                    {{"error", told.error().message}});
        }
        co_await deps.clock.sleep_until(now + lease_period);
    }
}

asio::awaitable<void> Kubelet::Impl::renew_lease(const std::string& node_uid) {
    const auto& deps = node->host.deps;
    const Time now = deps.clock.now();
    const Key key{&kind_of("coordination.k8s.io/v1", "Lease"), "kube-node-lease",
                  node->config.node};
    Json patch = {{"spec", {{"renewTime", format_micro_time(now)}}}};
    WriteOptions options, create_options;
    const auto renewed =
        co_await deps.client.patch(key, PatchType::merge, std::move(patch), std::move(options));
    if (renewed || renewed.error().reason != Reason::not_found) co_return;
    Json lease = kubelet::lease_json(node->config, node_uid, now);
    const auto made = co_await deps.client.create(std::move(lease), std::move(create_options));
    if (!made) log(LogLevel::debug, "kubelet.lease_failed", {{"error", made.error().message}});
}

void Kubelet::Impl::put(const ObjectPtr& pod) {
    if (done.contains(pod->uid())) return;
    const auto known = workers.find(pod->uid());
    if (known != workers.end()) return known->second->changed(pod);
    adopt(pod);
}

void Kubelet::Impl::erase(const ObjectPtr& pod) {
    done.erase(pod->uid());
    // The worker may end inside vanished(), and then leaves the map.
    if (const auto known = workers.find(pod->uid()); known != workers.end()) {
        const std::shared_ptr<PodWorker> worker = known->second;
        worker->vanished();
    }
}

void Kubelet::Impl::adopt(const ObjectPtr& pod) {
    const std::string phase = string_at(pod->dom(), "status.phase");
    const bool ended = phase == "Succeeded" || phase == "Failed";
    if (ended) {
        if (pod->deleting()) node->tasks.spawn("delete ended pod", delete_ended(pod));
        return;
    }
    const Json& spec = member(pod->dom(), "spec");
    if (!node->config.allow_host_namespaces &&
        (bool_at(spec, "hostPID") || bool_at(spec, "hostIPC"))) {
        std::string why =
            "hostPID and hostIPC are not allowed on this cluster: start it with "
            "--allow-host-namespaces";
        node->tasks.spawn("reject pod", reject(pod, "HostNamespacesNotAllowed", std::move(why)));
        return;
    }
    PodTiming timing;
    timing.faithful = node->config.faithful_timing;
    auto state = resumed_state(*pod, node->host.deps.clock.now(), timing);
    if (!state) {
        node->tasks.spawn("reject pod", reject(pod, "UnexpectedAdmissionError", state.error().message));
        return;
    }
    const auto worker = std::make_shared<PodWorker>(node, pod, std::move(*state));
    workers[pod->uid()] = worker;
    worker->begin();
}

// As kubelet's admission does with a pod it cannot run.
asio::awaitable<void> Kubelet::Impl::reject(ObjectPtr pod, std::string reason,
                                            std::string message) {
    done.insert(pod->uid());
    kubelet::EventAbout about;
    about.kind = "Pod";
    about.ns = pod->ns();
    about.name = pod->name();
    about.uid = pod->uid();
    about.resource_version = std::to_string(pod->resource_version());
    node->events.record(about, "Warning", reason, message);
    Json status = {{"phase", "Failed"},
                   {"reason", reason},
                   {"message", "Pod was rejected: " + message}};
    Json patch = {{"status", std::move(status)}};
    WriteOptions options;
    options.subresource = "status";
    const auto written = co_await node->host.deps.client.patch(
        pod->key(), PatchType::merge, std::move(patch), std::move(options));
    if (!written)
        log(LogLevel::info, "kubelet.reject_failed",
            {{"pod", pod->name()}, {"error", written.error().message}});
    done.erase(pod->uid());
}

// A pod that ended before this kubelet came, or was rejected: only its object is left.
asio::awaitable<void> Kubelet::Impl::delete_ended(ObjectPtr pod) {
    done.insert(pod->uid());
    Json options = {{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", pod->uid()}}}};
    const auto removed = co_await node->host.deps.client.remove(pod->key(), std::move(options));
    if (!removed)
        log(LogLevel::info, "kubelet.delete_failed",
            {{"pod", pod->name()}, {"error", removed.error().message}});
    Spec operations(1);
    operations.front().push_back("rmtree");
    operations.front().push_back(node->pods_directory() + "/" + pod->uid());
    const auto cleaned = co_await node->host.deps.runtime.files(std::move(operations));
    if (!cleaned)
        log(LogLevel::info, "kubelet.clean_up_failed", {{"error", cleaned.error().message}});
}

}  // namespace shed
