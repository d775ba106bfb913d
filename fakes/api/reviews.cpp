// Access and identity reviews. Everybody who got in may do everything, so the answers are short.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

Json rule(std::vector<std::string> verbs, const char* where, std::vector<std::string> groups,
          std::vector<std::string> what) {
    Json result = {{"verbs", verbs}, {where, what}};
    if (!groups.empty()) result["apiGroups"] = groups;
    return result;
}

Json all_rules() {
    return {{"resourceRules", Json::array({rule({"*"}, "resources", {"*"}, {"*"})})},
            {"nonResourceRules", Json::array({rule({"*"}, "nonResourceURLs", {}, {"*"})})},
            {"incomplete", false}};
}

Json user_info(const std::string& user) {
    Json groups = Json::array();
    if (user == "system:anonymous") groups = Json::array({"system:unauthenticated"});
    else if (user.starts_with("system:serviceaccount:")) groups = Json::array({"system:serviceaccounts", "system:authenticated"});
    else groups = Json::array({"system:masters", "system:authenticated"});
    return {{"username", user}, {"groups", std::move(groups)}};
}

}  // namespace

Result<Json> Api::Impl::answer_review(const Request& request, Json body, Time now) {
    const std::string_view kind = request.kind->kind;
    body["kind"] = kind;
    body["apiVersion"] = request.kind->api_version();
    if (!member(body, "metadata").is_object()) body["metadata"] = Json::object();
    if (kind == "SelfSubjectReview") {
        body["metadata"]["creationTimestamp"] = format_time(now);
        body["status"] = {{"userInfo", user_info(request.user)}};
    } else if (kind == "SelfSubjectRulesReview") {
        body["spec"] = Json::object();
        body["status"] = all_rules();
    } else if (kind == "TokenReview") {
        const std::string user = user_of_token(string_at(body, "spec.token"));
        if (user.empty())
            body["status"] = {{"user", Json::object()}, {"error", "invalid bearer token"}};
        else body["status"] = {{"authenticated", true}, {"user", user_info(user)}};
    } else {
        body["status"] = {{"allowed", true}};
    }
    return body;
}

}  // namespace shed
