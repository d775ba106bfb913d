#include "tests/kubelet/place.hpp"

namespace shed::kubelet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

SpecRecord record_of(const Spec& spec, std::string_view word, std::string_view path_end) {
    for (const SpecRecord& record : spec) {
        if (record.front() == word && record.size() > 1 && record[1].ends_with(path_end))
            return record;
    }
    return {};
}

TEST(Volumes, TheRecordedLaunchersKeysAreReadableThroughTheGroup) {
    const Json pod = read_data("launcher.json");
    PodPlace place = place_of(pod);
    Found found;
    for (const auto& [kind, name, data] :
         {std::tuple<std::string, std::string, Json>{
              "Secret",
              "mlx3-mpi-ssh-auth",
              {{"ssh-privatekey", "S0VZ"}, {"ssh-publickey", "UFVC"}}},
          {"ConfigMap", "mlx3-mpi-hostfile", {{"hostfile", "a slots=1\n"}}},
          {"ConfigMap", "kube-root-ca.crt", {{"ca.crt", "CA"}}}}) {
        Json object = {{"apiVersion", "v1"},
                       {"kind", kind},
                       {"metadata", {{"name", name}, {"namespace", place.pod->ns()}}},
                       {"data", data}};
        const ObjectPtr made = Object::make(object);
        found.objects[made->key()] = made;
    }
    WrittenVolumes written;
    const auto spec = volume_files(
        place, found,
        [](const TokenRequest& request) {
            return Result<std::string>("token of " + request.service_account);
        },
        "now", written);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_THAT(record_of(*spec, "file", "/id_rsa"),
                ElementsAre("file", "/state/pods/U/volumes/mpi-ssh-auth/..now/id_rsa", "0640", "0",
                            "1000", "KEY"));
    EXPECT_THAT(record_of(*spec, "file", "/authorized_keys"),
                ElementsAre("file", testing::_, "0644", "0", "1000", "PUB"));
    EXPECT_THAT(record_of(*spec, "link", "mpi-ssh-auth/..data_tmp"),
                ElementsAre("link", testing::_, "..now"));
    EXPECT_THAT(record_of(*spec, "rename", "mpi-ssh-auth/..data_tmp"),
                ElementsAre("rename", testing::_, "/state/pods/U/volumes/mpi-ssh-auth/..data"));
    EXPECT_THAT(record_of(*spec, "link", "mpi-ssh-auth/id_rsa"),
                ElementsAre("link", testing::_, "..data/id_rsa"));
    EXPECT_THAT(record_of(*spec, "file", "/hostfile"),
                ElementsAre("file", testing::_, "0444", "0", "1000", "a slots=1\n"));
    EXPECT_THAT(record_of(*spec, "file", "/token"),
                ElementsAre("file", testing::_, "0640", "0", "1000", "token of default"));
    EXPECT_THAT(record_of(*spec, "file", "/namespace"),
                ElementsAre("file", testing::_, "0644", "0", "1000", place.pod->ns()));
    EXPECT_THAT(record_of(*spec, "file", "/ca.crt"), Contains("CA"));
}

TEST(Volumes, OfOneUidKeepTheirModesAndAreNotGivenAGroup) {
    Json pod = a_pod(
        Json::object(),
        {{"securityContext", {{"fsGroup", 1000}}},
         {"volumes", Json::array({{{"name", "v"},
                                   {"secret", {{"secretName", "s"}, {"defaultMode", 0400}}}}})}});
    PodPlace place = place_of(pod);
    place.single_identity = true;
    Found found;
    add(found, "Secret", "s", {{"k", ""}});
    WrittenVolumes written;
    const auto spec = volume_files(place, found, {}, "now", written);
    EXPECT_THAT(record_of(*spec, "file", "/k"),
                ElementsAre("file", testing::_, "0400", "0", "0", ""));
}

TEST(Volumes, SayWhyTheyCannotBeMade) {
    struct Row {
        Json volume;
        const char* wanted;
    };
    for (const Row& row :
         {Row{{{"secret", {{"secretName", "no"}}}}, "secret \"no\" not found"},
          Row{{{"configMap",
                {{"name", "m"}, {"items", Json::array({{{"key", "x"}, {"path", "x"}}})}}}},
              "references non-existent config key: x"},
          Row{{{"configMap",
                {{"name", "m"}, {"items", Json::array({{{"key", "k"}, {"path", "../k"}}})}}}},
              "path \"../k\" leaves the volume"},
          Row{{{"hostPath", {{"path", "/etc"}}}}, "hostPath \"/etc\" is refused"},
          Row{{{"nfs", {{"server", "x"}}}}, "are known here"}}) {
        Json volume = row.volume;
        volume["name"] = "v";
        const PodPlace place =
            place_of(a_pod(Json::object(), {{"volumes", Json::array({volume})}}));
        Found found;
        add(found, "ConfigMap", "m", {{"k", "v"}});
        WrittenVolumes written;
        const auto spec = volume_files(place, found, {}, "now", written);
        ASSERT_FALSE(spec);
        EXPECT_THAT(spec.error().message, HasSubstr(row.wanted));
        EXPECT_THAT(spec.error().message,
                    HasSubstr("MountVolume.SetUp failed for volume \"v\" : "));
    }
}

