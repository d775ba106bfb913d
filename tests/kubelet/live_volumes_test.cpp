// Volumes of a running pod: those that follow what they show, and those that grow too large.
#include "tests/kubelet/kubelet_fixture.hpp"

#include <fstream>

namespace shed {
namespace {

using testing::Contains;
using testing::HasSubstr;

class LiveVolumes : public KubeletTest {
protected:
    static Json config_map(const std::string& value, bool immutable = false) {
        Json map = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"data", {{"k", value}}}};
        map["metadata"] = {{"name", "m"}, {"namespace", "ns"}};
        if (immutable) map["immutable"] = true;
        return map;
    }
    void run(Json source) {
        Json running = a_pod("a", "Always");
        source["name"] = "v";
        running["spec"]["volumes"] = Json::array({source});
        add(running);
        ASSERT_EQ(phase("a"), "Running");
        before = paper.file_operations().size();
    }
    void change(Json object) {
        client.put(std::move(object), WatchEvent::Type::modified);
        settle();
    }
    // The contents that have been written since the pod ran.
    std::vector<std::string> written() {
        std::vector<std::string> contents;
        for (std::size_t i = before; i < paper.file_operations().size(); ++i)
            for (const SpecRecord& record : paper.file_operations()[i])
                if (record.front() == "file") contents.push_back(record[5]);
        return contents;
    }
    using Contents = std::vector<std::string>;

    std::size_t before = 0;
};

TEST_F(LiveVolumes, FollowTheirConfigMap) {
    client.add(config_map("1"));
    run({{"configMap", {{"name", "m"}}}});
    EXPECT_EQ(written(), Contents()) << "nothing has changed";
    change(config_map("2"));
    EXPECT_EQ(written(), Contents({"2"}));
    change(config_map("2"));
    EXPECT_EQ(written(), Contents({"2"})) << "a new version of the same";
    const Spec& operations = paper.file_operations().back();
    const std::string root = directory + "/pods/u-a/volumes/v/";
    EXPECT_THAT(operations, Contains(SpecRecord{"rename", root + "..data_tmp", root + "..data"}));
    EXPECT_EQ(operations.back().front(), "rmtree");
}

TEST_F(LiveVolumes, OfWhatIsImmutableStayAlsoWhenItIsReplaced) {
    client.add(config_map("1", true));
    run({{"configMap", {{"name", "m"}}}});
    client.erase(Key{&kind_of("v1", "ConfigMap"), "ns", "m"});
    client.add(config_map("2"));
    settle();
    EXPECT_EQ(written(), Contents());
}

TEST_F(LiveVolumes, BringWhatWasOptionalOnceItIsThere) {
    run({{"configMap", {{"name", "m"}, {"optional", true}}}});
    client.add(config_map("late"));
    settle();
    EXPECT_EQ(written(), Contents({"late"}));
}

TEST_F(LiveVolumes, KeepWhatTheyShowedAndSaySoWhenItGoes) {
    client.add(config_map("1"));
    run({{"configMap", {{"name", "m"}}}});
    client.erase(Key{&kind_of("v1", "ConfigMap"), "ns", "m"});
    settle();
    EXPECT_EQ(paper.file_operations().size(), before);
    EXPECT_THAT(client.events(), Contains("FailedMount: MountVolume.SetUp failed for volume "
                                          "\"v\" : configmap \"m\" not found"));
}

TEST_F(LiveVolumes, ShowThePodsLabelsAsTheyAre) {
    const Json item = {{"path", "labels"}, {"fieldRef", {{"fieldPath", "metadata.labels"}}}};
    run({{"downwardAPI", {{"items", Json::array({item})}}}});
    Json labelled = pod("a");
    labelled["metadata"]["labels"]["new"] = "yes";
    change(labelled);
    EXPECT_EQ(written(), Contents({"job=\"j\"\nnew=\"yes\""}));
    Json annotated = pod("a");
    annotated["status"]["message"] = "another";
    change(annotated);
    EXPECT_EQ(written().size(), 1u);
}

TEST_F(LiveVolumes, GetAnotherTokenWithFourFifthsOfItsTimeGone) {
    const Json source = {{"serviceAccountToken", {{"path", "token"}, {"expirationSeconds", 1000}}}};
    run({{"projected", {{"sources", Json::array({source})}}}});
    EXPECT_EQ(issued, 1);
    pass(std::chrono::seconds(799));
    EXPECT_EQ(written(), Contents());
    pass(std::chrono::seconds(1));
    EXPECT_EQ(written(), Contents({"token 2"}));
    pass(std::chrono::seconds(800));
    EXPECT_EQ(written(), Contents({"token 2", "token 3"}));
}

TEST_F(LiveVolumes, AreLeftAloneOnceThePodHasGone) {
    client.add(config_map("1"));
    run({{"configMap", {{"name", "m"}}}});
    client.ask_deletion(key("a"), 0);
    settle();
    before = paper.file_operations().size();
    change(config_map("2"));
    pass(std::chrono::hours(2));
    EXPECT_EQ(written(), Contents());
}

TEST_F(LiveVolumes, ThatGrowTooLargeEvictTheirPod) {
    run({{"emptyDir", {{"sizeLimit", "64Ki"}}}});
    const std::string volume = directory + "/pods/u-a/volumes/v";
    std::filesystem::create_directories(volume + "/in");
    std::ofstream(volume + "/in/small") << std::string(16 * 1024, 'x');
    pass(std::chrono::seconds(10));
    EXPECT_EQ(phase("a"), "Running");
    std::ofstream(volume + "/in/large") << std::string(128 * 1024, 'x');
    pass(std::chrono::seconds(9));
    EXPECT_EQ(phase("a"), "Running") << "looked at every ten seconds";
    pass(std::chrono::seconds(1));
    EXPECT_EQ(phase("a"), "Failed");
    EXPECT_EQ(string_at(pod("a"), "status.reason"), "Evicted");
    EXPECT_EQ(string_at(pod("a"), "status.message"),
              "Usage of EmptyDir volume \"v\" exceeds the limit \"64Ki\". ");
    EXPECT_THAT(client.events(), Contains(HasSubstr("Evicted: Usage of EmptyDir volume")));
    EXPECT_FALSE(paper.running("u-a", "main"));
}

}  // namespace
}  // namespace shed
