// What GPUs change in a container.
#include "fakes/kubelet/pod_gpus.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Gpu gpu(const std::string& uuid, const std::string& device, const std::string& profile = "") {
    Gpu made;
    made.uuid = uuid;
    made.profile = profile;
    made.devices = {device};
    return made;
}

class PodGpus : public testing::Test {
protected:
    Result<void> add(const Json& limits) {
        container = {{"name", "node"}, {"command", {"python"}}};
        container["resources"]["limits"] = limits;
        inputs = ContainerInputs();
        inputs.container = &container;
        inputs.variables = {{"MINE", "1"}};
        return add_gpus(pool, "uid/node", {}, {"/usr/lib/libcuda.so.1"}, inputs);
    }

    GpuPool pool{{gpu("GPU-a", "/dev/nvidia0"), gpu("GPU-b", "/dev/nvidia1"),
                  gpu("MIG-c", "/dev/nvidia2", "1g.5gb")},
                 1};
    Json container;
    ContainerInputs inputs;
};

TEST_F(PodGpus, ItsDevicesAreThereAndNamedToCuda) {
    ASSERT_TRUE(add({{"nvidia.com/gpu", 2}}));
    EXPECT_THAT(inputs.devices, Contains("/dev/nvidia0"));
    EXPECT_THAT(inputs.devices, Contains("/dev/nvidia1"));
    EXPECT_THAT(inputs.devices, Not(Contains("/dev/nvidia2")));
    EXPECT_THAT(inputs.variables, ElementsAre(Pair("NVIDIA_VISIBLE_DEVICES", "GPU-a,GPU-b"),
                                              Pair("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b"),
                                              Pair("MINE", "1")));
    EXPECT_THAT(inputs.hidden, IsEmpty());
}

TEST_F(PodGpus, WhatSshdStartsIsToldToo) {
    ASSERT_TRUE(add({{"nvidia.com/mig-1g.5gb", "1"}}));
    EXPECT_EQ(inputs.environment.files.at("/etc/ssh/sshd_gpus.conf"),
              "SetEnv CUDA_VISIBLE_DEVICES=MIG-c NVIDIA_VISIBLE_DEVICES=MIG-c\n");
}

TEST_F(PodGpus, WithoutOneTheDriverIsHidden) {
    ASSERT_TRUE(add({{"cpu", "1"}}));
    EXPECT_THAT(inputs.devices, IsEmpty());
    EXPECT_THAT(inputs.variables, ElementsAre(Pair("MINE", "1")));
    EXPECT_THAT(inputs.hidden, ElementsAre("/usr/lib/libcuda.so.1"));
}

TEST_F(PodGpus, TheDriversFilesAreTakenOutOfTheHostsDirectory) {
    ASSERT_TRUE(add({}));
    Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
    pod["metadata"] = {{"name", "p"}, {"namespace", "ns"}, {"uid", "uid"}};
    pod["spec"]["containers"] = Json::array({container});
    PodPlace place;
    place.pod = Object::make(std::move(pod));
    place.directory = "/node/pods/uid";
    const auto plan = container_plan(place, inputs);
    ASSERT_TRUE(plan) << plan.error().message;
    const std::string skeleton = "/node/pods/uid/containers/node/skeleton/usr";
    EXPECT_THAT(plan->files, Contains(ElementsAre("whiteout", skeleton + "/lib/libcuda.so.1")));
    EXPECT_THAT(plan->spec, Contains(ElementsAre("overlay", "/usr", skeleton, "/usr")));
}

TEST_F(PodGpus, TooFewAreAnErrorThatTakesNone) {
    std::vector<Gpu> other;
    ASSERT_TRUE(pool.lend("ending/node/x", "nvidia.com/gpu", 1, {}, other));
    const auto refused = add({{"nvidia.com/gpu", 2}, {"nvidia.com/mig-1g.5gb", 1}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                HasSubstr("requested number of devices unavailable for nvidia.com/gpu. Requested: 2"));
    EXPECT_EQ(pool.lent(), 1);
    pool.take_back("ending/");
    EXPECT_TRUE(add({{"nvidia.com/gpu", 2}, {"nvidia.com/mig-1g.5gb", 1}}));
    EXPECT_EQ(pool.lent(), 3);
}

}  // namespace
}  // namespace shed::kubelet
