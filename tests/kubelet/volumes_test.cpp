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
    const auto spec = volume_files(
        place, found,
        [](const TokenRequest& request) { return "token of " + request.service_account; }, "now");
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_THAT(record_of(*spec, "file", "/id_rsa"),
                ElementsAre("file", "/state/pods/U/volumes/mpi-ssh-auth/..now/id_rsa", "0640", "0",
                            "1000", "KEY"));
    EXPECT_THAT(record_of(*spec, "file", "/authorized_keys"),
                ElementsAre("file", testing::_, "0644", "0", "1000", "PUB"));
    EXPECT_THAT(record_of(*spec, "link", "mpi-ssh-auth/..data"),
                ElementsAre("link", testing::_, "..now"));
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
    const auto spec = volume_files(place, found, {}, "now");
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
        const auto spec = volume_files(place, found, {}, "now");
        ASSERT_FALSE(spec);
        EXPECT_THAT(spec.error().message, HasSubstr(row.wanted));
        EXPECT_THAT(spec.error().message,
                    HasSubstr("MountVolume.SetUp failed for volume \"v\" : "));
    }
}

TEST(Volumes, HostPathsBelowAnAllowedOneAreTaken) {
    PodPlace place = place_of(a_pod(
        Json::object(),
        {{"volumes", Json::array({{{"name", "v"}, {"hostPath", {{"path", "/data/set"}}}}})}}));
    place.allowed_host_paths = {"/data"};
    EXPECT_TRUE(volume_files(place, {}, {}, "now"));
    place.allowed_host_paths = {"/dat"};
    EXPECT_FALSE(volume_files(place, {}, {}, "now"));
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
    const auto spec = volume_files(place, {}, {}, "now");
    EXPECT_THAT(record_of(*spec, "file", "/labels"), Contains("a/b=\"1\"\nz=\"q\\\"t\""));
}

}  // namespace
}  // namespace shed::kubelet
