// `why JOB`: gathers what is known of a job, lets it be diagnosed, and prints the answer.
#include "simulator/why/why.hpp"

#include "simulator/attempts.hpp"
#include "simulator/commands.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr int log_lines_read = 400;

asio::awaitable<Result<std::vector<ObjectPtr>>> list_of(Client& client, const char* version, const char* kind,
                                                        std::string ns, std::string label) {
    ListScope scope;
    scope.kind = &kind_of(version, kind);
    scope.ns = std::move(ns);
    scope.label_selector = std::move(label);
    auto listed = co_await client.list(std::move(scope));
    if (!listed) co_return listed.error();
    co_return std::move(listed->items);
}

asio::awaitable<std::string> log_of(Connection& cluster, std::string ns, FirstFailure failure) {
    const StepAttempt attempt{failure.pod_uid, failure.container, failure.attempt};
    std::string path = kept_log_path(ns, attempt) + "&tailLines=" + std::to_string(log_lines_read);
    auto response = co_await cluster.http.request("GET", std::move(path), "", "");
    co_return response && response->status == 200 ? response->body : std::string();
}

Json to_json(const FirstFailure& failure) {
    Json out;
    out["time"] = format_micro_time(failure.time);
    out["pod"] = failure.pod;
    out["container"] = failure.container;
    out["step"] = failure.step;
    out["attempt"] = failure.attempt + 1;
    out["attempts"] = failure.attempts;
    if (failure.rank) out["rank"] = *failure.rank;
    else out["rank"] = nullptr;
    if (!failure.node.empty()) out["node"] = failure.node;
    out["exit_code"] = failure.exit_code;
    if (failure.signal > 0) out["signal"] = failure.signal;
    else out["signal"] = nullptr;
    out["log_tail"] = failure.log_tail;
    out["hint"] = failure.hint;
    return out;
}

void print_rows(std::ostream& out, const std::vector<std::pair<std::string, std::string>>& rows) {
    for (const auto& [name, value] : rows)
        if (!value.empty()) out << "  " << name << std::string(12 - name.size(), ' ') << value << "\n";
}

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width - std::min(width, text.size()), ' ');
}

void print_chain(std::ostream& out, const std::vector<Link>& chain) {
    std::size_t kind = 0, name = 0, reason = 0;
    for (const Link& link : chain) {
        kind = std::max(kind, link.kind.size());
        name = std::max(name, link.name.size());
        reason = std::max(reason, link.reason.size());
    }
    out << "\nChain\n";
    for (const Link& link : chain)
        out << "  " << padded(link.kind, kind) << "  " << padded(link.name, name) << "  "
                  << padded(link.reason, reason) << "  " << link.message << "\n";
}

// Last, so that it is what stays on the screen, as torchrun does it.
void print_failure(std::ostream& out, const FirstFailure& failure, Time created) {
    out << "\nRoot cause (first failure)\n";
    const auto since = std::chrono::duration_cast<std::chrono::steady_clock::duration>(failure.time - created);
    std::string which = failure.container;
    if (failure.attempts > 1) which += ", the first of " + std::to_string(failure.attempts) + " attempts";
    print_rows(out, {{"time", format_time(failure.time) + " (" + seconds_text(since) + " after its creation)"},
                {"pod", failure.pod + " (step " + failure.step + ")"},
                {"container", which},
                {"rank", failure.rank ? std::to_string(*failure.rank) +
                                            (failure.node.empty() ? "" : " on " + failure.node)
                                      : ""},
                {"exit code", std::to_string(failure.exit_code)},
                {"signal", failure.signal > 0 ? std::to_string(failure.signal) : ""}});
    if (!failure.log_tail.empty()) out << "  log\n";
    for (const std::string& line : failure.log_tail) out << "    | " << line << "\n";
}

asio::awaitable<Result<Evidence>> gather(Connection& cluster, std::string ns, std::string job) {
    Evidence evidence;
    const Key key{&kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"), ns, job};
    auto trainjob = co_await cluster.client->get(key);
    if (!trainjob) co_return trainjob.error();
    evidence.trainjob = *trainjob;
    const std::string label = "jobset.sigs.k8s.io/jobset-name=" + job;
    auto jobsets = co_await list_of(*cluster.client, "jobset.x-k8s.io/v1alpha2", "JobSet", ns, std::string());
    auto jobs = co_await list_of(*cluster.client, "batch/v1", "Job", ns, label);
    auto events = co_await list_of(*cluster.client, "v1", "Event", ns, std::string());
    auto pods = co_await fetch_attempts(cluster, ns);
    if (!jobsets) co_return jobsets.error();
    if (!jobs) co_return jobs.error();
    if (!events) co_return events.error();
    if (!pods) co_return pods.error();
    for (const ObjectPtr& jobset : *jobsets)
        if (jobset->name() == job) evidence.jobsets.push_back(jobset);
    evidence.jobs = std::move(*jobs);
    evidence.events = std::move(*events);
    evidence.pods = pods_of_job(*pods, job);
    co_return evidence;
}

}  // namespace

Json to_json(const Diagnosis& diagnosis) {
    Json chain = Json::array();
    for (const Link& link : diagnosis.chain)
        chain.push_back({{"kind", link.kind}, {"name", link.name}, {"reason", link.reason}, {"message", link.message}});
    Json out = {{"state", state_name(diagnosis.state)},
                {"summary", diagnosis.summary},
                {"chain", std::move(chain)},
                {"first_failure", nullptr},
                {"hint", diagnosis.hint}};
    if (diagnosis.first_failure) out["first_failure"] = to_json(*diagnosis.first_failure);
    return out;
}

void print(const Diagnosis& diagnosis, std::ostream& out) {
    out << diagnosis.summary << "\n";
    print_chain(out, diagnosis.chain);
    if (diagnosis.first_failure) print_failure(out, *diagnosis.first_failure, diagnosis.created);
    const bool explained = diagnosis.first_failure && !diagnosis.first_failure->hint.empty();
    const std::string& hint = explained ? diagnosis.first_failure->hint : diagnosis.hint;
    if (!hint.empty()) out << "  hint        " << hint << "\n";
}

asio::awaitable<Result<Diagnosis>> diagnose_job(Connection& cluster, std::string ns, std::string job) {
    const auto evidence = co_await gather(cluster, ns, job);
    if (!evidence) co_return evidence.error();
    Diagnosis diagnosis = diagnose(*evidence);
    if (diagnosis.first_failure) {
        const std::string log = co_await log_of(cluster, ns, *diagnosis.first_failure);
        explain(*diagnosis.first_failure, log);
    }
    co_return diagnosis;
}

int command_why(const WhyOptions& options) {
    return run_connected(options.common, [&options](Connection& cluster) -> asio::awaitable<int> {
        const Terminal terminal(options.common.plain, options.common.quiet);
        const auto diagnosis = co_await diagnose_job(cluster, options.ns, options.job);
        if (!diagnosis) co_return report(terminal, diagnosis.error());
        if (options.common.output == "json") std::cout << to_json(*diagnosis).dump(2) << "\n";
        else print(*diagnosis, std::cout);
        co_return exit_ok;
    });
}

}  // namespace shed
