// Requests recorded on a real cluster that admission alone decides. What is known to differ is listed in
// data/exceptions.txt with its reason; an entry there that no longer differs fails, so the list only shrinks.
#include "fixture.hpp"

#include "fakes/types/types.hpp"

#include <iostream>
#include <regex>
#include <sstream>

namespace shed::test {
namespace {

std::map<int, std::string> read_exceptions() {
    std::map<int, std::string> exceptions;
    std::ifstream in(std::string(SHED_TEST_DATA) + "/exceptions.txt");
    std::string line;
    while (std::getline(in, line)) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        int id = 0;
        words >> id;
        std::getline(words, exceptions[id]);
    }
    return exceptions;
}

const Kind& kind_of_path(const std::string& path) {
    static const std::regex form("^/(?:api|apis/([^/]+))/([^/]+)(?:/namespaces/[^/]+)?/([a-z]+)(?:/.*)?$");
    std::smatch match;
    EXPECT_TRUE(std::regex_match(path, match, form)) << path;
    const Kind* kind = find_kind(match[1].str(), match[2].str(), match[3].str());
    EXPECT_NE(kind, nullptr) << path;
    return *kind;
}

std::string normal(std::string text) {
    static const std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z");
    static const std::regex token("kube-api-access-[a-z0-9]{5}");
    static const std::regex uid("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    text = std::regex_replace(text, time, "<time>");
    text = std::regex_replace(text, token, "kube-api-access-<r>");
    return std::regex_replace(text, uid, "<uid>");
}

// Lists of these are merged by name in a strategic merge patch; enough for the recorded requests.
void patch_strategically(Json& target, const Json& patch) {
    for (const auto& [name, value] : patch.items()) {
        Json& now = target[name];
        if (name == "containers" && now.is_array()) {
            for (const Json& item : value)
                for (Json& each : now)
                    if (each["name"] == item["name"]) each.merge_patch(item);
        } else if (value.is_object() && now.is_object()) {
            patch_strategically(now, value);
        } else if (value.is_null()) {
            target.erase(name);
        } else {
            now = value;
        }
    }
}

// The recorded requests in order, each against what the ones before have left behind.
class Replay {
public:
    // Empty when the answer is the recorded one.
    std::string differs(const Json& line) {
        return line["method"] == "POST" ? post(line) : patch(line);
    }

private:
    std::string post(const Json& line) {
        const Kind& kind = kind_of_path(line["path"].get<std::string>());
        Json object = line["body"];
        object["apiVersion"] = kind.api_version();
        object["kind"] = kind.kind;
        Json& metadata = object["metadata"];
        metadata["uid"] = "00000000-0000-4000-8000-000000000009";
        metadata["creationTimestamp"] = format_time(some_time());
        if (kind.namespaced) metadata["namespace"] = "g-19a-errors";
        else metadata.erase("namespace");
        if (kind.has_generation) metadata["generation"] = 1;
        if (kind.has_status) object.erase("status");
        const auto unknown = unknown_fields(kind, object);
        prune_unknown(kind, object);
        auto admitted = create(object, cluster_);
        // The API warns of what it drops before it asks admission.
        for (const std::string& path : unknown)
            if (admitted) admitted->warnings.push_back("unknown field \"" + path + "\"");
        std::string difference = compare(line, admitted, object);
        const bool kept = admitted && !line.contains("dryRun") && line["status"] == 201;
        if (kept) remember(kind, std::move(object));
        return difference;
    }

    std::string patch(const Json& line) {
        std::string path = line["path"].get<std::string>();
        const Kind& kind = kind_of_path(path);
        const bool status = path.ends_with("/status");
        if (status) path.resize(path.size() - std::string("/status").size());
        const std::string name = path.substr(path.rfind('/') + 1);
        const auto found = objects_.find({std::string(kind.plural), name});
        if (found == objects_.end()) return "there is no " + name;
        Json object = found->second;
        if (line["type"] == "application/merge-patch+json") object.merge_patch(line["body"]);
        else if (line["type"] == "application/json-patch+json") object = object.patch(line["body"]);
        else patch_strategically(object, line["body"]);
        const auto admitted = update(object, found->second, cluster_, status ? "status" : "");
        std::string difference = compare(line, admitted, object);
        if (admitted && !line.contains("dryRun") && line["status"] == 200) found->second = object;
        return difference;
    }

    void remember(const Kind& kind, Json object) {
        objects_[{std::string(kind.plural), object["metadata"]["name"].get<std::string>()}] = object;
        cluster_.put(std::move(object));
    }

    static std::string compare(const Json& line, const Result<Admitted>& got, const Json& object) {
        if (line["status"] < 300) {
            if (!got) return "refused: " + got.error().message;
            return compare_stored(line, *got, object);
        }
        if (got) return "accepted";
        const Error& error = got.error();
        std::string text;
        if (http_code(error.reason) != line["status"])
            text += "status " + std::to_string(http_code(error.reason)) + "\n";
        const std::string expected = line["message"].get<std::string>();
        if (normal(error.message) != normal(expected))
            text += "wanted: " + expected + "\n   got: " + error.message + "\n";
        if (!line.contains("causes")) return text;
        const Json causes = Json::parse(error.details.empty() ? "{}" : error.details).value("causes", Json());
        if (normal(causes.dump()) != normal(line["causes"].dump()))
            text += "wanted: " + line["causes"].dump() + "\n   got: " + causes.dump();
        return text;
    }

    static std::string compare_stored(const Json& line, const Admitted& got, const Json& object) {
        std::string warnings;
        for (const std::string& text : got.warnings) warnings += "299 - " + Json(text).dump();
        if (warnings != line.value("warning", "")) return "warnings: " + warnings;
        // Whoever runs the object has added to its status, and the API gives services their address.
        Json expected = line["stored"].value("spec", Json());
        Json spec = object.value("spec", Json());
        for (const char* name : {"clusterIP", "clusterIPs"}) {
            if (object["kind"] != "Service") break;
            expected.erase(name);
            spec.erase(name);
        }
        const Json difference =
            Json::diff(Json::parse(normal(expected.dump())), Json::parse(normal(spec.dump())));
        return difference.empty() ? "" : difference.dump();
    }

    FewObjects cluster_ = recorded_cluster();
    std::map<std::pair<std::string, std::string>, Json> objects_;
};

TEST(RecordedRequests, AreAnsweredAsByTheRealServer) {
    const auto exceptions = read_exceptions();
    const auto lines = read_lines("errors.jsonl");
    Replay replay;
    std::size_t equal = 0;
    for (const Json& line : lines) {
        const int id = line["id"].get<int>();
        const std::string difference = replay.differs(line);
        const bool excepted = exceptions.contains(id);
        equal += difference.empty();
        EXPECT_EQ(!difference.empty(), excepted)
            << id << " " << line["note"].get<std::string>()
            << (excepted ? ": no longer differs, strike it from exceptions.txt" : ": " + difference);
    }
    std::cout << equal << " of " << lines.size() << " recorded requests are answered equally\n";
}

}  // namespace
}  // namespace shed::test
