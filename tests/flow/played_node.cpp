#include "tests/flow/played_node.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace shed {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using Stage = PlayedState::Stage;

namespace {

// The delays of the recordings' stand-in for a kubelet.
constexpr Duration until_creating = milliseconds(150), until_running = milliseconds(400),
                   until_ready = milliseconds(800), until_restart = milliseconds(200),
                   crash_back_off = milliseconds(500), until_stopped = milliseconds(300);

const Kind& pods() { return kind_of("v1", "Pod"); }

Json node_object(const std::string& name) {
    const Json capacity = {{"cpu", "512"},
                           {"memory", "2Ti"},
                           {"ephemeral-storage", "1Ti"},
                           {"pods", "1000"},
                           {"nvidia.com/gpu", "256"}};
    const Json ready = {{"type", "Ready"}, {"status", "True"}, {"reason", "KubeletReady"}};
    return {{"apiVersion", "v1"},
            {"kind", "Node"},
            {"metadata", {{"name", name}, {"labels",
               {{"kubernetes.io/hostname", name}, {"kubernetes.io/os", "linux"}, {"kubernetes.io/arch", "amd64"}}}}},
            {"status",
             {{"capacity", capacity},
              {"allocatable", capacity},
              {"conditions", Json::array({ready})}}}};
}

bool has_readiness_probe(const Object& pod) {
    const Json& containers = at_path(pod.dom(), "spec.containers");
    for (const Json& container : containers)
        if (member(container, "readinessProbe").is_object()) return true;
    return false;
}

bool restarts_in_place(const Object& pod, int code) {
    const std::string policy = string_at(pod.dom(), "spec.restartPolicy", "Always");
    return policy == "Always" || (policy == "OnFailure" && code != 0);
}

}  // namespace

PlayedNode::PlayedNode(PaperCluster& cluster, const RecordedPods& recorded, std::string name)
    : cluster_(cluster),
      name_(std::move(name)),
      scripts_(recorded),
      tasks_(cluster.executor()),
      subscription_(cluster.store().subscribe([this](const StoreEvent& e) { changed(e); })) {
    if (auto made = cluster_.create(node_object(name_)); !made)
        throw std::runtime_error(made.error().message);
    cluster_.settle();
}

PlayedNode::~PlayedNode() {
    tasks_.cancel();
    cluster_.settle();
}

void PlayedNode::changed(const StoreEvent& event) {
    const Object& object = *event.object;
    if (&object.kind() != &pods()) return;
    const auto known = pods_.find(object.uid());
    if (event.type == StoreEvent::Type::deleted) {
        if (known != pods_.end()) {
            known->second->stopping = true;
            pods_.erase(known);
        }
        return;
    }
    if (string_at(object.dom(), "spec.nodeName") != name_) return;
    if (known == pods_.end()) {
        auto pod = std::make_shared<Pod>();
        pod->key = object.key();
        pod->uid = object.uid();
        pod->script = scripts_.next(object);
        pods_[pod->uid] = pod;
        tasks_.spawn("play " + object.name(), play(pod));
    } else if (object.deleting() && !known->second->stopping) {
        known->second->stopping = true;
        tasks_.spawn("stop " + object.name(), stop(known->second));
    }
}

bool PlayedNode::wanted(const Pod& pod) const { return !pod.stopping && pods_.contains(pod.uid); }

PlayedNode::Task PlayedNode::play(PodPtr pod) {
    co_await cluster_.clock().wait(until_creating);
    pod->state.since = cluster_.clock().now();
    // The recordings' stand-in looked for a deletion only after this write.
    if (pods_.contains(pod->uid)) write(*pod);
    co_await cluster_.clock().wait(until_running);
    pod->state.ip = "10.244.0." + std::to_string(++next_address_);
    while (wanted(*pod)) {
        const ObjectPtr stored = cluster_.store().find(pod->key);
        pod->state.stage = Stage::running;
        pod->state.started = true;
        pod->state.started_at = cluster_.clock().now();
        pod->state.ready = !has_readiness_probe(*stored);
        write(*pod);
        if (!pod->state.ready) {
            co_await cluster_.clock().wait(until_ready);
            if (!wanted(*pod)) co_return;
            pod->state.ready = true;
            write(*pod);
        }
        const std::optional<int> code = pod->script.exit_of(pod->state.restarts);
        if (!code) co_return;
        co_await cluster_.clock().wait(pod->script.after);
        if (!wanted(*pod)) co_return;
        pod->state.pod_ended = !restarts_in_place(*stored, *code);
        co_await restart(pod, *code);
    }
}

// The run has ended; when the pod has not, it is about to run again when this returns.
PlayedNode::Task PlayedNode::restart(PodPtr pod, int code) {
    PlayedState& state = pod->state;
    state.stage = Stage::ended;
    state.ready = false;
    state.exit_code = code;
    state.ended_at = cluster_.clock().now();
    write(*pod);
    if (state.pod_ended) {
        pod->stopping = true;
        co_return;
    }
    co_await cluster_.clock().wait(until_restart);
    if (!wanted(*pod)) co_return;
    const ObjectPtr stored = cluster_.store().find(pod->key);
    const Json& first = at_path(stored->dom(), "spec.containers").front();
    const std::string id = played_container_id(*stored, string_at(first, "name"), state.restarts);
    state.last_state = {{"terminated", state.terminated(id)}};
    if (state.restarts > 0) {
        state.stage = Stage::backing_off;
        write(*pod);
        co_await cluster_.clock().wait(crash_back_off);
    }
    ++state.restarts;
}

PlayedNode::Task PlayedNode::stop(PodPtr pod) {
    co_await cluster_.clock().wait(until_stopped);
    if (!pods_.contains(pod->uid)) co_return;
    PlayedState& state = pod->state;
    state.exit_code = pod->script.stop_code;
    state.stage = Stage::ended;
    state.pod_ended = true;
    state.ready = false;
    state.ended_at = cluster_.clock().now();
    write(*pod);
    remove(*pod);
}

void PlayedNode::write(const Pod& pod) {
    const ObjectPtr stored = cluster_.store().find(pod.key);
    if (!stored || stored->uid() != pod.uid) return;
    Json updated = stored->dom();
    updated["status"] = played_status(*stored, pod.state, cluster_.clock().now());
    Request request;
    request.verb = Verb::update;
    request.kind = &pods();
    request.ns = pod.key.ns;
    request.name = pod.key.name;
    request.subresource = "status";
    request.user_agent = "kubelet";
    if (auto done = cluster_.api().update(request, std::move(updated), cluster_.clock().now()); !done)
        throw std::runtime_error("played status of " + pod.key.text() + ": " + done.error().message);
}

void PlayedNode::remove(const Pod& pod) {
    const Json options = {{"gracePeriodSeconds", 0}, {"preconditions", {{"uid", pod.uid}}}};
    (void)cluster_.remove(pod.key, options);  // Gone already is as good.
}

}  // namespace shed
