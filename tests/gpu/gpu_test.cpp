#include "fakes/kubelet/gpu.hpp"

#include <dlfcn.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed::kubelet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The devices of single GPUs: a driver's shared ones are there only on machines that have it.
std::vector<std::string> lent(GpuPool& pool, const std::string& holder, int count) {
    std::vector<std::string> devices = pool.lend(holder, count);
    std::erase_if(devices, [](const std::string& device) {
        return device.find_first_of("0123456789") == std::string::npos;
    });
    return devices;
}

TEST(GpuPool, FindsTheGpusThatTheDriverCanOpen) {
    // A library that is there already is found by its soname, whoever asks for it: under ASan the run
    // path of this program is not looked at.
    ASSERT_NE(::dlopen(FAKE_NVML, RTLD_NOW), nullptr) << ::dlerror();
    GpuPool pool;
    EXPECT_EQ(pool.size(), 2);
    EXPECT_THAT(lent(pool, "pod/c", 2), ElementsAre("/dev/nvidia3", "/dev/nvidia7"));
}

TEST(GpuPool, LendsTheLeastLentFirst) {
    GpuPool pool(std::vector<int>{0, 1, 2});
    EXPECT_THAT(lent(pool, "a/c", 1), ElementsAre("/dev/nvidia0"));
    EXPECT_THAT(lent(pool, "b/c", 1), ElementsAre("/dev/nvidia1"));
    EXPECT_THAT(lent(pool, "d/c", 2), ElementsAre("/dev/nvidia2", "/dev/nvidia0"));
    pool.take_back("a/");
    EXPECT_THAT(lent(pool, "e/c", 1), ElementsAre("/dev/nvidia0"));
}

TEST(GpuPool, GivesNoneToAPodThatAsksForNone) {
    GpuPool pool(std::vector<int>{0});
    EXPECT_THAT(pool.lend("a/c", 0), IsEmpty());
}

TEST(GpuPool, SharesWhatItHasWhenMoreIsAskedFor) {
    GpuPool pool(std::vector<int>{0, 1});
    EXPECT_THAT(lent(pool, "a/c", 8), ElementsAre("/dev/nvidia0", "/dev/nvidia1"));
}

TEST(GpuPool, AContainerThatStartsAgainHoldsItsGpusOnce) {
    GpuPool pool(std::vector<int>{0, 1});
    lent(pool, "a/c", 1);
    lent(pool, "a/c", 1);
    EXPECT_THAT(lent(pool, "b/c", 1), ElementsAre("/dev/nvidia1"));
}

}  // namespace
}  // namespace shed::kubelet
