// What `--mount` and shared caches make of a container.
#include "tests/kubelet/place.hpp"

#include <algorithm>

namespace shed::kubelet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto read_only = HostMount::Kind::read_only;

ContainerPlan plan_of(const PodPlace& place, int uid = 0, std::string home = "/root") {
    ContainerInputs inputs;
    inputs.container = &place.spec()["containers"][0];
    inputs.environment.command = {"sh"};
    inputs.environment.uid = inputs.environment.gid = uid;
    inputs.environment.user_name = uid == 0 ? "root" : "mpiuser";
    inputs.environment.home = std::move(home);
    auto plan = container_plan(place, inputs);
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? *plan : ContainerPlan{};
}

std::vector<SpecRecord> shared_records(const Spec& spec) {
    std::vector<SpecRecord> out;
    std::copy_if(spec.begin(), spec.end(), std::back_inserter(out),
                 [](const SpecRecord& record) { return record.front() == "shared"; });
    return out;
}

TEST(HostMounts, AreNumberedAsTheRuntimeHasThem) {
    PodPlace place = place_of(a_pod());
    place.host_mounts = {{"/far", "/mnt/a/b", HostMount::Kind::read_write},
                         {"/near", "/mnt/a", read_only}};
    // What lies deeper comes later, or it would be hidden.
    EXPECT_THAT(shared_records(plan_of(place).spec),
                ElementsAre(ElementsAre("shared", "1", "/mnt/a", "ro"),
                            ElementsAre("shared", "0", "/mnt/a/b", "rw")));
}

TEST(HostMounts, ATildeIsTheHomeOfTheContainersUser) {
    PodPlace place = place_of(a_pod());
    place.host_mounts = {{"/data", "~/.x/data", read_only}};
    const ContainerPlan plan = plan_of(place, 1000, "/home/mpiuser");
    EXPECT_THAT(shared_records(plan.spec),
                ElementsAre(ElementsAre("shared", "0", "/home/mpiuser/.x/data", "ro")));
    // The way there is the user's, as if the user had made it.
    const std::string home = "/state/pods/U/containers/c/home";
    EXPECT_THAT(plan.files, Contains(SpecRecord{"mkdir", home + "/.x", "0755", "1000", "1000"}));
}

TEST(HostMounts, AVolumeOfThePodAtTheSamePathWins) {
    PodPlace place = place_of(
        a_pod({{"volumeMounts", Json::array({{{"name", "v"}, {"mountPath", "/mnt/data/"}}})}},
              {{"volumes", Json::array({{{"name", "v"}, {"emptyDir", Json::object()}}})}}));
    place.host_mounts = {{"/data", "/mnt/data", read_only}};
    EXPECT_THAT(shared_records(plan_of(place).spec), IsEmpty());
}

TEST(HostMounts, ACacheIsSeenReadOnlyAndAsATreeOfTheUsersOwn) {
    PodPlace place = place_of(a_pod());
    place.host_mounts = {
        {"/hf", "~/.cache/huggingface", HostMount::Kind::cache, false, {"token", "stored_tokens"}}};
    EXPECT_THAT(shared_records(plan_of(place, 1000, "/home/mpiuser").spec),
                ElementsAre(ElementsAre("shared", "0", "/run/trainshed/caches/0", "cache",
                                        "/home/mpiuser/.cache/huggingface", "1000", "1000", "token",
                                        "stored_tokens")));
}

}  // namespace
}  // namespace shed::kubelet
