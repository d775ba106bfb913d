#include "fakes/kubelet/pod_worker.hpp"

#include "fakes/base/log.hpp"
#include "fakes/kubelet/pod_gpus.hpp"
#include "fakes/kubelet/resources.hpp"

#include <unistd.h>
#include <nlohmann/json.hpp>

namespace shed::kubelet {

namespace asio = boost::asio;

PodWorker::Task PodWorker::wake(Self self, Time at) {
    co_await self->node_->host.deps.clock.sleep_until(at);
    // A later, earlier-due timer may have replaced this one: then the extra look does no harm.
    if (self->wake_at_ == at) self->wake_at_.reset();
    self->not_before_ = std::max(self->not_before_, at);
    self->handle(pod_event::Tick{});
}

asio::awaitable<Result<Found>> PodWorker::fetch(std::vector<Key> keys) {
    Found found;
    for (const Key& key : keys) {
        if (found.objects.contains(key)) continue;
        auto got = co_await node_->host.deps.client.get(key);
        if (got) found.objects[key] = *got;
        else if (got.error().reason != Reason::not_found) co_return got.error();
    }
    co_return found;
}

PodWorker::Task PodWorker::prepare(Self self) {
    const auto done = co_await self->prepare_steps();
    if (done) {
        self->handle(pod_event::SandboxReady{self->ip_});
        co_return;
    }
    const std::string& message = done.error().message;
    const bool mount = message.starts_with("MountVolume");
    self->handle(
        pod_event::SandboxFailed{mount ? "FailedMount" : "FailedCreatePodSandBox",
                                 mount ? message : "Failed to create pod sandbox: " + message});
}

namespace {

std::int64_t machine_cores() { return std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)); }

}  // namespace

// Unlike kubelet: a real one needs control groups to run at all.
void PodWorker::tell_unenforced(const CgroupLimits& limits) {
    const auto tell = [&](const char* resource, const char* reason) {
        const std::string why = node_->host.deps.runtime.unenforced(resource);
        if (why.empty() || !told_unenforced_.insert(resource).second) return;
        perform(pod_command::Tell{
            "Warning", reason,
            std::string("The pod is not held to its ") + resource + " limit: " + why});
    };
    if (limits.memory_bytes) tell("memory", "MemoryLimitNotEnforced");
    if (limits.cpu_quota_us) tell("cpu", "CPULimitNotEnforced");
}

asio::awaitable<Result<void>> PodWorker::prepare_steps() {
    KubeletHost::Impl& host = node_->host;
    if (bool_at(pod_->dom(), "spec.hostNetwork")) {
        ip_ = node_->config.host_ip;
    } else if (ip_.empty()) {
        const auto address = host.take_address(pod_->uid());
        if (!address)
            co_return Error{Reason::environment, "no pod address is free in 10.244.0.0/16"};
        ip_ = *address;
    }
    auto keys = volume_references(*pod_);
    auto found = co_await fetch(std::move(keys));
    if (!found) co_return found.error();
    const PodPlace where = place();
    unfollow_volumes();
    const std::string stamp = next_stamp();
    const TokenFunction token = pod_token();
    WrittenVolumes written;
    auto operations = volume_files(where, *found, token, stamp, written);
    if (!operations) co_return operations.error();
    if (auto done = co_await host.deps.runtime.files(std::move(*operations)); !done)
        co_return done.error();
    // What a container can resolve must include its own name from its first instruction on.
    host.pod_has_address(pod_, ip_);
    if (auto done = co_await host.flush_dns(); !done) co_return done.error();
    SandboxRequest request;
    request.pod_uid = pod_->uid();
    request.spec = sandbox_spec(where);
    request.limits = pod_limits(where.spec(), machine_cores(), node_->config.pod_pids_limit);
    // A sandbox of an earlier try, or one that died, must be out of the way.
    if (state_.containers.front().started_once) {
        if (auto done = co_await host.deps.runtime.remove_pod(pod_->uid()); !done)
            co_return done.error();
    }
    auto started = co_await host.deps.runtime.start_sandbox(std::move(request));
    if (started) follow_volumes(*found, std::move(written));
    co_return started;
}

PodWorker::Task PodWorker::start(Self self, std::string container, int attempt) {
    pod_event::StartFailed failed = co_await self->start_steps(container, attempt);
    if (!failed.reason.empty()) {
        self->early_exits_.erase(container);
        self->handle(std::move(failed));
        co_return;
    }
    const auto early = self->early_exits_.find(container);
    if (early == self->early_exits_.end()) co_return;
    pod_event::Exited exit = std::move(early->second);
    self->early_exits_.erase(early);
    self->handle(std::move(exit));
}

