#include "fakes/gpu/driver_files.hpp"
#include "fakes/gpu/gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace shed {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Directory {
public:
    Directory() {
        char name[] = "/tmp/shed-gpu-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Directory() { fs::remove_all(path_); }
    const std::string& path() const { return path_; }
    void file(const std::string& name, const std::string& text = "") const {
        fs::create_directories(fs::path(path_ + "/" + name).parent_path());
        std::ofstream(path_ + "/" + name) << text;
    }

private:
    std::string path_;
};

std::vector<std::string> uuids(const std::vector<Gpu>& gpus) {
    std::vector<std::string> words;
    for (const Gpu& gpu : gpus) words.push_back(gpu.uuid);
    return words;
}

Gpu gpu(const std::string& uuid, const std::string& profile = "") {
    Gpu made;
    made.uuid = uuid;
    made.profile = profile;
    return made;
}

std::vector<std::string> lend(GpuPool& pool, const std::string& holder, int count,
                              const std::vector<std::string>& among = {}) {
    std::vector<Gpu> lent;
    if (!pool.lend(holder, "nvidia.com/gpu", count, among, lent)) return {"refused"};
    return uuids(lent);
}

TEST(FindGpus, TakesWholeOnesAndSlicesThatTheDriverCanOpen) {
    const GpuDriver driver = find_gpus({FAKE_NVML, "/nowhere"});
    EXPECT_EQ(driver.version, "580.65.06");
    EXPECT_EQ(driver.problem, "");
    ASSERT_THAT(uuids(driver.gpus),
                ElementsAre("GPU-aaaa", "MIG-1111", "MIG-2222", "MIG-3333", "GPU-dddd"));
    const Gpu& first = driver.gpus.front();
    EXPECT_EQ(first.name, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(first.memory_bytes, 80ULL << 30);
    EXPECT_EQ(first.resource(), "nvidia.com/gpu");
    EXPECT_THAT(first.devices, ElementsAre("/dev/nvidia3"));
    EXPECT_EQ(driver.gpus[1].resource(), "nvidia.com/mig-1g.5gb");
    EXPECT_EQ(driver.gpus[1].name, "NVIDIA A100-SXM4-40GB MIG 1g.5gb");
    EXPECT_EQ(driver.gpus[3].resource(), "nvidia.com/mig-1c.2g.10gb");
}

TEST(FindGpus, ASliceNeedsItsCapabilitiesDeviceNodes) {
    Directory root;
    const std::string mig = "proc/driver/nvidia/capabilities/gpu0/mig/gi7/";
    root.file(mig + "access", "DeviceFileMinor: 66\nDeviceFileMode: 256\n");
    root.file(mig + "ci0/access", "DeviceFileMinor: 67\nDeviceFileMode: 256\n");
    const GpuDriver driver = find_gpus({FAKE_NVML, root.path()});
    EXPECT_THAT(driver.gpus.at(1).devices,
                ElementsAre("/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap66",
                            "/dev/nvidia-caps/nvidia-cap67"));
}

TEST(FindGpus, SaysWhyThereAreNone) {
    EXPECT_THAT(find_gpus({"libno-such-nvml.so.1", "/"}).problem, HasSubstr("no NVIDIA driver"));
    EXPECT_THAT(find_gpus({"libdl.so.2", "/"}).problem, HasSubstr("libdl.so.2 is not the NVML"));
}

TEST(DriverFiles, AreTheDriversOwn) {
    Directory machine;
    for (const char* name : {"lib/libcuda.so.1", "lib/libcuda.so.580.65.06", "lib/libnvidia-ml.so.1",
                             "lib/libcudart.so.12", "lib/libnvidia-container.so.1", "lib/libm.so.6",
                             "lib/libGLESv2_nvidia.so.2", "lib/libGLESv2.so.2", "bin/nvidia-smi",
                             "bin/nvidia-ctk"})
        machine.file(name);
    const std::string lib = machine.path() + "/lib/";
    EXPECT_THAT(driver_files(machine.path() + "/lib", machine.path() + "/bin"),
                ElementsAre(machine.path() + "/bin/nvidia-smi", lib + "libGLESv2_nvidia.so.2",
                            lib + "libcuda.so.1", lib + "libcuda.so.580.65.06",
                            lib + "libnvidia-ml.so.1"));
    EXPECT_THAT(driver_files("/no/such/directory", "/nor/this"), IsEmpty());
}

TEST(GpuPool, LendsTheLeastLentFirst) {
    GpuPool pool({gpu("a"), gpu("b"), gpu("c")});
    EXPECT_THAT(lend(pool, "p/c", 1), ElementsAre("a"));
    EXPECT_THAT(lend(pool, "q/c", 1), ElementsAre("b"));
    EXPECT_THAT(lend(pool, "r/c", 2), ElementsAre("c", "a"));
    pool.take_back("p/");
    EXPECT_THAT(lend(pool, "s/c", 1), ElementsAre("a"));
}

TEST(GpuPool, GivesNoneToAPodThatAsksForNone) {
    GpuPool pool({gpu("a")});
    EXPECT_THAT(lend(pool, "p/c", 0), IsEmpty());
    EXPECT_EQ(pool.lent(), 0);
}

TEST(GpuPool, WithoutALimitSharesWhatItHasWhenMoreIsAskedFor) {
    GpuPool pool({gpu("a"), gpu("b")});
    EXPECT_THAT(lend(pool, "p/c", 8), ElementsAre("a", "b"));
    EXPECT_THAT(lend(pool, "q/c", 8), ElementsAre("a", "b"));
}

TEST(GpuPool, LendsAGpuNoMoreOftenThanItsShareAllows) {
    GpuPool pool({gpu("a"), gpu("b")}, 2);
    for (const char* holder : {"p/c", "q/c"}) EXPECT_THAT(lend(pool, holder, 2), testing::SizeIs(2));
    EXPECT_THAT(lend(pool, "r/c", 1), ElementsAre("refused"));
    EXPECT_EQ(pool.lent(), 4);
    pool.take_back("q/");
    EXPECT_THAT(lend(pool, "r/c", 1), ElementsAre("a"));
}

TEST(GpuPool, ANodesPodsGetItsOwnGpus) {
    GpuPool pool({gpu("a"), gpu("b")}, 1);
    EXPECT_THAT(lend(pool, "p/c", 1, {"b"}), ElementsAre("b"));
    EXPECT_THAT(lend(pool, "q/c", 1, {"b"}), ElementsAre("refused"));
    EXPECT_THAT(lend(pool, "r/c", 1, {"a"}), ElementsAre("a"));
}

TEST(GpuPool, AContainerThatStartsAgainHoldsItsGpusOnce) {
    GpuPool pool({gpu("a"), gpu("b")}, 1);
    lend(pool, "p/c", 1);
    EXPECT_THAT(lend(pool, "p/c", 1), ElementsAre("a"));
    EXPECT_EQ(pool.lent(), 1);
}

TEST(GpuPool, SlicesCountAsTheirOwnKind) {
    GpuPool pool({gpu("a"), gpu("m", "1g.5gb"), gpu("n", "1g.5gb")}, 1);
    EXPECT_THAT(pool.counts(),
                ElementsAre(Pair("nvidia.com/gpu", 1), Pair("nvidia.com/mig-1g.5gb", 2)));
    std::vector<Gpu> lent;
    EXPECT_TRUE(pool.lend("p/c/mig", "nvidia.com/mig-1g.5gb", 2, {}, lent));
    EXPECT_THAT(uuids(lent), ElementsAre("m", "n"));
    EXPECT_THAT(lend(pool, "p/c/gpu", 1), ElementsAre("a"));
}

}  // namespace
}  // namespace shed
