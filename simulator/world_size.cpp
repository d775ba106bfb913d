#include "simulator/world_size.hpp"

#include "fakes/base/log.hpp"
#include "fakes/client/informer.hpp"
#include "fakes/manager/events.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr std::string_view group_label = "jobset.sigs.k8s.io/replicatedjob-name";
constexpr std::string_view jobset_label = "jobset.sigs.k8s.io/jobset-name";
constexpr std::string_view accepted = "Accepted publickey for ";

std::vector<std::string> words_of(const Json& list) {
    std::vector<std::string> words;
    for (const Json& item : list) {
        std::istringstream text(item.is_string() ? item.get<std::string>() : "");
        for (std::string word; text >> word;) words.push_back(word);
    }
    return words;
}

bool is_mpirun(const std::string& word) {
    const std::string name = word.substr(word.rfind('/') + 1);
    return name == "mpirun" || name == "mpiexec" || name == "orterun" || name == "prterun";
}

std::string host_of(const Object& pod) {
    return string_at(pod.dom(), "spec.hostname", pod.name()) + "." + string_at(pod.dom(), "spec.subdomain");
}

}  // namespace

std::vector<HostSlots> hosts_in(const std::string& hostfile) {
    std::vector<HostSlots> hosts;
    std::istringstream lines(hostfile);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        HostSlots entry;
        if (!(words >> entry.host) || entry.host.starts_with('#')) continue;
        for (std::string word; words >> word;)
            if (word.starts_with("slots=")) entry.slots = std::max(0, std::atoi(word.c_str() + 6));
        hosts.push_back(std::move(entry));
    }
    return hosts;
}

std::optional<MpirunCall> mpirun_call(const Object& launcher) {
    for (const Json& container : at_path(launcher.dom(), "spec.containers")) {
        std::vector<std::string> words = words_of(member(container, "command"));
        for (std::string& word : words_of(member(container, "args"))) words.push_back(std::move(word));
        const auto start = std::find_if(words.begin(), words.end(), is_mpirun);
        if (start == words.end()) continue;
        MpirunCall call;
        for (auto word = start + 1; word != words.end() && word + 1 != words.end(); ++word)
            if (*word == "-n" || *word == "-np" || *word == "--np" || *word == "-c") {
                call.ranks = std::max(0, std::atoi((word + 1)->c_str()));
                break;
            }
        return call;
    }
    return std::nullopt;
}

std::string missing_hosts_message(const std::vector<HostSlots>& hosts, const std::set<std::string>& reached,
                                  const MpirunCall& call) {
    std::string missing;
    int slots = 0, missing_count = 0;
    for (const HostSlots& entry : hosts) {
        // mpirun fills the hosts in order: those beyond the ranks asked for are rightly left out.
        const bool wanted = call.ranks == 0 || slots < call.ranks;
        slots += entry.slots;
        if (!wanted || reached.contains(entry.host)) continue;
        missing += (missing.empty() ? "" : ", ") + entry.host;
        ++missing_count;
    }
    if (missing_count == 0) return "";
    const int wanted = call.ranks == 0 ? slots : call.ranks;
    return "mpirun exited with 0 but its " + std::to_string(wanted) + " ranks did not run on all " +
           std::to_string(hosts.size()) + " hosts: nobody logged in to " + missing +
           "; does mpirun read /etc/mpi/hostfile? (Open MPI 5 needs --hostfile)";
}

WorldSizeWatch::WorldSizeWatch(asio::any_io_executor executor, Client& client, Clock& clock, PodLogs& logs)
    : client_(client), clock_(clock), logs_(logs), tasks_(std::move(executor)) {}

asio::awaitable<void> WorldSizeWatch::run() {
    Informer::Handlers handlers;
    handlers.put = [this](const ObjectPtr& pod) { look(pod); };
    handlers.erase = [this](const ObjectPtr& pod) { checked_.erase(pod->uid()); };
    ListScope scope;
    scope.kind = &kind_of("v1", "Pod");
    scope.label_selector = std::string(group_label) + "=launcher";
    Informer informer(client_, clock_, std::move(scope), std::move(handlers));
    co_await informer.run();
}

void WorldSizeWatch::look(const ObjectPtr& pod) {
    if (string_at(pod->dom(), "status.phase") != "Succeeded" || !checked_.insert(pod->uid()).second) return;
    tasks_.spawn("world size", check(pod));
}

asio::awaitable<bool> WorldSizeWatch::was_reached(ObjectPtr worker) {
    PodLogs::Query query;
    query.pod = worker;
    for (const Json& attempt : logs_.attempts(*worker)) {
        query.container = string_at(attempt, "container");
        query.attempt = static_cast<int>(int_at(attempt, "attempt"));
        const std::unique_ptr<PodLogs::Stream> stream = logs_.open(query);
        for (;;) {
            const auto text = co_await stream->read();
            if (!text || text->empty()) break;
            if (text->find(accepted) != std::string::npos) co_return true;
        }
    }
    co_return false;
}

asio::awaitable<void> WorldSizeWatch::check(ObjectPtr launcher) {
    const auto call = mpirun_call(*launcher);
    const std::string job(launcher->label(jobset_label));
    const Key trainjob_key{&kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"), launcher->ns(), job};
    const Key hostfile_key{&kind_of("v1", "ConfigMap"), launcher->ns(), job + "-mpi-hostfile"};
    const auto hostfile = co_await client_.get(hostfile_key);
    const auto trainjob = co_await client_.get(trainjob_key);
    if (!call || !hostfile || !trainjob) co_return;
    ListScope scope;
    scope.kind = &kind_of("v1", "Pod");
    scope.ns = launcher->ns();
    scope.label_selector = std::string(jobset_label) + "=" + job + "," + std::string(group_label) + "=node";
    const auto workers = co_await client_.list(std::move(scope));
    std::vector<ObjectPtr> candidates = logs_.gone_pods(launcher->ns());
    if (workers) candidates.insert(candidates.end(), workers->items.begin(), workers->items.end());
    std::set<std::string> reached;
    reached.insert(host_of(*launcher));
    for (const ObjectPtr& pod : candidates) {
        const bool ours = pod->label(jobset_label) == job && pod->label(group_label) == "node";
        if (ours && co_await was_reached(pod)) reached.insert(host_of(*pod));
    }
    EmitEvent event{trainjob_key, "Warning", "RanksMissing",
                    missing_hosts_message(hosts_in(string_at((*hostfile)->dom(), "data.hostfile")), reached, *call),
                    "trainshed"};
    if (event.message.empty()) co_return;
    log(LogLevel::warn, "worldsize.ranks_missing", {{"trainjob", launcher->ns() + "/" + job}, {"why", event.message}});
    Json object = make_event(event, **trainjob, clock_.now(), 0);
    WriteOptions options;
    const auto written = co_await client_.create(std::move(object), std::move(options));
    if (!written) log(LogLevel::info, "worldsize.event_lost", {{"error", written.error().message}});
}

}  // namespace shed