TEST(Volumes, DownwardApiWritesLabelsAsLines) {
    const PodPlace place = place_of(a_pod(
        Json::object(),
        {{"volumes",
          Json::array({{{"name", "v"},
                        {"downwardAPI",
                         {{"items", Json::array({{{"path", "labels"},
                                                  {"fieldRef",
                                                   {{"fieldPath", "metadata.labels"}}}}})}}}}})}}));
    WrittenVolumes written;
    const auto spec = volume_files(place, {}, {}, "now", written);
    EXPECT_THAT(record_of(*spec, "file", "/labels"), Contains("a/b=\"1\"\nz=\"q\\\"t\""));
}

Json map_volume(std::string name) {
    return {{"name", "v"}, {"configMap", {{"name", std::move(name)}, {"optional", true}}}};
}

PodPlace place_with(Json volume) {
    return place_of(a_pod(Json::object(), {{"volumes", Json::array({std::move(volume)})}}));
}

TEST(VolumeUpdates, SwapOneLinkAndClearAwayWhatIsOld) {
    const PodPlace place = place_with(map_volume("m"));
    Found before, after;
    add(before, "ConfigMap", "m", {{"kept", "1"}, {"gone", "1"}});
    add(after, "ConfigMap", "m", {{"kept", "2"}, {"new", "1"}});
    WrittenVolumes written;
    ASSERT_TRUE(volume_files(place, before, {}, "one", written));
    EXPECT_TRUE(volume_update(place, before, {}, "two", written).operations.empty());
    const VolumeUpdate update = volume_update(place, after, {}, "two", written);
    EXPECT_FALSE(update.failed);
    const std::string root = "/state/pods/U/volumes/v/";
    const Spec wanted = {
        {"mkdir", root + "..two", "0755", "0", "0"},
        {"file", root + "..two/kept", "0644", "0", "0", "2"},
        {"file", root + "..two/new", "0644", "0", "0", "1"},
        {"link", root + "..data_tmp", "..two"},
        {"rename", root + "..data_tmp", root + "..data"},
        {"link", root + "new", "..data/new"},
        {"rmtree", root + "gone"},
        {"rmtree", root + "..one"},
    };
    EXPECT_EQ(update.operations, wanted);
    EXPECT_TRUE(volume_update(place, after, {}, "three", update.written).operations.empty());
}

TEST(VolumeUpdates, BringWhatWasOptionalAndIsThereNow) {
    const PodPlace place = place_with(map_volume("late"));
    WrittenVolumes written;
    ASSERT_TRUE(volume_files(place, {}, {}, "one", written));
    Found found;
    add(found, "ConfigMap", "late", {{"k", "v"}});
    const VolumeUpdate update = volume_update(place, found, {}, "two", written);
    EXPECT_THAT(record_of(update.operations, "link", "/v/k"),
                ElementsAre("link", testing::_, "..data/k"));
}

TEST(VolumeUpdates, LeaveAVolumeThatCannotBeMadeAsItIs) {
    Json volume = map_volume("m");
    volume["configMap"]["optional"] = false;
    const PodPlace place = place_with(volume);
    Found found;
    add(found, "ConfigMap", "m", {{"k", "v"}});
    WrittenVolumes written;
    ASSERT_TRUE(volume_files(place, found, {}, "one", written));
    const VolumeUpdate update = volume_update(place, {}, {}, "two", written);
    ASSERT_TRUE(update.failed);
    EXPECT_EQ(update.failed->message,
              "MountVolume.SetUp failed for volume \"v\" : configmap \"m\" not found");
    EXPECT_TRUE(update.operations.empty());
    EXPECT_EQ(update.written.at("v").data, "..one");
}

TEST(Volumes, OfMemoryAreFileSystemsOfTheirOwn) {
    const PodPlace place =
        place_with({{"name", "v"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Mi"}}}});
    WrittenVolumes written;
    const auto spec = volume_files(place, {}, {}, "now", written);
    EXPECT_THAT(record_of(*spec, "tmpfs", "/v"),
                ElementsAre("tmpfs", "/state/pods/U/volumes/v", "mode=0777,size=1048576"));
    EXPECT_EQ(volume_ends(place), (Spec{{"unmount", "/state/pods/U/volumes/v"}}));
}

TEST(Volumes, ThatTheApiWouldRefuseAreNotWrittenEither) {
    const PodPlace place = place_with(map_volume("m"));
    for (const char* key : {"../../a", "/a", "..", "..data", "a/../../b"}) {
        Found found;
        add(found, "ConfigMap", "m", {{key, "v"}});
        WrittenVolumes written;
        EXPECT_FALSE(volume_files(place, found, {}, "now", written)) << key;
    }
}

}  // namespace
}  // namespace shed::kubelet
