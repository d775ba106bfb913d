#pragma once
// The insides of KubeletHost, for this module's files only.
#include "fakes/kubelet/dns.hpp"
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/kubelet/watched_objects.hpp"
#include "fakes/net/tasks.hpp"

#include <set>

namespace shed {

struct KubeletHost::Impl {
    explicit Impl(Deps deps);

    Deps deps;
    PodHistory history;
    UsageMeter meter;
    kubelet::WatchedObjects watched;

    // ---- addresses: 10.244.0.0/16 without .0.0 and the gateway; one that was just freed is reused
    // last
    std::optional<std::string> take_address(const std::string& uid);
    void free_address(const std::string& uid);

    // ---- what the runtime says about a pod goes to its worker
    struct Listener {
        std::function<void(const ContainerExit&)> exited;
        std::function<void()> sandbox_lost;
        // How commands run in this container; nullptr while it does not run.
        std::function<const Spec*(const std::string& container)> exec_spec;
    };
    std::map<std::string, Listener> listeners;
    const Spec* exec_spec(const std::string& uid, const std::string& container) const;

    // ---- DNS
    void pod_has_address(ObjectPtr pod, std::string ip);  // known here before the cluster knows it
    void pod_is_gone(const std::string& uid);
    boost::asio::awaitable<Result<void>> flush_dns();  // returns when what is known now resolves
    void dns_changed();                                // flushes soon, once for many changes
    std::string compute_dns() const;
    boost::asio::awaitable<void> flush_later();

    std::map<Key, ObjectPtr> services, pods;
    std::map<std::string, kubelet::DnsPod> local;  // by uid
    std::string served_dns;
    bool flush_pending = false;

    std::map<std::string, std::uint32_t> addresses;
    std::set<std::uint32_t> taken;
    std::uint32_t last_address = 1;
    // Goes with this object: streams of clients may end later.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    Tasks tasks;
};

}  // namespace shed
