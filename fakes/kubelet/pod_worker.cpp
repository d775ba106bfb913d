#include "fakes/kubelet/pod_worker.hpp"

#include "fakes/kubelet/node.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace shed::kubelet {

namespace asio = boost::asio;

NodeContext::NodeContext(KubeletHost::Impl& shared, KubeletConfig given)
    : host(shared),
      config(std::move(given)),
      tasks(shared.deps.executor),
      events(shared.deps.client, shared.deps.clock, tasks, config.node),
      allocatable(kubelet::allocatable(config)) {}

PodWorker::PodWorker(std::shared_ptr<NodeContext> node, ObjectPtr pod, PodState state)
    : node_(std::move(node)), pod_(std::move(pod)), state_(std::move(state)) {}

PodWorker::~PodWorker() = default;

namespace {

// Of a pod whose processes ended with an earlier kubelet's: how they ended, nobody saw.
pod_event::SandboxLost containers_not_found() {
    pod_event::SandboxLost lost;
    lost.message = "The container could not be located when the kubelet started";
    return lost;
}

}  // namespace

void PodWorker::begin() {
    KubeletHost::Impl::Listener listener;
    const std::weak_ptr<PodWorker> weak = weak_from_this();
    listener.exited = [weak](const ContainerExit& exit) {
        if (const Self self = weak.lock()) self->exited(exit);
    };
    listener.sandbox_lost = [weak] {
        if (const Self self = weak.lock()) self->handle(pod_event::SandboxLost{});
    };
    listener.exec_spec = [weak](const std::string& container) {
        const Self self = weak.lock();
        return self ? self->exec_spec(container) : nullptr;
    };
    node_->host.listeners[pod_->uid()] = std::move(listener);
    if (state_.stage == PodState::Stage::prepared) handle(containers_not_found());
    if (pod_->deleting()) return changed(pod_);
    handle(pod_event::Tick{});
}

void PodWorker::changed(ObjectPtr pod) {
    const ObjectPtr before = std::exchange(pod_, std::move(pod));
    pod_changed(*before);
    const bool news =
        pod_->generation() != state_.generation || (pod_->deleting() && !state_.deleting);
    if (!news) return;
    pod_event::Changed event;
    event.generation = pod_->generation();
    event.deleting = pod_->deleting();
    const Json& grace = at_path(pod_->dom(), "metadata.deletionGracePeriodSeconds");
    if (event.deleting && grace.is_number_integer())
        event.grace = std::chrono::seconds(grace.get<std::int64_t>());
    handle(std::move(event));
}

void PodWorker::vanished() {
    vanished_ = true;
    pod_event::Changed event;
    event.generation = state_.generation;
    event.deleting = true;
    event.grace = std::chrono::seconds(1);  // as kubelet gives a pod deleted by force
    handle(std::move(event));
}

void PodWorker::handle(PodEvent event) {
    if (node_->closed) return;
    queue_.push_back(std::move(event));
    if (handling_) return;
    handling_ = true;
    while (!queue_.empty()) {
        const PodEvent next_event = std::move(queue_.front());
        queue_.pop_front();
        step(next_event);
    }
    handling_ = false;
    publish();
}

void PodWorker::step(const PodEvent& event) {
    // A timer may end a little before its time on this clock, or long before on a scaled one.
    const Time now = std::max(node_->host.deps.clock.now(), not_before_);
    PodStep done = next(std::move(state_), event, now);
    state_ = std::move(done.state);
    for (const PodCommand& command : done.commands) {
        std::visit([this](const auto& wanted) { perform(wanted); }, command);
    }
    if (done.look_again_at) wake_at(*done.look_again_at);
}

void PodWorker::wake_at(Time at) {
    if (wake_at_ && *wake_at_ <= at) return;
    wake_at_ = at;
    node_->tasks.spawn("pod timer", wake(shared_from_this(), at));
}

void PodWorker::perform(const pod_command::Prepare&) {
    node_->tasks.spawn("pod prepare", prepare(shared_from_this()));
}

void PodWorker::perform(const pod_command::Start& command) {
    node_->tasks.spawn("container start",
                       start(shared_from_this(), command.container, command.attempt));
}

void PodWorker::perform(const pod_command::Stop& command) {
    node_->tasks.spawn("container stop",
                       stop(shared_from_this(), command.container, command.grace));
}

void PodWorker::perform(const pod_command::Probe& command) {
    node_->tasks.spawn("pod probe", probe(shared_from_this(), command));
}

void PodWorker::perform(const pod_command::Hook& command) {
    node_->tasks.spawn("lifecycle hook", hook(shared_from_this(), command));
}

