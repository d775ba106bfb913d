// What `trainshed run` makes of a manifest before any cluster starts.
#include "simulator/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string pod = "apiVersion: v1\nkind: Pod\n";

TEST(Manifest, GetsTheDefaultNamespace) {
    const auto objects = objects_of_manifest(pod + "metadata: {name: p}\n---\n" + pod, "m.yaml");
    ASSERT_TRUE(objects);
    ASSERT_EQ(objects->size(), 2U);
    EXPECT_EQ(string_at((*objects)[0], "metadata.namespace"), "default");
    EXPECT_EQ(string_at((*objects)[1], "metadata.namespace"), "default");
}

TEST(Manifest, WithMetadataThatIsNoneIsRefused) {
    for (const char* metadata : {"oops", "7", "[]", "[a]", "true"}) {
        const auto refused = objects_of_manifest(pod + "metadata: " + metadata + "\n", "m.yaml");
        ASSERT_FALSE(refused) << metadata;
        EXPECT_EQ(refused.error().reason, Reason::bad_request);
        EXPECT_THAT(refused.error().message, StartsWith("m.yaml: the metadata of a Pod is "));
    }
}

TEST(Manifest, ThatHoldsNoObjectsIsRefused) {
    for (const char* text : {"", "---\n", "7\n", "[1, 2]\n", "kind: List\nitems: oops\n", "kind: List\nitems: [7]\n",
                             "kind: Cod\napiVersion: v1\n", "a: [\n"}) {
        const auto refused = objects_of_manifest(text, "m.yaml");
        ASSERT_FALSE(refused) << text;
        EXPECT_THAT(refused.error().message, StartsWith("m.yaml: ")) << text;
    }
}

}  // namespace
}  // namespace shed
