#include "tests/flow/golden_case.hpp"

#include "fakes/yaml/yaml.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace shed {

namespace {

constexpr std::string_view suffix_letters = "bcdfghjklmnpqrstvwxz2456789";
constexpr std::size_t suffix_length = 5;

Result<std::string> text_of(const std::string& path) {
    std::ifstream in(path);
    if (!in) return Error{Reason::not_found, "cannot read " + path};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

Duration seconds_of(const Json& value) {
    if (!value.is_number()) return Duration{};
    return Duration(static_cast<Duration::rep>(value.get<double>() * 1e6 + 0.5));
}

std::vector<int> codes_of(const Json& list) {
    std::vector<int> codes;
    if (list.is_array())
        for (const Json& code : list) codes.push_back(code.get<int>());
    return codes;
}

Result<std::vector<GoldenStep>> read_steps(const std::string& path) {
    std::vector<GoldenStep> steps;
    const auto text = text_of(path);
    if (!text) return steps;  // a case may have its objects only
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        const auto step = parse_json(line);
        if (!step) return Error{step.error().reason, path + ": " + step.error().message};
        if (string_at(*step, "method").empty()) continue;
        GoldenStep parsed{std::chrono::milliseconds(int_at(*step, "ms")),
                          string_at(*step, "method"),
                          string_at(*step, "path"),
                          string_at(*step, "contentType"),
                          member(*step, "body"),
                          member(*step, "response"),
                          static_cast<int>(int_at(*step, "status"))};
        steps.push_back(std::move(parsed));
    }
    return steps;
}

// The order of the pods counts, which Json does not keep.
RecordedPods read_pods(const std::string& case_json) {
    RecordedPods pods;
    const auto facts = nlohmann::ordered_json::parse(case_json, nullptr, false);
    const auto found = facts.is_object() ? facts.find("pods") : facts.end();
    if (found == facts.end()) return pods;
    for (const auto& [name, script] : found->items())
        pods.emplace_back(name, PodScript::read(Json::parse(script.dump())));
    return pods;
}

bool creates(const GoldenStep& step, const Json& object) {
    return step.method == "POST" && string_at(step.body, "kind") == string_at(object, "kind") &&
           string_at(step.body, "metadata.name") == string_at(object, "metadata.name");
}

Result<GoldenStep> creation(const Json& object, const std::string& default_ns) {
    const std::string api_version = string_at(object, "apiVersion");
    const Kind* kind = find_kind_by_name(api_version, string_at(object, "kind"));
    if (kind == nullptr)
        return Error{Reason::bad_request, "input.yaml: no kind " + string_at(object, "kind") +
                                              " in " + api_version};
    const std::string ns = string_at(object, "metadata.namespace", default_ns);
    GoldenStep step;
    step.method = "POST";
    step.path = (kind->group.empty() ? "/api/" : "/apis/") + api_version;
    if (kind->namespaced) step.path += "/namespaces/" + ns;
    step.path += "/" + std::string(kind->plural);
    step.body = object;
    return step;
}

}  // namespace

std::optional<std::string> base_of_pod(const std::string& name) {
    if (name.size() < suffix_length + 2 || name[name.size() - suffix_length - 1] != '-')
        return std::nullopt;
    const std::string_view suffix = std::string_view(name).substr(name.size() - suffix_length);
    if (suffix.find_first_not_of(suffix_letters) != std::string_view::npos) return std::nullopt;
    return name.substr(0, name.size() - suffix_length - 1);
}

PodScript PodScript::read(const Json& script) {
    PodScript result;
    result.after = seconds_of(member(script, "after"));
    result.exits = codes_of(member(script, "exits"));
    result.fails = codes_of(member(script, "fails"));
    result.runs = bool_at(script, "run", result.exits.empty());
    result.stop_code = static_cast<int>(int_at(script, "stop", result.stop_code));
    return result;
}

Json PodScript::json() const {
    Json script = Json::object();
    if (runs) script["run"] = true;
    if (stop_code != PodScript().stop_code) script["stop"] = stop_code;
    if (after.count() > 0) script["after"] = static_cast<double>(after.count()) / 1e6;
    if (!exits.empty()) script["exits"] = exits;
    if (!fails.empty()) script["fails"] = fails;
    return script;
}

std::optional<int> PodScript::exit_of(int restarts) const {
    const auto run = static_cast<std::size_t>(restarts);
    if (runs) return run < fails.size() ? std::optional(fails[run]) : std::nullopt;
    if (exits.empty()) return 0;
    return exits[std::min(run, exits.size() - 1)];
}

PodScripts::PodScripts(const RecordedPods& pods) {
    for (const auto& [name, script] : pods) {
        const std::string base = base_of_pod(name).value_or(name);
        scripts_[base].push_back(script);
        recorded_[base].push_back(name);
    }
}

const PodScript& PodScripts::find(const Object& pod, const std::string& base,
                                  std::size_t turn) const {
    static const PodScript until_stopped = PodScript::read(Json::object());
    if (const auto known = scripts_.find(base); known != scripts_.end())
        return known->second[std::min(turn, known->second.size() - 1)];
    const std::string job(pod.label("job-name"));
    for (const auto& [other, scripts] : scripts_)
        if (!job.empty() && other.starts_with(job + "-")) return scripts.back();
    return until_stopped;
}

const PodScript& PodScripts::next(const Object& pod) {
    const std::string base = base_of_pod(pod.name()).value_or(pod.name());
    std::vector<std::string>& turns = names_here_[base];
    const PodScript& script = find(pod, base, turns.size());
    turns.push_back(pod.name());
    played_.emplace_back(pod.name(), script);
    return script;
}

std::string PodScripts::name_here(const std::string& name) const {
    const auto base = base_of_pod(name);
    const auto recorded = base ? recorded_.find(*base) : recorded_.end();
    const auto here = base ? names_here_.find(*base) : names_here_.end();
    if (recorded == recorded_.end() || here == names_here_.end()) return name;
    const auto turn = std::find(recorded->second.begin(), recorded->second.end(), name);
    const auto index = static_cast<std::size_t>(turn - recorded->second.begin());
    return index < here->second.size() && turn != recorded->second.end() ? here->second[index]
                                                                         : name;
}

Json PodScripts::json() const {
    Json pods = Json::object();
    for (const auto& [name, script] : played_) pods[name] = script.json();
    return pods;
}

Result<GoldenCase> GoldenCase::read(const std::string& directory) {
    const auto text = text_of(directory + "/case.json");
    if (!text) return text.error();
    const auto facts = parse_json(*text);
    if (!facts) return Error{facts.error().reason, "case.json: " + facts.error().message};
    auto steps = read_steps(directory + "/steps.jsonl");
    if (!steps) return steps.error();
    GoldenCase result{string_at(*facts, "namespace", "default"), string_at(*facts, "note"),
                      read_pods(*text), {}};
    const auto input = text_of(directory + "/input.yaml");
    auto objects = parse_yaml_documents(input ? *input : std::string());
    if (!objects) return Error{objects.error().reason, "input.yaml: " + objects.error().message};
    // What no step creates is there from the start.
    for (const Json& object : *objects) {
        if (std::any_of(steps->begin(), steps->end(),
                        [&](const GoldenStep& step) { return creates(step, object); }))
            continue;
        auto step = creation(object, result.ns);
        if (!step) return step.error();
        result.steps.push_back(std::move(*step));
    }
    for (GoldenStep& step : *steps) result.steps.push_back(std::move(step));
    return result;
}

}  // namespace shed
