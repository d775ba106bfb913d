#pragma once
// Carries out for one pod what the state machine of fakes/pods decides, and reports back to it.
#include "fakes/kubelet/compose.hpp"
#include "fakes/kubelet/event_recorder.hpp"
#include "fakes/kubelet/host.hpp"
#include "fakes/kubelet/pod_tokens.hpp"
#include "fakes/pods/pods.hpp"

#include <deque>

namespace shed::kubelet {

// What all pods of one node share.
struct NodeContext {
    NodeContext(KubeletHost::Impl& shared, KubeletConfig given);
    KubeletHost::Impl& host;
    KubeletConfig config;
    Tasks tasks;
    EventRecorder events;
    std::map<std::string, std::string> allocatable;
    // The kubelet is gone: nothing new begins, and what is cut short is no failure.
    bool closed = false;
    std::function<void(const std::string& uid, bool known)>
        pod_done;  // nothing of it is left here; the cluster may know it

    std::string pods_directory() const { return host.deps.directory + "/pods"; }
};

class PodWorker : public std::enable_shared_from_this<PodWorker> {
public:
    PodWorker(std::shared_ptr<NodeContext> node, ObjectPtr pod, PodState state);
    ~PodWorker();
    void begin();
    void changed(ObjectPtr pod);  // from the watch
    void vanished();              // deleted by force: the cluster no longer knows it

private:
    using Self = std::shared_ptr<PodWorker>;
    using Task = boost::asio::awaitable<void>;

    void handle(PodEvent event);
    void step(const PodEvent& event);
    void perform(const pod_command::Prepare& command);
    void perform(const pod_command::Start& command);
    void perform(const pod_command::Stop& command);
    void perform(const pod_command::Probe& command);
    void perform(const pod_command::Hook& command);
    void perform(const pod_command::RemoveSandbox& command);
    void perform(const pod_command::DeletePod& command);
    void perform(const pod_command::Tell& command);
    void wake_at(Time at);
    void publish();
    void exited(const ContainerExit& exit);
    const Spec* exec_spec(const std::string& container) const;  // nullptr: it does not run

    // pod_actions.cpp: what takes time
    static Task prepare(Self self);
    static Task start(Self self, std::string container, int attempt);
    static Task stop(Self self, std::string container, Duration grace);
    static Task remove_sandbox(Self self);
    static Task wake(Self self, Time at);
    boost::asio::awaitable<Result<void>> prepare_steps();
    boost::asio::awaitable<pod_event::StartFailed> start_steps(
        std::string container, int attempt);  // reason empty: it runs
    boost::asio::awaitable<Result<Found>> fetch(std::vector<Key> keys);
    // pod_handlers.cpp
    static Task probe(Self self, pod_command::Probe command);
    static Task hook(Self self, pod_command::Hook command);
    boost::asio::awaitable<pod_event::Probed> probe_steps(pod_command::Probe command);
    boost::asio::awaitable<std::string> hook_steps(pod_command::Hook command);
    boost::asio::awaitable<Result<ExecResult>> run_in(std::string container,
                                                      std::vector<std::string> command,
                                                      Duration timeout);
    // pod_volumes.cpp: volumes while the pod runs
    std::string next_stamp();
    TokenFunction pod_token();
    void follow_volumes(const Found& found, WrittenVolumes written);  // they have been prepared
    void unfollow_volumes();
    void note_shown(const Found& found);
    void pod_changed(const Object& before);
    void volumes_changed();
    void arm_token_timer();
    void evict_when_too_large();
    boost::asio::awaitable<Result<void>> update_steps();
    static Task update_volumes(Self self);
    static Task renew_tokens(std::shared_ptr<NodeContext> node, std::weak_ptr<PodWorker> weak,
                             Time due);
    static Task watch_usage(std::weak_ptr<PodWorker> weak);
    // pod_status_writer.cpp: one write after another, the deletion last
    static Task write(Self self);
    boost::asio::awaitable<bool> write_status(Json status);
    boost::asio::awaitable<void> delete_pod();
    boost::asio::awaitable<void> clean_up();
    Spec keep_logs();

    PodPlace place() const;
    void tell_unenforced(const CgroupLimits& limits);
    const Json* container_spec(const std::string& name) const;
    std::string end_message(const ContainerExit& exit) const;

    std::shared_ptr<NodeContext> node_;
    ObjectPtr pod_;
    PodState state_;
    std::string ip_;
    std::deque<PodEvent> queue_;
    bool handling_ = false;
    std::optional<Time> wake_at_;
    Time not_before_{};
    std::map<std::string, pod_event::Exited>
        early_exits_;  // ended before the answer to its start was read
    std::map<std::string, Spec>
        exec_specs_;  // env, cwd and ids for commands in a running container
    std::string last_status_;
    std::optional<Json> pending_status_;
    std::set<std::string> told_unenforced_;  // once for a pod
    struct VolumeState {
        WrittenVolumes written;
        std::map<Key, ResourceVersion> shown;  // what was seen of each object that was there
        std::map<Key, ObjectPtr> immutable;
        PodTokens tokens;
        std::optional<Time> token_timer;
        unsigned writes = 0;
        bool followed = false, stale = false, updating = false, measured = false;
    } volumes_;
    bool writing_ = false, delete_wanted_ = false, vanished_ = false;
};

}  // namespace shed::kubelet
