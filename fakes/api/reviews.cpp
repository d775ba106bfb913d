// Access and identity reviews. Everybody who got in may do everything, so the answers are short.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view account_prefix = "system:serviceaccount:";

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
    else if (user.starts_with(account_prefix)) {
        const std::string account = user.substr(account_prefix.size());
        groups = Json::array({"system:serviceaccounts",
                              "system:serviceaccounts:" + account.substr(0, account.find(':')),
                              "system:authenticated"});
    }
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
        return review_token(std::move(body), now);
    } else {
        body["status"] = {{"allowed", true}};
    }
    return body;
}

}  // namespace shed