void PodWorker::perform(const pod_command::RemoveSandbox&) {
    node_->tasks.spawn("sandbox remove", remove_sandbox(shared_from_this()));
}

void PodWorker::perform(const pod_command::DeletePod&) { delete_wanted_ = true; }

void PodWorker::perform(const pod_command::Tell& command) {
    EventAbout about;
    about.kind = "Pod";
    about.ns = pod_->ns();
    about.name = pod_->name();
    about.uid = pod_->uid();
    about.resource_version = std::to_string(pod_->resource_version());
    if (const PodContainer* container = state_.find(command.container)) {
        const bool app = container->role == PodContainer::Role::app;
        about.field_path =
            std::string(app ? "spec.containers{" : "spec.initContainers{") + container->name + "}";
    }
    node_->events.record(about, command.type, command.reason, command.message);
}

void PodWorker::exited(const ContainerExit& exit) {
    pod_event::Exited event;
    event.container = exit.name;
    event.attempt = exit.attempt;
    event.code = exit.code;
    event.finished = node_->host.deps.clock.now();
    event.message = end_message(exit);
    event.oom_killed = exit.oom_killed;
    const PodContainer* container = state_.find(exit.name);
    if (container != nullptr && container->activity == PodContainer::Activity::starting) {
        early_exits_[exit.name] = std::move(event);
        return;
    }
    handle(std::move(event));
}

PodPlace PodWorker::place() const {
    PodPlace where;
    where.pod = pod_;
    where.directory = node_->pods_directory() + "/" + pod_->uid();
    where.ip = ip_;
    where.host_ip = node_->config.host_ip;
    where.node = node_->config.node;
    where.single_identity = node_->host.deps.runtime.single_identity();
    where.allowed_host_paths = node_->config.allowed_host_paths;
    where.host_mounts = node_->config.host_mounts;
    where.claims_directory = node_->host.deps.directory + "/claims";
    where.node_allocatable = node_->allocatable;
    return where;
}

const Json* PodWorker::container_spec(const std::string& name) const {
    for (const char* list : {"spec.containers", "spec.initContainers"}) {
        for (const Json& spec : at_path(pod_->dom(), list)) {
            if (string_at(spec, "name") == name) return &spec;
        }
    }
    return nullptr;
}

namespace {

// MaxContainerTerminationMessage...: of the file, and of the log instead of it.
constexpr std::size_t message_bytes_max = 4096, log_bytes_max = 2048, log_lines_max = 80;
constexpr std::streamoff log_tail_read = 256 * 1024;  // its lines have heads that do not count

std::string last_bytes(std::string text, std::size_t bytes_max) {
    return text.size() <= bytes_max ? text : text.substr(text.size() - bytes_max);
}

std::string tail_of_file(const std::string& path, std::streamoff bytes_max) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return {};
    file.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(file.tellg()) - bytes_max));
    return std::string((std::istreambuf_iterator<char>(file)), {});
}

std::string last_lines(const std::string& text, std::size_t lines_max) {
    std::size_t at = text.size(), lines = 0;
    while (at > 0)
        if (text[--at] == '\n' && at + 1 < text.size() && ++lines == lines_max)
            return text.substr(at + 1);
    return text;
}

// The texts of CRI log lines, without time and stream.
std::string plain_log(const std::string& lines) {
    std::string text;
    for (std::size_t at = 0; at < lines.size();) {
        const auto end = std::min(lines.find('\n', at), lines.size());
        std::string_view line(lines.data() + at, end - at);
        at = end + 1;
        for (int field = 0; field < 3; ++field) {
            const auto space = line.find(' ');
            line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
        }
        text.append(line).append("\n");
    }
    return text;
}

}  // namespace

const Spec* PodWorker::exec_spec(const std::string& container) const {
    const auto known = exec_specs_.find(container);
    for (const PodContainer& candidate : state_.containers)
        if (candidate.name == container && candidate.state.kind == ContainerState::Kind::running)
            return known == exec_specs_.end() ? nullptr : &known->second;
    return nullptr;
}

std::string PodWorker::end_message(const ContainerExit& exit) const {
    const PodPlace where = place();
    std::string message = tail_of_file(where.message_path(exit.name, exit.attempt),
                                       static_cast<std::streamoff>(message_bytes_max));
    const Json* spec = container_spec(exit.name);
    const bool fall_back =
        spec != nullptr && string_at(*spec, "terminationMessagePolicy") == "FallbackToLogsOnError";
    if (message.empty() && exit.code != 0 && fall_back) {
        const std::string log =
            plain_log(tail_of_file(where.log_path(exit.name, exit.attempt), log_tail_read));
        message = last_bytes(last_lines(log, log_lines_max), log_bytes_max);
    }
    return message;
}

}  // namespace shed::kubelet