namespace {

pod_event::StartFailed failure(const std::string& container, std::string reason,
                               std::string message) {
    return pod_event::StartFailed{container, std::move(reason), std::move(message)};
}

// 64 hexadecimal digits, as a container id has.
std::string container_id(const std::string& uid, const std::string& name, int attempt) {
    std::string id = "containerd://";
    Rng rng(hash_text(uid + "/" + name + "/" + std::to_string(attempt)));
    for (int part = 0; part < 4; ++part) {
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx",
                      static_cast<unsigned long long>(rng.next()));
        id += digits;
    }
    return id;
}

std::string image_id(const std::string& image, const Environment& environment) {
    if (!environment.image_id.starts_with("sha256:")) return environment.image_id;
    const auto colon = image.rfind(':');
    const bool tagged = colon != std::string::npos && image.find('/', colon) == std::string::npos;
    return (tagged ? image.substr(0, colon) : image) + "@" + environment.image_id;
}

Spec for_exec(const Spec& spec) {
    Spec kept;
    for (const SpecRecord& record : spec) {
        const std::string& word = record.front();
        const bool capability = word == "keep-cap" || word == "drop-cap";
        if (capability || word == "env" || word == "cwd" || word == "uid" || word == "gid" ||
            word == "group")
            kept.push_back(record);
    }
    return kept;
}

}  // namespace

asio::awaitable<pod_event::StartFailed> PodWorker::start_steps(std::string container, int attempt) {
    KubeletHost::Impl& host = node_->host;
    const Json* spec = container_spec(container);
    if (spec == nullptr)
        co_return failure(container, "StartError", "the pod no longer has this container");
    const std::string image = string_at(*spec, "image");
    const auto environment = host.deps.resolve_image(image);
    if (!environment) co_return failure(container, "ErrImagePull", environment.error().message);
    const ObjectPtr pod = pod_;  // keeps `spec` alive while waiting
    auto found = co_await fetch(env_references(*pod, *spec));
    if (!found) co_return failure(container, "CreateContainerConfigError", found.error().message);
    const PodPlace where = place();
    auto variables = container_env(where, *spec, *found);
    if (!variables)
        co_return failure(container, "CreateContainerConfigError", variables.error().message);
    if (std::string why = non_root_violation(where, *spec, *environment); !why.empty())
        co_return failure(container, "CreateContainerConfigError", std::move(why));
    ContainerInputs inputs;
    inputs.container = spec;
    inputs.attempt = attempt;
    inputs.environment = *environment;
    inputs.variables = std::move(*variables);
    const auto lent = add_gpus(host.deps.gpus, pod->uid() + "/" + container, node_->config.gpus,
                               host.deps.driver_files, inputs);
    if (!lent) co_return failure(container, "CreateContainerError", lent.error().message);
    auto plan = container_plan(where, inputs);
    if (!plan) co_return failure(container, "CreateContainerConfigError", plan.error().message);
    if (auto done = co_await host.deps.runtime.files(std::move(plan->files)); !done) {
        co_return failure(container, "CreateContainerConfigError", done.error().message);
    }
    exec_specs_[container] = for_exec(plan->spec);
    ContainerRequest request;
    request.pod_uid = pod->uid();
    request.name = container;
    request.attempt = attempt;
    request.spec = std::move(plan->spec);
    request.limits = container_limits(where.spec(), *spec, machine_cores());
    tell_unenforced(request.limits);
    if (auto done = co_await host.deps.runtime.start_container(std::move(request)); !done) {
        co_return failure(container, "StartError", done.error().message);
    }
    pod_event::Started started;
    started.container = container;
    started.attempt = attempt;
    started.container_id = container_id(pod->uid(), container, attempt);
    started.image_id = image_id(image, *environment);
    started.at = host.deps.clock.now();
    handle(std::move(started));
    co_return pod_event::StartFailed{};
}

PodWorker::Task PodWorker::stop(Self self, std::string container, Duration grace) {
    const auto done =
        co_await self->node_->host.deps.runtime.stop_container(self->pod_->uid(), container, grace);
    if (!done)
        log(LogLevel::info, "kubelet.stop_failed",
            {{"container", container}, {"error", done.error().message}});
}

PodWorker::Task PodWorker::remove_sandbox(Self self) {
    KubeletHost::Impl& host = self->node_->host;
    const std::string uid = self->pod_->uid();
    self->unfollow_volumes();
    const auto done = co_await host.deps.runtime.remove_pod(uid);
    if (!done && !self->node_->closed)
        log(LogLevel::warn, "kubelet.remove_failed",
            {{"pod", self->pod_->name()}, {"error", done.error().message}});
    host.pod_is_gone(uid);
    host.free_address(uid);
    host.deps.gpus.take_back(uid + "/");
    self->handle(pod_event::SandboxRemoved{});
}

}  // namespace shed::kubelet
