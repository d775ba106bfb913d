#include "fakes/kubelet/pod_worker.hpp"

#include "fakes/base/log.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace shed::kubelet {

namespace asio = boost::asio;

void PodWorker::publish() {
    Json status = pod_status(state_, pod_->dom(), node_->config.host_ip);
    std::string text = dump_json(status);
    if (text != last_status_) {
        last_status_ = std::move(text);
        pending_status_ = std::move(status);
    }
    if (writing_ || (!pending_status_ && !delete_wanted_)) return;
    writing_ = true;
    node_->tasks.spawn("pod status", write(shared_from_this()));
}

PodWorker::Task PodWorker::write(Self self) {
    while (self->pending_status_ && !self->vanished_) {
        Json status = std::move(*self->pending_status_);
        self->pending_status_.reset();
        const bool known = co_await self->write_status(std::move(status));
        if (!known) self->vanished_ = true;
    }
    self->writing_ = false;
    if (!self->delete_wanted_) co_return;
    self->delete_wanted_ = false;
    self->writing_ = true;  // nothing is written about a pod after its deletion
    co_await self->delete_pod();
    co_await self->clean_up();
}

namespace {

// The conditions are merged by type; those of others (PodScheduled) stay, after the kubelet's own.
// What a condition no longer says has to be taken away by name.
Json status_patch(const std::string& uid, Json status) {
    Json order = Json::array();
    for (Json& condition : status["conditions"]) {
        order.push_back(Json{{"type", member(condition, "type")}});
        for (const char* text : {"reason", "message"})
            if (!condition.contains(text)) condition[text] = nullptr;
    }
    order.push_back(Json{{"type", "PodScheduled"}});
    status["$setElementOrder/conditions"] = std::move(order);
    return {{"metadata", {{"uid", uid}}}, {"status", std::move(status)}};
}

}  // namespace

// False when the cluster no longer has this pod.
asio::awaitable<bool> PodWorker::write_status(Json status) {
    Duration pause = std::chrono::milliseconds(100);
    const Json patch = status_patch(pod_->uid(), std::move(status));
    for (;;) {
        WriteOptions options;
        options.subresource = "status";
        options.manager = "kubelet";
        const auto done = co_await node_->host.deps.client.patch(pod_->key(), PatchType::strategic,
                                                                 patch, std::move(options));
        if (done || done.error().reason == Reason::conflict) co_return done.has_value();
        if (done.error().reason == Reason::not_found) co_return false;
        log(LogLevel::info, "kubelet.status_failed",
            {{"pod", pod_->name()}, {"error", done.error().message}});
        if (pending_status_) co_return true;  // a newer one replaces it
        co_await node_->host.deps.clock.sleep_until(node_->host.deps.clock.now() + pause);
        pause = std::min<Duration>(pause * 2, std::chrono::seconds(5));
    }
}

asio::awaitable<void> PodWorker::delete_pod() {
    Duration pause = std::chrono::milliseconds(100);
    const Json options = {{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", pod_->uid()}}}};
    while (!vanished_) {
        const auto done = co_await node_->host.deps.client.remove(pod_->key(), options);
        if (done || done.error().reason == Reason::not_found ||
            done.error().reason == Reason::conflict)
            break;
        co_await node_->host.deps.clock.sleep_until(node_->host.deps.clock.now() + pause);
        pause = std::min<Duration>(pause * 2, std::chrono::seconds(5));
    }
}

// The last state and the logs of a pod outlive it for a while; a pod that never ran leaves nothing.
Spec PodWorker::keep_logs() {
    Spec operations;
    const std::string& node_directory = node_->host.deps.directory;
    const std::string logs = logs_directory(node_directory, pod_->uid());
    if (::access(logs.c_str(), F_OK) != 0) return operations;
    Json last = pod_->dom();
    last["status"] = pod_status(state_, last, node_->config.host_ip);
    const auto add = [&](std::initializer_list<std::string> record) {
        operations.push_back(SpecRecord(record));
    };
    add({"mkdir", node_directory + "/ended", "0700", "0", "0"});
    add({"rename", logs, kept_logs_directory(node_directory, pod_->uid())});
    for (const std::string& leaving : node_->host.history.add(Object::make(std::move(last))))
        add({"rmtree", kept_logs_directory(node_directory, leaving)});
    return operations;
}

asio::awaitable<void> PodWorker::clean_up() {
    const std::string uid = pod_->uid();
    unfollow_volumes();
    Spec operations = keep_logs();
    for (SpecRecord& record : volume_ends(place())) operations.push_back(std::move(record));
    operations.push_back(
        SpecRecord(std::initializer_list<std::string>{"rmtree", place().directory}));
    const auto done = co_await node_->host.deps.runtime.files(std::move(operations));
    if (!done && !node_->closed)
        log(LogLevel::warn, "kubelet.clean_up_failed",
            {{"pod", pod_->name()}, {"error", done.error().message}});
    node_->host.listeners.erase(uid);
    node_->host.free_address(uid);
    node_->host.pod_is_gone(uid);
    node_->host.deps.gpus.take_back(uid + "/");
    node_->events.forget(uid);
    node_->pod_done(uid, !vanished_);
}

}  // namespace shed::kubelet
