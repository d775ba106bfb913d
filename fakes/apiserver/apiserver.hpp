#pragma once
// The API server's shell: TLS, who is asking, which path, streams. What a request means is decided by fakes/api.
// Answers on a loopback address and on sockets handed in (the pods' network); refuses foreign Hosts and Origins.
#include "fakes/api/api.hpp"
#include "fakes/net/clock.hpp"
#include "fakes/net/http_server.hpp"
#include "fakes/streams/streams.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace shed {

// Where the logs of pods are: in Kubernetes the kubelet of the pod's node, which the API server asks.
class PodLogs {
public:
    struct Query {
        ObjectPtr pod;
        std::string container;
        int attempt = 0;  // the restartCount whose output is wanted
        bool follow = false, timestamps = false;
        std::optional<std::int64_t> tail_lines = {}, limit_bytes = {};
        std::optional<Time> since = {};
    };
    class Stream {
    public:
        virtual ~Stream() = default;
        // The next bytes as they become available; empty at the end.
        virtual boost::asio::awaitable<Result<std::string>> read() = 0;
    };
    virtual ~PodLogs() = default;
    virtual std::unique_ptr<Stream> open(const Query& query) = 0;

    // ---- beyond a real cluster, for `trainshed why` and `logs --attempt`
    // Pods that are gone, oldest first, as they were last; their logs can still be opened.
    virtual std::vector<ObjectPtr> gone_pods(const std::string& ns) = 0;
    // {container, attempt, ended, exitCode, signal, startedAt, finishedAt} of each run, by time.
    virtual Json attempts(const Object& pod) = 0;
};

// What GET /trainshed/v1/namespaces/NS/attempts answers: every pod of the namespace, gone ones first,
// as {pods: [{pod, gone, attempts}]}.
Json attempts_of_namespace(const Store& store, PodLogs& logs, const std::string& ns);
// The query GET /trainshed/v1/namespaces/NS/pods/UID/log?container=C&attempt=N[&tailLines=N] means.
Result<PodLogs::Query> kept_log_query(const Store& store, PodLogs& logs, const std::string& ns,
                                      const std::string& uid,
                                      const std::multimap<std::string, std::string>& parameters);

// The query a GET .../pods/NAME/log means for this pod, or the error a kubelet would give.
Result<PodLogs::Query> log_query(const ObjectPtr& pod, const Request& request, Time now);

// What runs in pods, for exec, attach and port-forward: again the kubelet's. An error is its refusal.
class PodStreams {
public:
    virtual ~PodStreams() = default;
    virtual Result<StartCommand> exec(const Object& pod, const std::string& container,
                                      const std::vector<std::string>& command, CommandStreams wanted) = 0;
    virtual Result<StartCommand> attach(const Object& pod, const std::string& container, CommandStreams wanted) = 0;
    virtual DialPod dial(const Object& pod) = 0;
};

// What pods use, for `kubectl top`: on a real cluster metrics-server asks the kubelets for it.
class PodMetrics {
public:
    struct Container {
        std::string name;
        std::int64_t cpu_nanocores = 0, memory_bytes = 0;
    };
    struct Pod {
        std::string uid;
        Duration window{};  // over which cpu is the mean
        std::vector<Container> containers = {};
    };
    virtual ~PodMetrics() = default;
    virtual std::vector<Pod> usage() = 0;
};

struct ApiServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    TlsIdentity identity;
    std::map<std::string, std::string> tokens = {};  // bearer token -> user
    // Tokens of service accounts: the user, or "" when it is none.
    std::function<std::string(const std::string& token)> service_account = {};
    HttpLimits limits = {};
    PodStreams* streams = nullptr;  // without it exec, attach and port-forward are not found
    PodMetrics* metrics = nullptr;  // without it there is no group metrics.k8s.io
};

class ApiServer {
public:
    ApiServer(boost::asio::any_io_executor executor, Api& api, Clock& clock, PodLogs& logs, ApiServerOptions options);
    ~ApiServer();

    Result<std::uint16_t> listen();
    void listen_on(int descriptor);  // a listening socket made elsewhere
    // Requests that are under way end only in the loop's next turns: the Api, the clock and the logs must live until
    // then.
    void stop();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// ---- parts that tests look at alone
struct Target {
    std::string path;  // decoded once, without a double slash or a dot segment
    std::multimap<std::string, std::string> query;
};
std::optional<Target> parse_target(std::string_view target);  // nullopt: malformed, or a form that is refused
// How long a watch lasts that asks for `timeoutSeconds`: at most a year, 45 min when it asks for nothing or for 0.
std::chrono::seconds watch_time(std::string_view timeout_seconds);
// True for loopback names and addresses and the API's service names, with any port.
bool is_own_host(std::string_view host);
bool is_own_origin(std::string_view origin);  // an absent Origin is fine: browsers always send one

}  // namespace shed
