#include "simulator/attempts.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

TEST(KnownPodsTest, APodThatIsNoneIsAnErrorOfTheAnswer) {
    const Json good = {{"pod", {{"metadata", {{"name", "a"}, {"namespace", "b"}, {"uid", "c"}}}}}, {"gone", true}};
    const auto pods = known_pods_of({{"pods", {good}}});
    ASSERT_TRUE(pods) << pods.error().message;
    ASSERT_EQ(pods->size(), 1u);
    EXPECT_TRUE(pods->front().gone);
    for (const Json& pod : {Json(7), Json("x"), Json::array(), Json({{"metadata", 3}})})
        EXPECT_FALSE(known_pods_of({{"pods", {Json{{"pod", pod}}}}})) << pod;
}

}  // namespace
}  // namespace shed
