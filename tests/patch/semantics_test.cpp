#include "fakes/patch/patch.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::HasSubstr;

struct Row {
    const char *name, *target, *patch, *expected;
};

void expect_equal(const Result<Json>& got, const char* expected) {
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, Json::parse(expected));
}

class Strategic : public testing::TestWithParam<Row> {};

TEST_P(Strategic, MergesAPodLikeTheRealServer) {
    const auto& [name, target, patch, expected] = GetParam();
    expect_equal(strategic_merge_patch("v1", "Pod", Json::parse(target), Json::parse(patch)),
                 expected);
}

INSTANTIATE_TEST_SUITE_P(
    , Strategic,
    testing::Values(
        Row{"MapsMerge", R"({"metadata":{"labels":{"a":"1"}}})",
            R"({"metadata":{"labels":{"b":"2"}}})", R"({"metadata":{"labels":{"a":"1","b":"2"}}})"},
        Row{"NullDeletes", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
            R"({"metadata":{"labels":{"a":null}}})", R"({"metadata":{"labels":{"b":"2"}}})"},
        Row{"NullsOfNewObjectsAreDropped", R"({})", R"({"spec":{"a":{"b":null,"c":1}}})",
            R"({"spec":{"a":{"c":1}}})"},
        Row{"NewEntriesComeFirst", R"({"spec":{"volumes":[{"name":"a"}]}})",
            R"({"spec":{"volumes":[{"name":"b"}]}})",
            R"({"spec":{"volumes":[{"name":"b"},{"name":"a"}]}})"},
        Row{"KnownEntriesKeepTheirPlace", R"({"spec":{"volumes":[{"name":"a"},{"name":"b"}]}})",
            R"({"spec":{"volumes":[{"name":"b","emptyDir":{}}]}})",
            R"({"spec":{"volumes":[{"name":"a"},{"name":"b","emptyDir":{}}]}})"},
        Row{"SetElementOrder", R"({"spec":{"volumes":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
            R"({"spec":{"$setElementOrder/volumes":[{"name":"c"},{"name":"b"}]}})",
            R"({"spec":{"volumes":[{"name":"a"},{"name":"c"},{"name":"b"}]}})"},
        Row{"SetElementOrderWithNewEntry", R"({"spec":{"volumes":[{"name":"a"}]}})",
            R"({"spec":{"$setElementOrder/volumes":[{"name":"a"},{"name":"b"}],"volumes":[{"name":"b"}]}})",
            R"({"spec":{"volumes":[{"name":"a"},{"name":"b"}]}})"},
        Row{"DeleteEntry", R"({"spec":{"volumes":[{"name":"a"},{"name":"b"}]}})",
            R"({"spec":{"volumes":[{"name":"a","$patch":"delete"}]}})",
            R"({"spec":{"volumes":[{"name":"b"}]}})"},
        Row{"ReplaceList", R"({"spec":{"volumes":[{"name":"a"}]}})",
            R"({"spec":{"volumes":[{"$patch":"replace"},{"name":"c"}]}})",
            R"({"spec":{"volumes":[{"name":"c"}]}})"},
        Row{"ReplaceMap", R"({"metadata":{"labels":{"a":"1"}}})",
            R"({"metadata":{"labels":{"$patch":"replace","b":"2"}}})",
            R"({"metadata":{"labels":{"b":"2"}}})"},
        Row{"RetainKeys", R"({"spec":{"volumes":[{"name":"a","emptyDir":{}}]}})",
            R"({"spec":{"volumes":[{"name":"a","$retainKeys":["name","secret"],"secret":{"secretName":"s"}}]}})",
            R"({"spec":{"volumes":[{"name":"a","secret":{"secretName":"s"}}]}})"},
        Row{"PrimitiveSetsMerge", R"({"metadata":{"finalizers":["a"]}})",
            R"({"metadata":{"finalizers":["b","a"]}})", R"({"metadata":{"finalizers":["b","a"]}})"},
        Row{"DeleteFromPrimitiveList", R"({"metadata":{"finalizers":["a","b"]}})",
            R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
            R"({"metadata":{"finalizers":["b"]}})"},
        Row{"TolerationsAreReplaced", R"({"spec":{"tolerations":[{"key":"a"}]}})",
            R"({"spec":{"tolerations":[{"key":"b"}]}})",
            R"({"spec":{"tolerations":[{"key":"b"}]}})"},
        // A list map of server-side apply that has no merge key.
        Row{"ClaimsAreReplaced",
            R"({"spec":{"containers":[{"name":"c","resources":{"claims":[{"name":"a"}]}}]}})",
            R"({"spec":{"containers":[{"name":"c","resources":{"claims":[{"name":"b"}]}}]}})",
            R"({"spec":{"containers":[{"name":"c","resources":{"claims":[{"name":"b"}]}}]}})"},
        Row{"EphemeralPortsMergeByContainerPort",
            R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":1,"name":"x"}]}]}})",
            R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":1,"name":"y"}]}]}})",
            R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":1,"name":"y"}]}]}})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(StrategicMerge, KnowsTheSameNameInDifferentTypes) {
    // ports of a Service merge by port; imagePullSecrets of a ServiceAccount are replaced, those of
    // a pod are not.
    expect_equal(strategic_merge_patch(
                     "v1", "Service", Json::parse(R"({"spec":{"ports":[{"port":80,"name":"a"}]}})"),
                     Json::parse(R"({"spec":{"ports":[{"port":80,"name":"b"}]}})")),
                 R"({"spec":{"ports":[{"port":80,"name":"b"}]}})");
    expect_equal(strategic_merge_patch("v1", "ServiceAccount",
                                       Json::parse(R"({"imagePullSecrets":[{"name":"a"}]})"),
                                       Json::parse(R"({"imagePullSecrets":[{"name":"b"}]})")),
                 R"({"imagePullSecrets":[{"name":"b"}]})");
    expect_equal(strategic_merge_patch(
                     "batch/v1", "Job", Json::parse(R"({"status":{"conditions":[{"type":"A"}]}})"),
                     Json::parse(R"({"status":{"conditions":[{"type":"A","status":"True"}]}})")),
                 R"({"status":{"conditions":[{"type":"A","status":"True"}]}})");
}

TEST(StrategicMerge, WorksOnNestedTypesAndOnThoseOfCustomKinds) {
    expect_equal(
        strategic_merge_type("io.k8s.api.core.v1.PodTemplateSpec",
                             Json::parse(R"({"spec":{"containers":[{"name":"a","image":"x"}]}})"),
                             Json::parse(R"({"spec":{"containers":[{"name":"a","image":"y"}]}})")),
        R"({"spec":{"containers":[{"name":"a","image":"y"}]}})");
    const char* jobset =
        R"({"replicatedJobs":[{"name":"node","template":{"spec":{"template":{"spec":{
        "containers":[{"name":"c","env":[{"name":"A","value":"1"}]}]}}}}}]})";
    const char* patch =
        R"({"replicatedJobs":[{"name":"node","template":{"spec":{"template":{"spec":{
        "containers":[{"name":"c","env":[{"name":"A","value":"2"}],"image":"i"}]}}}}}]})";
    expect_equal(strategic_merge_type("JobSetSpec", Json::parse(jobset), Json::parse(patch)),
                 R"({"replicatedJobs":[{"name":"node","template":{"spec":{"template":{"spec":{
        "containers":[{"name":"c","env":[{"name":"A","value":"2"}],"image":"i"}]}}}}}]})");
}

