// Rows of tables about validation: a good object, what is changed in it, and the complaints about
// that, in order.
#include "fixture.hpp"

#include <gmock/gmock.h>

namespace shed::test {

struct Row {
    const char* name;
    const char* change;  // a JSON merge patch of the good object
    std::vector<std::string> complaints =
        {};  // "field: message", each as often as the server says it
};

inline void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

inline std::string row_name(const testing::TestParamInfo<Row>& row) { return row.param.name; }

inline std::vector<std::string> complaints_of(const Result<Admitted>& admitted) {
    if (admitted) return {};
    const Error& error = admitted.error();
    if (error.reason != Reason::invalid) return {error.message};
    std::vector<std::string> all;
    const Json details = Json::parse(error.details);
    for (const Json& cause : details.value("causes", Json::array()))
        all.push_back(cause.value("field", "") + ": " + cause["message"].get<std::string>());
    return all;
}

// As the API hands a new object to admission.
inline Json as_new(Json object) {
    Json& metadata = object["metadata"];
    if (kind_of_object(object).namespaced) metadata["namespace"] = "default";
    metadata["uid"] = "u-1";
    metadata["creationTimestamp"] = format_time(some_time());
    return object;
}

inline Json patched(const char* good, const char* change) {
    Json object = Json::parse(good);
    object.merge_patch(Json::parse(change));
    return object;
}

inline std::vector<std::string> complaints_about(const char* good, const Row& row) {
    Json object = as_new(patched(good, row.change));
    return complaints_of(create(object, FewObjects()));
}

// What is said of a change to the object after it was stored.
inline std::vector<std::string> complaints_about_update(const char* good, const char* change,
                                                        const std::string& subresource = "") {
    const FewObjects nothing;
    Json old = as_new(Json::parse(good));
    const auto stored = create(old, nothing);
    EXPECT_TRUE(stored) << (stored ? "" : stored.error().message);
    Json object = old;
    object.merge_patch(Json::parse(change));
    return complaints_of(update(object, old, nothing, subresource));
}

// A class of tests for the rows about one kind of object: SHED_RULES(PodRules, good_pod, {row},
// {row}, ...).
#define SHED_RULES(suite, good, rows)                                  \
    class suite : public testing::TestWithParam<Row> {};               \
    TEST_P(suite, AreThoseOfTheRealServer) {                           \
        EXPECT_THAT(complaints_about(good, GetParam()),                \
                    testing::ElementsAreArray(GetParam().complaints)); \
    }                                                                  \
    INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(rows), row_name)

#define SHED_UPDATE_RULES(suite, good, rows)                           \
    class suite : public testing::TestWithParam<Row> {};               \
    TEST_P(suite, AreThoseOfTheRealServer) {                           \
        EXPECT_THAT(complaints_about_update(good, GetParam().change),  \
                    testing::ElementsAreArray(GetParam().complaints)); \
    }                                                                  \
    INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(rows), row_name)

}  // namespace shed::test
