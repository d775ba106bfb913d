// What a log request's options mean, in the API server's words when they mean nothing.
#include "fakes/apiserver/apiserver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::HasSubstr;

const Time now = *parse_time("2026-11-23T06:05:10Z");

ObjectPtr running_pod() {
    const Json status = {{"name", "main"}, {"restartCount", 0}, {"state", {{"running", Json::object()}}}};
    return Object::make({{"apiVersion", "v1"},
                         {"kind", "Pod"},
                         {"metadata", {{"name", "p"}, {"namespace", "default"}}},
                         {"spec", {{"containers", Json::array({Json{{"name", "main"}}})}}},
                         {"status", {{"containerStatuses", Json::array({status})}}}});
}

Result<PodLogs::Query> query(std::multimap<std::string, std::string> parameters) {
    Request request;
    request.name = "p";
    request.query = std::move(parameters);
    return log_query(running_pod(), request, now);
}

TEST(PodLogOptions, AreTaken) {
    const auto all = query({{"tailLines", "0"}, {"limitBytes", "1"}, {"sinceSeconds", "10"}, {"follow", "true"}});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->tail_lines, 0);
    EXPECT_EQ(all->limit_bytes, 1);
    EXPECT_EQ(all->since, now - std::chrono::seconds(10));
    EXPECT_TRUE(all->follow);
    EXPECT_EQ(query({{"sinceTime", "2026-11-23T06:05:00Z"}})->since, now - std::chrono::seconds(10));
}

TEST(PodLogOptions, AreRefusedByTheirFields) {
    for (const auto& [field, value, why] :
         {std::tuple("limitBytes", "0", "must be greater than 0"), std::tuple("limitBytes", "-1", "must be greater than 0"),
          std::tuple("sinceSeconds", "0", "must be greater than 0"),
          std::tuple("tailLines", "-1", "must be greater than or equal to 0")}) {
        const auto refused = query({{field, value}});
        ASSERT_FALSE(refused) << field;
        EXPECT_EQ(refused.error().reason, Reason::invalid);
        EXPECT_EQ(refused.error().message, std::string("PodLogOptions \"p\" is invalid: ") + field +
                                               ": Invalid value: " + value + ": " + why);
        EXPECT_THAT(refused.error().details, HasSubstr("\"kind\":\"PodLogOptions\""));
    }
    const auto both = query({{"sinceSeconds", "1"}, {"sinceTime", "2026-11-23T06:05:00Z"}});
    ASSERT_FALSE(both);
    EXPECT_THAT(both.error().message, HasSubstr("at most one of `sinceTime` or `sinceSeconds`"));
}

TEST(PodLogOptions, ThatAreNoNumbersOrTimesAreBadRequests) {
    for (const auto& [field, value] : {std::pair("tailLines", "x"), std::pair("limitBytes", "1k"),
                                       std::pair("sinceSeconds", "99999999999999999999"), std::pair("sinceTime", "now")}) {
        const auto refused = query({{field, value}});
        ASSERT_FALSE(refused) << field;
        EXPECT_EQ(refused.error().reason, Reason::bad_request) << field;
    }
}

TEST(PodLogOptions, OfLongAgoDoNotOverflow) {
    const auto all = query({{"sinceSeconds", "9223372036854775807"}});
    ASSERT_TRUE(all);
    EXPECT_LT(*all->since, now);
}

}  // namespace
}  // namespace shed
