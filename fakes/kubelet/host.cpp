#include "fakes/kubelet/host.hpp"

#include "fakes/base/log.hpp"
#include "fakes/client/informer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace shed {

namespace asio = boost::asio;

KubeletHost::KubeletHost(Deps deps) : impl_(std::make_unique<Impl>(std::move(deps))) {}
KubeletHost::~KubeletHost() = default;
void KubeletHost::close() {
    impl_->watched.clear();
    impl_->tasks.cancel();
}
const GpuPool& KubeletHost::gpus() const { return impl_->deps.gpus; }
std::string KubeletHost::dns_table() const { return impl_->served_dns; }

std::vector<PodUsage> KubeletHost::usage() {
    const std::vector<ContainerReading> readings = impl_->deps.runtime.read_usage();
    return impl_->meter.measure(readings, std::chrono::steady_clock::now());
}

std::vector<ObjectPtr> KubeletHost::gone_pods(const std::string& ns) const {
    std::vector<ObjectPtr> pods;
    for (const ObjectPtr& pod : impl_->history.pods())
        if (pod->ns() == ns) pods.push_back(pod);
    return pods;
}

KubeletHost::Impl::Impl(Deps given)
    : deps(std::move(given)),
      watched(deps.client, deps.clock, deps.executor),
      tasks(deps.executor) {
    deps.runtime.on_exit([this](const ContainerExit& exit) {
        const auto listener = listeners.find(exit.pod_uid);
        if (listener != listeners.end()) listener->second.exited(exit);
    });
    deps.runtime.on_sandbox_lost([this](const std::string& uid) {
        const auto listener = listeners.find(uid);
        if (listener != listeners.end()) listener->second.sandbox_lost();
    });
}

asio::awaitable<void> KubeletHost::run() {
    Impl* impl = impl_.get();
    const auto keep = [impl](std::map<Key, ObjectPtr>& kept) {
        Informer::Handlers handlers;
        handlers.put = [impl, &kept](const ObjectPtr& object) {
            kept[object->key()] = object;
            impl->dns_changed();
        };
        handlers.erase = [impl, &kept](const ObjectPtr& object) {
            kept.erase(object->key());
            impl->dns_changed();
        };
        return handlers;
    };
    ListScope services, pods;
    services.kind = &kind_of("v1", "Service");
    pods.kind = &kind_of("v1", "Pod");
    Informer watch_services(impl->deps.client, impl->deps.clock, std::move(services),
                            keep(impl->services));
    Informer watch_pods(impl->deps.client, impl->deps.clock, std::move(pods), keep(impl->pods));
    Tasks watches(impl->deps.executor);
    watches.spawn("kubelet services", watch_services.run());
    co_await watch_pods.run();
}

std::optional<std::string> KubeletHost::Impl::take_address(const std::string& uid) {
    if (const auto known = addresses.find(uid); known != addresses.end()) free_address(uid);
    for (std::uint32_t tried = 0; tried < 65'533; ++tried) {
        last_address = last_address >= 65'534 ? 2 : last_address + 1;
        if (!taken.insert(last_address).second) continue;
        addresses[uid] = last_address;
        return "10.244." + std::to_string(last_address >> 8) + "." +
               std::to_string(last_address & 255);
    }
    return std::nullopt;
}

void KubeletHost::Impl::free_address(const std::string& uid) {
    const auto known = addresses.find(uid);
    if (known == addresses.end()) return;
    taken.erase(known->second);
    addresses.erase(known);
}

void KubeletHost::Impl::pod_has_address(ObjectPtr pod, std::string ip) {
    const std::string uid = pod->uid();
    local[uid] = kubelet::DnsPod{std::move(pod), std::move(ip), false, false};
}

void KubeletHost::Impl::pod_is_gone(const std::string& uid) {
    local.erase(uid);
    dns_changed();
}

std::string KubeletHost::Impl::compute_dns() const {
    std::vector<ObjectPtr> known_services;
    for (const auto& [key, service] : services) known_services.push_back(service);
    std::map<std::string, kubelet::DnsPod> by_uid = local;
    for (const auto& [key, pod] : pods) {
        const std::string phase = string_at(pod->dom(), "status.phase");
        const auto known = local.find(pod->uid());
        kubelet::DnsPod entry;
        entry.pod = pod;
        entry.ip = known != local.end() ? known->second.ip : string_at(pod->dom(), "status.podIP");
        entry.ready = condition_true(pod->dom(), "Ready");
        entry.terminal = phase == "Succeeded" || phase == "Failed";
        by_uid[pod->uid()] = std::move(entry);
    }
    std::vector<kubelet::DnsPod> known_pods;
    for (auto& [uid, pod] : by_uid) known_pods.push_back(std::move(pod));
    return kubelet::dns_table(known_services, known_pods);
}

asio::awaitable<Result<void>> KubeletHost::Impl::flush_dns() {
    std::string table = compute_dns();
    if (table == served_dns) co_return Result<void>{};
    served_dns = table;
    co_return co_await deps.runtime.set_dns(std::move(table));
}

void KubeletHost::Impl::dns_changed() {
    if (flush_pending) return;
    flush_pending = true;
    tasks.spawn("kubelet dns", flush_later());
}

asio::awaitable<void> KubeletHost::Impl::flush_later() {
    co_await asio::post(deps.executor, asio::use_awaitable);
    flush_pending = false;
    const auto done = co_await flush_dns();
    if (!done) {
        served_dns.clear();
        log(LogLevel::warn, "kubelet.dns_failed", {{"error", done.error().message}});
    }
}

}  // namespace shed