TEST(JsonPatch, CarriesOutEveryOperation) {
    const Json target = Json::parse(R"({"a":{"b":1},"l":[1,2]})");
    expect_equal(json_patch(target, Json::parse(R"([{"op":"test","path":"/a/b","value":1},
        {"op":"add","path":"/l/-","value":3},{"op":"replace","path":"/a/b","value":2},
        {"op":"copy","from":"/a/b","path":"/a/c"},{"op":"move","from":"/l/0","path":"/first"},
        {"op":"remove","path":"/a/b"}])")),
                 R"({"a":{"c":2},"first":1,"l":[2,3]})");
}

TEST(JsonPatch, RefusesAFailedTest) {
    const auto got = json_patch(Json::parse(R"({"a":1})"),
                                Json::parse(R"([{"op":"test","path":"/a","value":2}])"));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason, Reason::invalid);
}

TEST(MergePatch, IsThatOfRfc7386) {
    EXPECT_EQ(merge_patch(Json::parse(R"({"a":{"b":1,"c":2},"l":[1]})"),
                          Json::parse(R"({"a":{"b":null},"l":[2]})")),
              Json::parse(R"({"a":{"c":2},"l":[2]})"));
}

Json apply(const Json& live, const char* applied, const std::string& manager, bool force = false) {
    auto got =
        apply_patch(kind_of("v1", "Pod"), live, Json::parse(applied), {manager, force, "", {}});
    if (got) return *got;
    ADD_FAILURE() << got.error().message;
    return nullptr;
}

