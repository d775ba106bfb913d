#include "tests/flow/renamed.hpp"

#include <algorithm>
#include <set>

namespace shed {

namespace {

constexpr std::string_view suffix = "-zq";

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// Whether the word at [at, at + size) is a name there, and not a word of a sentence.
bool is_name(const std::string& text, std::size_t at, std::size_t size) {
    const char before = at == 0 ? '\0' : text[at - 1];
    const char after = at + size < text.size() ? text[at + size] : '\0';
    if (is_word(before) || (is_word(after) && after != '-')) return false;
    if (after == '-') return true;
    if (std::string_view("/.\"'").find(before) != std::string_view::npos) return true;
    if (before == '\0') return after == '\0' || after == '.';
    return at >= 2 && text.compare(at - 2, 2, ": ") == 0;
}

}  // namespace

Renaming::Renaming(const GoldenCase& recorded) {
    std::set<std::string> names;
    for (const GoldenStep& step : recorded.steps)
        if (const std::string name = string_at(step.body, "metadata.name"); step.method == "POST" && !name.empty())
            names.insert(name);
    names_.assign(names.begin(), names.end());
    std::sort(names_.begin(), names_.end(),
              [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string Renaming::text(const std::string& value) const {
    std::string out;
    for (std::size_t at = 0; at < value.size();) {
        const auto name = std::find_if(names_.begin(), names_.end(), [&](const std::string& candidate) {
            return value.compare(at, candidate.size(), candidate) == 0 && is_name(value, at, candidate.size());
        });
        if (name == names_.end()) {
            out += value[at++];
        } else {
            out.append(*name).append(suffix);
            at += name->size();
        }
    }
    return out;
}

Json Renaming::operator()(const Json& value) const {
    if (value.is_string()) return text(value.get<std::string>());
    if (!value.is_structured()) return value;
    Json renamed = value.is_array() ? Json::array() : Json::object();
    for (const auto& [key, part] : value.items())
        if (value.is_array()) renamed.push_back((*this)(part));
        else renamed[text(key)] = (*this)(part);
    return renamed;
}

GoldenCase Renaming::operator()(GoldenCase recorded) const {
    for (auto& [name, script] : recorded.pods) name = text(name);
    for (GoldenStep& step : recorded.steps) {
        step.path = text(step.path);
        step.body = (*this)(step.body);
        step.response = (*this)(step.response);
    }
    return recorded;
}

namespace {

bool is_free(const Json& owner, const Json& jobs) {
    if (string_at(owner, "startupPolicy.startupPolicyOrder") == "InOrder") return false;
    return std::ranges::none_of(jobs, [](const Json& job) { return job.contains("dependsOn"); });
}

bool reverse_within(Json& value) {
    if (!value.is_structured()) return false;
    bool reversed = false;
    if (Json* jobs = value.is_object() && value.contains("replicatedJobs") ? &value["replicatedJobs"] : nullptr;
        jobs != nullptr && jobs->is_array() && jobs->size() > 1 && is_free(value, *jobs)) {
        std::reverse(jobs->begin(), jobs->end());
        reversed = true;
    }
    for (Json& part : value) reversed = reverse_within(part) || reversed;
    return reversed;
}

}  // namespace

bool reverse_replicated_jobs(GoldenCase& recorded) {
    bool reversed = false;
    for (GoldenStep& step : recorded.steps) reversed = reverse_within(step.body) || reversed;
    return reversed;
}

}  // namespace shed
