// What a securityContext becomes, and which namespaces a pod shares.
#include "tests/kubelet/place.hpp"

namespace shed::kubelet {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

constexpr const char* net_bind = "10";
constexpr const char* net_admin = "12";
constexpr const char* sys_ptrace = "19";

Spec capabilities(Json lists) {
    const auto made = capability_records({{"securityContext", {{"capabilities", lists}}}});
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Spec{};
}

TEST(Capabilities, WithoutAWishAreTheDefault) {
    EXPECT_THAT(capabilities(Json::object()), IsEmpty());
}

TEST(Capabilities, DropAllLeavesWhatIsAddedByName) {
    const Spec records =
        capabilities({{"drop", Json::array({"ALL"})}, {"add", Json::array({"NET_BIND_SERVICE"})}});
    EXPECT_THAT(records, Contains(SpecRecord{"keep-cap", net_bind}));
    EXPECT_THAT(records, Contains(SpecRecord{"drop-cap", net_admin}));
    EXPECT_THAT(records, Not(Contains(SpecRecord{"keep-cap", net_admin})));
}

TEST(Capabilities, ADropByNameWins) {
    const Spec records =
        capabilities({{"drop", Json::array({"net_admin"})}, {"add", Json::array({"ALL"})}});
    EXPECT_THAT(records, Contains(SpecRecord{"drop-cap", net_admin}));
    EXPECT_THAT(records, Not(Contains(SpecRecord{"keep-cap", net_admin})));
    EXPECT_THAT(records, Contains(SpecRecord{"keep-cap", net_bind}));
}

TEST(Capabilities, NobodyMayTraceTheContainersFirstProcess) {
    EXPECT_THAT(capabilities({{"add", Json::array({"ALL", "SYS_PTRACE"})}}),
                Not(Contains(SpecRecord{"keep-cap", sys_ptrace})));
}

TEST(Capabilities, UnknownOnesAreNamed) {
    const auto made = capability_records(
        {{"securityContext", {{"capabilities", {{"add", Json::array({"FLY"})}}}}}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().message, "unknown capability \"CAP_FLY\"");
}

TEST(RunAsNonRoot, SaysWhyInTheKubeletsWords) {
    struct Row {
        Json pod, container;
        int image_uid;
        std::string wanted;
    };
    const Json set = {{"runAsNonRoot", true}};
    const std::string about = " (pod: \"p_ns(U)\", container: c)";
    for (const Row& row :
         {Row{Json::object(), Json::object(), 0, ""}, Row{set, Json::object(), 1000, ""},
          Row{set, Json::object(), 0,
              "container has runAsNonRoot and image will run as root" + about},
          Row{set, {{"runAsUser", 5}}, 0, ""},
          Row{set,
              {{"runAsUser", 0}},
              1000,
              "container's runAsUser breaks non-root policy" + about},
          Row{set, {{"runAsNonRoot", false}}, 0, ""}}) {
        Environment environment;
        environment.uid = environment.gid = row.image_uid;
        environment.home = "/root";
        const Json pod =
            a_pod({{"securityContext", row.container}}, {{"securityContext", row.pod}});
        EXPECT_EQ(non_root_violation(place_of(pod), pod["spec"]["containers"][0], environment),
                  row.wanted)
            << row.pod.dump() << row.container.dump() << row.image_uid;
    }
}

TEST(Sandbox, SharesWhatThePodAsksFor) {
    EXPECT_THAT(sandbox_spec(place_of(a_pod())), Not(Contains(SpecRecord{"share-pid"})));
    const Json sharing = a_pod(Json::object(), {{"shareProcessNamespace", true}});
    EXPECT_THAT(sandbox_spec(place_of(sharing)), Contains(SpecRecord{"share-pid"}));
    const Json host =
        a_pod(Json::object(), {{"hostPID", true}, {"hostIPC", true}, {"hostNetwork", true}});
    const Spec records = sandbox_spec(place_of(host));
    EXPECT_THAT(records, Contains(SpecRecord{"host-pid"}));
    EXPECT_THAT(records, Contains(SpecRecord{"host-ipc"}));
    EXPECT_THAT(records, Contains(SpecRecord{"host-network"}));
    EXPECT_THAT(records, Contains(SpecRecord{"hostname", "n1"}));
}

TEST(Sandbox, IsCalledByItsFullNameWhereThePodAsksForIt) {
    const Json pod = a_pod(Json::object(), {{"setHostnameAsFQDN", true}, {"subdomain", "job"}});
    EXPECT_THAT(sandbox_spec(place_of(pod)),
                Contains(SpecRecord{"hostname", "p.job.ns.svc.cluster.local"}));
}

TEST(ReadOnlyRoot, CoversWhatBelongsToTheImageOnly) {
    const Json pod =
        a_pod({{"command", {"true"}},
               {"securityContext", {{"readOnlyRootFilesystem", true}}},
               {"volumeMounts", Json::array({{{"name", "v"}, {"mountPath", "/tmp"}}})}},
              {{"volumes", Json::array({{{"name", "v"}, {"emptyDir", Json::object()}}})}});
    const PodPlace place = place_of(pod);
    ContainerInputs inputs;
    inputs.container = &place.spec()["containers"][0];
    inputs.environment.home = "/root";
    const auto plan = container_plan(place, inputs);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_THAT(plan->spec, Contains(SpecRecord{"readonly-root", "/var/tmp", "/run", "/root"}));
}

}  // namespace
}  // namespace shed::kubelet