TEST(Apply, NamesEntriesByAllTheirKeysAndTheirDefaults) {
    const Json pod = apply(
        nullptr, R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}]}]}})", "m");
    const Json fields = at_path(pod, "metadata.managedFields")[0]["fieldsV1"];
    const Json& container = fields["f:spec"]["f:containers"]["k:{\"name\":\"c\"}"];
    EXPECT_TRUE(container["f:ports"].contains(R"(k:{"containerPort":80,"protocol":"TCP"})"))
        << container;
}

TEST(Apply, OwnsAtomicObjectsAsAWhole) {
    const Json pod =
        apply(nullptr, R"({"spec":{"nodeSelector":{"a":"1"},"tolerations":[{"key":"k"}]}})", "m");
    EXPECT_EQ(at_path(pod, "metadata.managedFields")[0]["fieldsV1"],
              Json::parse(R"({"f:spec":{"f:nodeSelector":{},"f:tolerations":{}}})"));
    const Json next = apply(pod, R"({"spec":{"nodeSelector":{"b":"2"}}})", "m");
    EXPECT_EQ(next["spec"], Json::parse(R"({"nodeSelector":{"b":"2"}})"));
}

TEST(Apply, TakesBackAnEntryWithWhatWasDefaultedInIt) {
    Json pod = apply(nullptr, R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})", "m");
    for (Json& container : pod["spec"]["containers"])
        container["terminationMessagePath"] = "/dev/termination-log";
    const Json next = apply(pod, R"({"spec":{"containers":[{"name":"b"}]}})", "m");
    EXPECT_EQ(next["spec"]["containers"],
              Json::parse(R"([{"name":"b","terminationMessagePath":"/dev/termination-log"}])"));
}

TEST(Apply, KeepsWhatAnotherManagerAppliedToo) {
    Json pod = apply(nullptr, R"({"metadata":{"labels":{"a":"1","b":"1"}}})", "m1");
    pod = apply(pod, R"({"metadata":{"labels":{"a":"1"}}})", "m2");
    pod = apply(pod, R"({"metadata":{}})", "m1");
    EXPECT_EQ(pod["metadata"]["labels"], Json::parse(R"({"a":"1"})"));
}

TEST(Apply, ChangesNothingWhenRepeated) {
    const char* applied =
        R"({"metadata":{"labels":{"a":"1"}},"spec":{"containers":[{"name":"a"}]}})";
    const Json once = apply(nullptr, applied, "m");
    EXPECT_EQ(apply(once, applied, "m"), once);
}

TEST(Apply, RefusesManagedFields) {
    const auto got =
        apply_patch(kind_of("v1", "Pod"), nullptr,
                    Json::parse(R"({"metadata":{"managedFields":[{}]}})"), {"m", false, "", {}});
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().message, HasSubstr("must be nil"));
}

}  // namespace
}  // namespace shed
