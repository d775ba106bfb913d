// What a real server stored for an object it was sent: data/created.jsonl holds both, recorded, with the sent form of
// the controllers' objects being the stored one less what defaulting adds.
#include "fixture.hpp"

namespace shed::test {
namespace {

// Chosen at random by the server.
Json normal(Json object) {
    std::string text = object.dump();
    const std::string prefix = "kube-api-access-";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1))
        text.replace(at + prefix.size(), 5, "xxxxx");
    return Json::parse(text);
}

// What the API fills in around admission.
Json with_metadata(Json sent, const Json& stored) {
    sent["apiVersion"] = stored["apiVersion"];
    sent["kind"] = stored["kind"];
    for (const char* name : {"namespace", "uid", "resourceVersion", "creationTimestamp", "generation"})
        if (stored["metadata"].contains(name)) sent["metadata"][name] = stored["metadata"][name];
    return sent;
}

class Created : public testing::TestWithParam<Json> {};

TEST_P(Created, IsStoredAsTheRealServerDid) {
    const Json& stored = GetParam()["stored"];
    FewObjects cluster = recorded_cluster();
    Json object = with_metadata(GetParam()["sent"], stored);
    // The runtime of a case is among the objects of another file.
    const auto admitted = create(object, cluster);
    if (!admitted && admitted.error().message.find("must be created before") != std::string::npos)
        GTEST_SKIP() << "its runtime was not recorded";
    ASSERT_TRUE(admitted) << admitted.error().message;
    Json expected = normal(stored);
    Json got = normal(object);
    if (expected["kind"] == "Service" && expected["spec"]["clusterIP"] != "None")
        for (const char* name : {"clusterIP", "clusterIPs"}) expected["spec"].erase(name);
    // Unlike kube-apiserver: nothing here would take the finalizer away again.
    if (expected["kind"] == "PersistentVolumeClaim") expected["metadata"].erase("finalizers");
    EXPECT_EQ(Json::diff(expected, got), Json::array());
}

std::string test_name(const testing::TestParamInfo<Json>& line) {
    std::string name;
    for (const char c : line.param["name"].get<std::string>())
        name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(Recorded, Created, testing::ValuesIn(read_lines("created.jsonl")), test_name);

}  // namespace
}  // namespace shed::test
