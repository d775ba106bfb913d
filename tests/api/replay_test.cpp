// Requests recorded on a real cluster are sent again, and the answers compared after taking out what cannot be equal:
// uids, versions, times, random suffixes. What is known to differ is listed in data/exceptions.txt with its reason; an
// entry there that no longer differs fails, so the list only shrinks.
#include "fixture.hpp"

#include <fstream>
#include <regex>
#include <set>

namespace shed::test {
namespace {

std::vector<Json> read_lines(const std::string& file) {
    std::vector<Json> lines;
    std::ifstream in(std::string(SHED_TEST_DATA) + "/" + file);
    std::string line;
    while (std::getline(in, line))
        if (!line.empty()) lines.push_back(Json::parse(line));
    return lines;
}

// "crud 25 why" lines, as {"crud 25": "why"}.
std::map<std::string, std::string> read_exceptions() {
    std::map<std::string, std::string> exceptions;
    std::ifstream in(std::string(SHED_TEST_DATA) + "/exceptions.txt");
    std::string line;
    while (std::getline(in, line)) {
        if (line.empty() || line[0] == '#') continue;
        const auto second = line.find(' ', line.find(' ') + 1);
        exceptions[line.substr(0, second)] = second == std::string::npos ? "" : line.substr(second);
    }
    return exceptions;
}

std::string normal_text(std::string text) {
    static const std::pair<std::regex, const char*> rules[] = {
        {std::regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"},
        {std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z"), "<time>"},
        {std::regex("kube-api-access-[a-z0-9]{5}"), "kube-api-access-<r>"},
        {std::regex("(gen-|Gen_|tg-|ggggg)[a-z0-9]{5}$"), "$1<r>"},
        {std::regex("(Gen_)[a-z0-9]{5}\""), "$1<r>\""},
        {std::regex("current: [0-9]+"), "current: <rv>"},
        {std::regex("in record \\([0-9]+\\)"), "in record (<rv>)"},
        {std::regex("too old resource version: ([0-9]+) \\([0-9]+\\)"), "too old: $1"},
        {std::regex("^10\\.[0-9]+\\.[0-9]+\\.[0-9]+$"), "<ip>"},
    };
    for (const auto& [pattern, replacement] : rules) text = std::regex_replace(text, pattern, replacement);
    return text;
}

Json normal(const Json& value) {
    if (value.is_string()) return normal_text(value.get<std::string>());
    if (value.is_array()) {
        Json array = Json::array();
        for (const Json& item : value) array.push_back(normal(item));
        return array;
    }
    if (!value.is_object()) return value;
    Json object = Json::object();
    for (const auto& [key, item] : value.items()) {
        if (key == "managedFields" || key == "description") continue;
        const bool random = key == "resourceVersion" || key == "continue" || key == "token";
        object[key] = random && item.is_string() && !item.get<std::string>().empty()
                          ? Json("<" + key + ">")
                          : normal(item);
    }
    return object;
}

class Replay {
public:
    explicit Replay(std::string name) : name_(std::move(name)), exceptions_(read_exceptions()) {}

    Cluster cluster;

    // Each line is an object, or a step of history: {"put": object, "rv": n} or {"remove": configmap, "rv": n}.
    void seed() {
        for (Json line : read_lines(name_ + ".seed.jsonl")) {
            if (line.contains("remove"))
                cluster.store.remove({&kind_of("v1", "ConfigMap"), "g-api", string_at(line, "remove")});
            else cluster.store.put(line.contains("put") ? line["put"] : line);
            if (line.contains("rv")) versions_[int_at(line, "rv")] = cluster.store.version();
        }
    }

    // Sends one recorded request and says how the answer differs; empty when it does not.
    std::string difference(const Json& line) {
        Call call{string_at(line, "method"), string_at(line, "path")};
        const std::string query = string_at(line, "query");
        if (!query.empty()) call.target += "?" + translated_query(query);
        const Json& body = line["body"];
        call.body = body.is_string() ? body.get<std::string>() : body.is_null() ? "" : body.dump();
        for (const auto& [recorded, ours] : uids_) replace_all(call.body, recorded, ours);
        for (const auto& [recorded, ours] : object_versions_) replace_all(call.body, recorded, ours);
        call.content_type = string_at(line, "contentType");
        call.accept = string_at(line, "accept", "application/json");
        if (line.contains("events")) return watch_difference(line, call);
        const Response response = answered(call);
        std::string text;
        const int status = static_cast<int>(int_at(line, "status"));
        if (response.status != status)
            text += "status " + std::to_string(response.status) + " for " + std::to_string(status) + "\n";
        const auto parsed = parse_json(response.body);
        if (parsed) learn(line["response"], *parsed);
        const Json ours = normal(parsed ? *parsed : Json(response.body));
        const Json theirs = normal(line["response"]);
        // Long lists were recorded as the number of their items.
        if (const Json& count = member(theirs, "items"); count.is_number()) return text;
        if (ours != theirs) text += diff_text(theirs, ours);
        const std::string warning = header_of(response, "Warning");
        const std::string wanted = string_at(line, "headers.Warning");
        if (warning != wanted) text += "Warning: '" + warning + "' for '" + wanted + "'\n";
        return text;
    }

    void run() {
        int equal = 0, all = 0;
        for (const Json& line : read_lines(name_ + ".jsonl")) {
            const std::string id = name_ + " " + std::to_string(int_at(line, "id"));
            const std::string text = difference(line);
            const auto exception = exceptions_.find(id);
            ++all;
            equal += text.empty() ? 1 : 0;
            if (exception != exceptions_.end()) {
                EXPECT_FALSE(text.empty()) << id << " is equal now: take it out of exceptions.txt";
                continue;
            }
            EXPECT_TRUE(text.empty()) << id << " " << string_at(line, "note") << " "
                                      << string_at(line, "method") << " " << string_at(line, "path")
                                      << "?" << string_at(line, "query") << "\n"
                                      << text;
        }
        std::cout << "replay " << name_ << ": " << equal << " of " << all << " equal\n";
        ::testing::Test::RecordProperty("equal", equal);
    }

private:
    static void replace_all(std::string& text, const std::string& from, const std::string& to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    }

    // Later requests speak of the uids and versions that were answered then.
    void learn(const Json& theirs, const Json& ours) {
        const std::string uid = string_at(theirs, "metadata.uid");
        const std::string version = string_at(theirs, "metadata.resourceVersion");
        if (!uid.empty()) uids_[uid] = string_at(ours, "metadata.uid");
        const std::string token = string_at(theirs, "metadata.continue");
        if (!token.empty()) tokens_[token] = string_at(ours, "metadata.continue");
        if (!uid.empty() && !version.empty())
            object_versions_["\"resourceVersion\":\"" + version + "\""] =
                "\"resourceVersion\":\"" + string_at(ours, "metadata.resourceVersion") + "\"";
    }

    std::string translated_query(std::string query) const {
        for (const auto& [recorded, ours] : tokens_) replace_all(query, recorded, ours);
        const auto at = query.find("resourceVersion=");
        if (at == std::string::npos) return query;
        const auto begin = at + std::string("resourceVersion=").size();
        const auto end = std::min(query.find('&', begin), query.size());
        const std::string text = query.substr(begin, end - begin);
        if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return query;
        const auto newer = versions_.upper_bound(std::stoll(text));
        if (newer == versions_.begin() || newer == versions_.end()) return query;
        return query.replace(begin, end - begin, std::to_string(std::prev(newer)->second));
    }

    // A watch that is refused is answered like anything else.
    Response answered(const Call& call) {
        const auto request = cluster.request(call);
        if (request && request->verb == Verb::watch) {
            const auto watch = cluster.api.watch(*request, cluster.now);
            return watch ? Response{} : response_of(watch.error());
        }
        return cluster.send(call);
    }

    static std::string diff_text(const Json& theirs, const Json& ours) {
        std::string text;
        int shown = 0;
        if (theirs.is_string() || ours.is_string())
            return "theirs " + theirs.dump().substr(0, 300) + "\n  ours " + ours.dump().substr(0, 300) + "\n";
        for (const Json& op : Json::diff(theirs, ours)) {
            if (++shown > 12) return text + "  ...\n";
            text += "  " + op.dump().substr(0, 400) + "\n";
        }
        return text;
    }

    std::string watch_difference(const Json& line, const Call& call) {
        const auto request = cluster.request(call);
        if (!request) return "not served: " + request.error().message + "\n";
        Json events = Json::array();
        if (request->verb != Verb::watch) {
            events.push_back(Json::parse(cluster.api.answer(*request, cluster.now).body));
        } else {
            auto watch = cluster.api.watch(*request, cluster.now);
            if (!watch) return "refused: " + watch.error().message + "\n";
            std::string seconds(request->parameter("timeoutSeconds"));
            const Time end = cluster.now + std::chrono::seconds(std::stoi(seconds.empty() ? "1" : seconds));
            for (const Time when : {cluster.now, end})
                for (const std::string& frame : (*watch)->poll_frames(when))
                    events.push_back(Json::parse(frame));
        }
        const Json theirs = normal(line["events"]);
        const Json ours = normal(events);
        return theirs == ours ? "" : diff_text(theirs, ours);
    }

    std::string name_;
    std::map<std::string, std::string> exceptions_;
    std::map<std::string, std::string> uids_, object_versions_, tokens_;
    std::map<std::int64_t, ResourceVersion> versions_;
};

class Replays : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Replays, AreEqualToTheRecording) {
    Replay replay(GetParam().first);
    replay.cluster.now = *parse_time(GetParam().second);
    replay.seed();
    replay.run();
}

INSTANTIATE_TEST_SUITE_P(Api, Replays,
                         ::testing::Values(std::pair{"crud", "2026-11-23T06:10:36Z"},
                                           std::pair{"errors", "2026-11-23T06:05:52Z"},
                                           std::pair{"list", "2026-11-23T06:10:50Z"},
                                           std::pair{"watch", "2026-11-23T06:10:51Z"},
                                           std::pair{"delete", "2026-11-23T06:11:11Z"},
                                           std::pair{"tables", "2026-11-23T06:10:36.45Z"}),
                         [](const auto& row) { return std::string(row.param.first); });

}  // namespace
}  // namespace shed::test
