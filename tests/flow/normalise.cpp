#include "tests/flow/normalise.hpp"

#include "fakes/controllers/sha1.hpp"
#include "tests/flow/golden_case.hpp"

#include <algorithm>
#include <set>

namespace shed {

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    if (from.empty()) return text;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_word(char c) { return is_hex(c) || (c >= 'g' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The length of what `form` matches at the place, or 0. In a form `x` stands for a hexadecimal
// digit, `#` for a digit, `+` for one digit or more, `*` for a small letter or digit.
std::size_t match(const std::string& text, std::size_t at, std::string_view form) {
    std::size_t i = at;
    for (const char c : form) {
        if (c == '+') {
            const std::size_t first = i;
            while (i < text.size() && is_digit(text[i])) ++i;
            if (i == first) return 0;
            continue;
        }
        if (i >= text.size()) return 0;
        const bool fits = c == 'x'   ? is_hex(text[i])
                          : c == '#' ? is_digit(text[i])
                          : c == '*' ? is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'z')
                                     : c == text[i];
        if (!fits) return 0;
        ++i;
    }
    return i - at;
}

struct Form {
    std::string_view form;
    std::string_view placeholder;  // empty: looked up
};
constexpr Form forms[] = {
    {"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", ""},
    {"####-##-##T##:##:##.+Z", "<time>"},
    {"####-##-##T##:##:##Z", "<time>"},
    {"10.244.+.+", "<ip>"},
    {"10.0.+.+", "<ip>"},
    {"kube-api-access-*****", "kube-api-access-<r>"},
    {"containerd://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "containerd://<hash>"},
    {"sha256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "sha256:<hash>"},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""},
    {"resourceVersion: \"+\"", "resourceVersion: \"<rv>\""},
};

// Event names end in a dot and sixteen hexadecimal digits.
std::string without_event_hash(const std::string& name) {
    const auto dot = name.rfind('.');
    if (dot == std::string::npos || name.size() - dot != 17) return name;
    return match(name, dot, ".xxxxxxxxxxxxxxxx") == 0 ? name : name.substr(0, dot) + ".<hash>";
}

Json event_row(const Json& event) {
    const Json& about = member(event, "involvedObject");
    const std::string component = string_at(event, "reportingComponent");
    return Json::array({member(about, "kind"), member(about, "name"), member(event, "type"),
                        member(event, "reason"), member(event, "message"), component});
}

void add_conditions(Json& seen, const Json& object) {
    if (seen.is_null()) seen = Json::array();
    const Json& conditions = at_path(object, "status.conditions");
    if (!conditions.is_array()) return;
    for (const Json& condition : conditions) {
        const Json row = Json::array({string_at(condition, "type"), string_at(condition, "status"),
                                      string_at(condition, "reason"),
                                      string_at(condition, "message")});
        const auto last = std::find_if(seen.rbegin(), seen.rend(),
                                       [&](const Json& other) { return other[0] == row[0]; });
        if (last == seen.rend() || *last != row) seen.push_back(row);
    }
}

std::string name_of(const Json& object) {
    return string_at(object, "kind") + "/" + string_at(object, "metadata.name");
}

void add_change(Json& record, std::map<std::string, Json>& last, const Json& line, const Json& object) {
    const std::string key = name_of(object), type = string_at(line, "type");
    if (string_at(object, "kind") != "Pod") add_conditions(record["conditions"][key], object);
    const auto before = last.find(key);
    Json change = before == last.end() ? object : merge_difference(before->second, object);
    last[key] = object;
    if (type == "MODIFIED" && change.empty()) return;
    record["order"].push_back(type + " " + key);
    record["history"][key].push_back(type == "DELETED" ? Json("DELETED") : std::move(change));
    if (type == "DELETED") last.erase(key);
}

}  // namespace

Json merge_difference(const Json& before, const Json& after) {
    if (!before.is_object() || !after.is_object()) return after;
    Json patch = Json::object();
    for (const auto& [name, value] : before.items())
        if (!after.contains(name)) patch[name] = nullptr;
    for (const auto& [name, value] : after.items())
        if (!before.contains(name)) patch[name] = value;
        else if (before[name] != value) patch[name] = merge_difference(before[name], value);
    return patch;
}

std::string Normaliser::pod_name(const Json& object) {
    const std::string name = string_at(object, "metadata.name");
    const auto base = base_of_pod(name);
    if (string_at(object, "kind") != "Pod" || !base ||
        string_at(object, "metadata.generateName").empty())
        return name;
    if (const auto known = pods_.find(name); known != pods_.end()) return known->second;
    const auto turn = std::count_if(pods_.begin(), pods_.end(), [&](const auto& pod) {
        return pod.second.starts_with(*base + "-<");
    });
    return pods_[name] = *base + "-<" + std::to_string(turn) + ">";
}

void Normaliser::learn(const Json& object) {
    const std::string kind = string_at(object, "kind"), name = string_at(object, "metadata.name");
    if (kind == "Event") return;
    if (kind == "Job")
        hashes_[controllers::sha1_hex(string_at(object, "metadata.namespace") + "/" + name)] =
            "<sha1 of namespace/" + name + ">";
    uids_.try_emplace(string_at(object, "metadata.uid"), "<uid " + kind + "/" + pod_name(object) + ">");
}

std::string Normaliser::with_forms(const std::string& value) const {
    std::string result;
    for (std::size_t at = 0; at < value.size();) {
        const bool begins = at == 0 || !is_word(value[at - 1]);
        const Form* found = nullptr;
        std::size_t length = 0;
        for (const Form& form : forms) {
            length = begins ? match(value, at, form.form) : 0;
            const bool ends = at + length == value.size() || !is_word(value[at + length]);
            if (length > 0 && (ends || form.form.back() == '"')) {
                found = &form;
                break;
            }
        }
        if (found == nullptr) {
            result.push_back(value[at++]);
            continue;
        }
        const std::string whole = value.substr(at, length);
        at += length;
        if (!found->placeholder.empty()) {
            result += found->placeholder;
            continue;
        }
        const bool uid = whole.find('-') != std::string::npos;
        const auto& names = uid ? uids_ : hashes_;
        const auto known = names.find(whole);
        result += known != names.end() ? known->second : uid ? "<uid>" : whole;
    }
    return result;
}

std::string Normaliser::text(std::string value) const {
    for (const auto& [name, placeholder] : pods_) value = replaced(std::move(value), name, placeholder);
    return replaced(with_forms(value), ns_, "<ns>");
}

Json Normaliser::value_of(const Json& value, const std::string& key) const {
    if (key == "resourceVersion") return "<rv>";
    if (value.is_string() && (key == "ssh-privatekey" || key == "ssh-publickey"))
        return "<" + key + ">";
    if (value.is_string())
        return text(key == "name" ? without_event_hash(value.get<std::string>())
                                  : value.get<std::string>());
    if (value.is_array()) {
        Json result = Json::array();
        for (const Json& entry : value) result.push_back(value_of(entry, ""));
        return result;
    }
    if (!value.is_object()) return value;
    Json result = Json::object();
    for (const auto& [name, entry] : value.items())
        if (name != "managedFields") result[text(name)] = value_of(entry, name);
    return result;
}

Json normal_record(const std::string& ns, const std::vector<Json>& timeline,
                   const Json& final_objects) {
    Normaliser normal(ns);
    for (const Json& line : timeline) normal.learn(line["object"]);
    for (const Json& object : final_objects) normal.learn(object);
    Json record = {{"final", Json::array()},
                   {"conditions", Json::object()},
                   {"order", Json::array()},
                   {"history", Json::object()}};
    std::set<Json> events;
    std::map<std::string, Json> last;
    for (const Json& line : timeline) {
        const std::string resource = string_at(line, "resource");
        if (resource == "events.k8s.io") continue;
        const Json object = normal(line["object"]);
        if (resource == "events") events.insert(event_row(object));
        else add_change(record, last, line, object);
    }
    record["events"] = events;
    for (auto at = record["conditions"].begin(); at != record["conditions"].end();)
        at = at->empty() ? record["conditions"].erase(at) : std::next(at);
    for (const Json& object : final_objects)
        if (string_at(object, "kind") != "Event") record["final"].push_back(normal(object));
    std::sort(record["final"].begin(), record["final"].end(),
              [](const Json& a, const Json& b) { return name_of(a) < name_of(b); });
    return record;
}

}  // namespace shed
