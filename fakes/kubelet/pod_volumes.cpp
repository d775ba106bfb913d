// Volumes of a running pod: those that follow the objects they show, and those that may grow too
// large.
#include "fakes/kubelet/disk_usage.hpp"
#include "fakes/kubelet/pod_worker.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {

namespace asio = boost::asio;

namespace {

constexpr Duration usage_period = std::chrono::seconds(10);  // of the real eviction manager

// Of emptyDir volumes on the disk: name and quantity as it was written.
std::map<std::string, std::string> size_limits(const Object& pod) {
    std::map<std::string, std::string> limits;
    for (const Json& volume : at_path(pod.dom(), "spec.volumes")) {
        const Json& empty = member(volume, "emptyDir");
        const std::string limit = string_at(empty, "sizeLimit");
        const auto size = Quantity::parse(limit);
        // Memory is limited by its file system.
        if (size && size->value() > 0 && string_at(empty, "medium") != "Memory")
            limits[string_at(volume, "name")] = limit;
    }
    return limits;
}

bool shows_pod(const Object& pod) {
    for (const Json& volume : at_path(pod.dom(), "spec.volumes")) {
        if (member(volume, "downwardAPI").is_object()) return true;
        for (const Json& source : at_path(volume, "projected.sources"))
            if (member(source, "downwardAPI").is_object()) return true;
    }
    return false;
}

bool differ(const Object& one, const Object& other) {
    for (const char* part : {"metadata.labels", "metadata.annotations"})
        if (at_path(one.dom(), part) != at_path(other.dom(), part)) return true;
    return false;
}

}  // namespace

// 2026_11_26_15_04_05.0000000001: kubelet's form, with our own count in place of a random number.
std::string PodWorker::next_stamp() {
    std::string stamp = format_time(node_->host.deps.clock.now());
    for (char& c : stamp)
        if (c == '-' || c == ':' || c == 'T') c = '_';
    const std::string count = std::to_string(++volumes_.writes);
    stamp.back() = '.';
    return stamp + std::string(10 - std::min<std::size_t>(count.size(), 10), '0') + count;
}

TokenFunction PodWorker::pod_token() {
    return [this](const TokenRequest& request) {
        return volumes_.tokens.get(request, node_->host.deps.token, node_->host.deps.clock.now());
    };
}

void PodWorker::follow_volumes(const Found& found, WrittenVolumes written) {
    volumes_.written = std::move(written);
    volumes_.followed = true;
    const std::weak_ptr<PodWorker> weak = weak_from_this();
    std::set<Key> keys;
    for (const Key& key : volume_references(*pod_)) {
        const auto object = found.objects.find(key);
        // What is immutable is shown as it was, also when another takes its name.
        if (object != found.objects.end() && bool_at(object->second->dom(), "immutable"))
            volumes_.immutable.insert(*object);
        else keys.insert(key);
    }
    note_shown(found);
    node_->host.watched.watch(pod_->uid(), keys, [weak](const Key& key, const ObjectPtr& object) {
        const Self self = weak.lock();
        if (!self) return;
        const auto shown = self->volumes_.shown.find(key);
        const ResourceVersion version = object ? object->resource_version() : 0;
        if (version != (shown == self->volumes_.shown.end() ? 0 : shown->second))
            self->volumes_changed();
    });
    arm_token_timer();
    if (!size_limits(*pod_).empty() && !std::exchange(volumes_.measured, true))
        node_->tasks.spawn("volume usage", watch_usage(weak));
}

void PodWorker::unfollow_volumes() {
    volumes_.followed = false;
    node_->host.watched.forget(pod_->uid());
}

void PodWorker::note_shown(const Found& found) {
    volumes_.shown.clear();
    for (const auto& [key, object] : found.objects)
        volumes_.shown[key] = object->resource_version();
}

void PodWorker::pod_changed(const Object& before) {
    if (volumes_.followed && shows_pod(*pod_) && differ(before, *pod_)) volumes_changed();
}

void PodWorker::volumes_changed() {
    if (!volumes_.followed || node_->closed) return;
    volumes_.stale = true;
    if (std::exchange(volumes_.updating, true)) return;
    node_->tasks.spawn("pod volumes", update_volumes(shared_from_this()));
}

PodWorker::Task PodWorker::update_volumes(Self self) {
    while (self->volumes_.followed && std::exchange(self->volumes_.stale, false)) {
        const auto done = co_await self->update_steps();
        if (done) continue;
        const std::string message = done.error().message;
        self->perform(pod_command::Tell{"Warning", "FailedMount", message});
    }
    self->volumes_.updating = false;
}

asio::awaitable<Result<void>> PodWorker::update_steps() {
    auto keys = volume_references(*pod_);
    auto found = co_await fetch(std::move(keys));
    if (!found) co_return found.error();
    if (!volumes_.followed) co_return Result<void>();
    note_shown(*found);
    for (const auto& [key, object] : volumes_.immutable) found->objects[key] = object;
    const std::string stamp = next_stamp();
    const unsigned write = volumes_.writes;
    const TokenFunction token = pod_token();
    VolumeUpdate update = volume_update(place(), *found, token, stamp, volumes_.written);
    arm_token_timer();
    if (!update.operations.empty()) {
        const auto done = co_await node_->host.deps.runtime.files(std::move(update.operations));
        // Meanwhile the pod may have been prepared anew, or gone.
        if (!volumes_.followed || volumes_.writes != write) co_return Result<void>();
        if (!done) co_return done.error();
        volumes_.written = std::move(update.written);
    }
    if (update.failed) co_return *update.failed;
    co_return Result<void>();
}

void PodWorker::arm_token_timer() {
    const auto due = volumes_.tokens.next_due();
    if (!due || volumes_.token_timer == due) return;
    volumes_.token_timer = due;
    node_->tasks.spawn("pod tokens", renew_tokens(node_, weak_from_this(), *due));
}

PodWorker::Task PodWorker::renew_tokens(std::shared_ptr<NodeContext> node,
                                        std::weak_ptr<PodWorker> weak, Time due) {
    co_await node->host.deps.clock.sleep_until(due);
    if (const Self self = weak.lock(); self && self->volumes_.token_timer == due) {
        self->volumes_.token_timer.reset();
        self->volumes_changed();
    }
}

PodWorker::Task PodWorker::watch_usage(std::weak_ptr<PodWorker> weak) {
    std::shared_ptr<NodeContext> node;
    if (const Self self = weak.lock()) node = self->node_;
    while (node) {
        co_await node->host.deps.clock.wait(usage_period);
        const Self self = weak.lock();
        if (!self || !self->volumes_.followed) {
            if (self) self->volumes_.measured = false;
            co_return;
        }
        self->evict_when_too_large();
    }
}

void PodWorker::evict_when_too_large() {
    const PodPlace where = place();
    for (const auto& [name, limit] : size_limits(*pod_)) {
        const std::int64_t bytes = Quantity::parse(limit)->value();
        if (disk_usage(where.volume_path(name), bytes) <= bytes) continue;
        return handle(pod_event::Evicted{"Usage of EmptyDir volume \"" + name +
                                         "\" exceeds the limit \"" + limit + "\". "});
    }
}

}  // namespace shed::kubelet
