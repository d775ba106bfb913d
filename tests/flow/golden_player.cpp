#include "tests/flow/golden_player.hpp"

#include "tests/flow/recorder.hpp"

#include <algorithm>

namespace shed {

namespace {

using namespace std::chrono_literals;

// A case has come to its end when nothing was written for so long: longer than the Job
// controller's first back-offs, shorter than what recorded pods run at most.
constexpr Duration quiet_when_finished = 25s, quiet_when_not = 90s, longest = 3600s;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    if (from.empty() || from == to) return;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::multimap<std::string, std::string> query_of(const std::string& path) {
    std::multimap<std::string, std::string> query;
    const auto question = path.find('?');
    std::string rest = question == std::string::npos ? "" : path.substr(question + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string pair = rest.substr(0, end);
        const auto equals = pair.find('=');
        query.emplace(pair.substr(0, equals),
                      equals == std::string::npos ? "" : pair.substr(equals + 1));
        rest = end == std::string::npos ? "" : rest.substr(end + 1);
    }
    return query;
}

class Player {
public:
    explicit Player(const GoldenCase& recorded)
        : case_(recorded), cluster_(faithful()), node_(cluster_, recorded.pods) {}

    PlayedCase play();

private:
    static PaperCluster::Options faithful() {
        PaperCluster::Options options;
        options.faithful_timing = true;
        return options;
    }
    void send(const GoldenStep& step);
    std::string translated(std::string text) const;
    void learn(const Json& recorded, const Json& here);
    void run_to_the_end();
    bool unfinished() const;

    const GoldenCase& case_;
    PlayedCase result_;
    PaperCluster cluster_;
    PlayedNode node_;
    std::map<std::string, std::string> here_;  // recorded uids and versions, and ours
};

std::string Player::translated(std::string text) const {
    for (const auto& [name, script] : case_.pods)
        replace_all(text, name, node_.scripts().name_here(name));
    for (const auto& [recorded, ours] : here_) replace_all(text, recorded, ours);
    return text;
}

// Later steps may speak of the uid and the version that a step was answered with.
void Player::learn(const Json& recorded, const Json& here) {
    const std::string uid = string_at(recorded, "metadata.uid");
    if (!uid.empty()) here_[uid] = string_at(here, "metadata.uid");
    const auto version = [](const Json& object) {
        return "\"resourceVersion\":\"" + string_at(object, "metadata.resourceVersion") + "\"";
    };
    if (!uid.empty()) here_[version(recorded)] = version(here);
}

void Player::send(const GoldenStep& step) {
    const std::string path = translated(step.path.substr(0, step.path.find('?')));
    auto request = parse_path(step.method, path, query_of(step.path));
    if (!request) {
        result_.refusals.push_back(step.method + " " + path + ": " + request.error().message);
        return;
    }
    request->content_type = step.content_type.empty() ? "application/json" : step.content_type;
    request->accept = "application/json";
    request->user_agent = "OpenAPI-Generator/35.0.0/python";
    if (!step.body.is_null()) request->body = translated(dump_json(step.body));
    const Response response = cluster_.api().answer(*request, cluster_.clock().now());
    if (const auto answer = parse_json(response.body)) learn(step.response, *answer);
    if (step.status != 0 && step.status != response.status)
        result_.refusals.push_back(step.method + " " + path + ": " + response.body);
}

bool Player::unfinished() const {
    for (const Kind* kind : {&kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"),
                             &kind_of("jobset.x-k8s.io/v1alpha2", "JobSet"),
                             &kind_of("batch/v1", "Job")})
        for (const ObjectPtr& object : cluster_.store().list(*kind, case_.ns)) {
            const Json& dom = object->dom();
            if (!condition_true(dom, "Complete") && !condition_true(dom, "Completed") &&
                !condition_true(dom, "Failed"))
                return true;
        }
    return false;
}

void Player::run_to_the_end() {
    const Time end = cluster_.clock().now() + longest;
    while (cluster_.clock().now() < end) {
        const std::size_t before = cluster_.history().size();
        const Duration patience = unfinished() ? quiet_when_not : quiet_when_finished;
        cluster_.run_until([&] { return cluster_.history().size() != before; }, patience);
        cluster_.settle();
        if (cluster_.history().size() == before) return;
    }
}

PlayedCase Player::play() {
    Json space = {{"apiVersion", "v1"}, {"kind", "Namespace"}};
    space["metadata"] = {{"name", case_.ns}};
    (void)cluster_.create(space);  // `default` is there already
    cluster_.settle();
    Recorder recorder(cluster_, case_.ns);
    const Time start = cluster_.clock().now();
    for (const GoldenStep& step : case_.steps) {
        const Time at = start + step.at;
        if (at > cluster_.clock().now()) cluster_.run_for(at - cluster_.clock().now());
        send(step);
        cluster_.settle();
    }
    run_to_the_end();
    result_.timeline = recorder.timeline();
    result_.final_objects = recorder.final_objects();
    result_.facts = {{"namespace", case_.ns}, {"note", case_.note}, {"pods", node_.scripts().json()}};
    return std::move(result_);
}

}  // namespace

PlayedCase play(const GoldenCase& recorded) { return Player(recorded).play(); }

}  // namespace shed
