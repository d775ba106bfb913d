#include "simulator/attempts.hpp"

#include "simulator/steps.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

KnownAttempt attempt_of(const Json& row) {
    KnownAttempt attempt;
    attempt.container = string_at(row, "container");
    attempt.number = static_cast<int>(int_at(row, "attempt"));
    attempt.ended = bool_at(row, "ended");
    attempt.exit_code = static_cast<int>(int_at(row, "exitCode"));
    attempt.signal = static_cast<int>(int_at(row, "signal"));
    attempt.finished = parse_time(string_at(row, "finishedAt")).value_or(Time());
    return attempt;
}

std::string namespace_path(const std::string& ns) { return "/trainshed/v1/namespaces/" + percent_encode(ns); }

}  // namespace

Result<std::vector<KnownPod>> known_pods_of(const Json& answer) {
    std::vector<KnownPod> pods;
    for (const Json& row : member(answer, "pods")) {
        KnownPod known;
        Json pod = member(row, "pod");
        if (!pod.is_object()) return Error{Reason::internal, "the server's answer has a pod that is no object"};
        pod["apiVersion"] = "v1";
        pod["kind"] = "Pod";
        auto made = object_of(std::move(pod));
        if (!made) return made.error();
        known.pod = std::move(*made);
        known.gone = bool_at(row, "gone");
        for (const Json& attempt : member(row, "attempts")) known.attempts.push_back(attempt_of(attempt));
        pods.push_back(std::move(known));
    }
    return pods;
}

asio::awaitable<Result<std::vector<KnownPod>>> fetch_attempts(Connection& cluster, std::string ns) {
    std::string path = namespace_path(ns) + "/attempts";
    auto response = co_await cluster.http.request("GET", std::move(path), "", "");
    if (!response) co_return response.error();
    const auto answer = parse_json(response->body);
    if (!answer) co_return answer.error();
    if (response->status != 200) co_return error_of(response->status, *answer);
    co_return known_pods_of(*answer);
}

std::vector<KnownPod> pods_of_job(const std::vector<KnownPod>& pods, const std::string& job) {
    std::vector<KnownPod> ours;
    for (const KnownPod& known : pods)
        if (known.pod->label("jobset.sigs.k8s.io/jobset-name") == job || known.pod->label("job-name") == job)
            ours.push_back(known);
    return ours;
}

std::vector<StepAttempt> attempts_of_step(const std::vector<KnownPod>& pods, const std::string& job,
                                          const std::string& step) {
    const std::vector<KnownPod> ours = pods_of_job(pods, job);
    std::vector<ObjectPtr> objects;
    for (const KnownPod& known : ours) objects.push_back(known.pod);
    const bool launcher = has_launcher(objects);
    std::vector<std::pair<std::pair<bool, Time>, StepAttempt>> found;
    for (const KnownPod& known : ours) {
        if (step_name(*known.pod, launcher) != step) continue;
        for (const KnownAttempt& attempt : known.attempts)
            if (attempt.container == main_container(*known.pod))
                found.push_back({{!attempt.ended, attempt.finished},
                                 {known.pod->uid(), attempt.container, attempt.number}});
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<StepAttempt> attempts;
    for (auto& [order, attempt] : found) attempts.push_back(std::move(attempt));
    return attempts;
}

std::string kept_log_path(const std::string& ns, const StepAttempt& attempt) {
    return namespace_path(ns) + "/pods/" + percent_encode(attempt.pod_uid) + "/log?container=" +
           percent_encode(attempt.container) + "&attempt=" + std::to_string(attempt.number);
}

}  // namespace shed
