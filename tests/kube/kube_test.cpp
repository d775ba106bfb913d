#include "fakes/kube/kube.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

ObjectPtr pod_with_labels(Json labels) {
    return Object::make({{"apiVersion", "v1"},
                         {"kind", "Pod"},
                         {"metadata", {{"name", "a"}, {"namespace", "default"}, {"labels", labels}}},
                         {"spec", {{"nodeName", "n1"}}},
                         {"status", {{"phase", "Running"}}}});
}

struct SelectorRow {
    const char* text;
    bool matches;
};

class LabelSelectorRows : public testing::TestWithParam<SelectorRow> {};

TEST_P(LabelSelectorRows, MatchesAsApimachineryDoes) {
    const auto object = pod_with_labels({{"app", "x"}, {"tier", "3"}});
    const auto selector = LabelSelector::parse(GetParam().text);
    ASSERT_TRUE(selector) << selector.error().message;
    EXPECT_EQ(selector->matches(*object), GetParam().matches) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, LabelSelectorRows,
    testing::Values(SelectorRow{"", true}, SelectorRow{"app=x", true}, SelectorRow{"app==x", true},
                    SelectorRow{"app=y", false}, SelectorRow{"app!=y", true},
                    SelectorRow{"missing!=y", true}, SelectorRow{"app in (x, y)", true},
                    SelectorRow{"app notin (x,y)", false}, SelectorRow{"missing notin (x)", true},
                    SelectorRow{"app", true}, SelectorRow{"!app", false},
                    SelectorRow{"!missing,tier>2", true}, SelectorRow{"tier<3", false},
                    SelectorRow{"app in (x),tier in (3,4)", true}));

struct BadSelector {
    const char* name;
    const char* text;
    const char* problem;  // after "unable to parse requirement: "
};

class BadSelectors : public ::testing::TestWithParam<BadSelector> {};

TEST_P(BadSelectors, AreRefusedInTheServersWords) {
    const auto selector = LabelSelector::parse(GetParam().text);
    ASSERT_FALSE(selector);
    EXPECT_EQ(selector.error().message, std::string("unable to parse requirement: ") + GetParam().problem);
}

INSTANTIATE_TEST_SUITE_P(
    , BadSelectors,
    ::testing::Values(
        BadSelector{"NoOperator", "a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        BadSelector{"OpenSet", "a in (b", "found '', expected: ',' or ')'"},
        BadSelector{"NoSet", "a in b", "found 'b' expected: '('"},
        BadSelector{"ThreeEqualSigns", "a===b", "found '=', expected: identifier"},
        BadSelector{"NotAName", "a_=b",
                    "<nil>: Invalid value: \"a_\": name part must consist of alphanumeric characters, '-', '_' or "
                    "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
                    "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
        BadSelector{"NotAValue", "a=b_",
                    "values[0][a]: Invalid value: \"b_\": a valid label must be an empty string or consist of "
                    "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
                    "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
                    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FieldSelector, KnowsTheFieldsOfItsKind) {
    const auto object = pod_with_labels(Json::object());
    const Kind& pods = kind_of("v1", "Pod");
    EXPECT_TRUE(FieldSelector::parse("spec.nodeName=n1,status.phase!=Failed", pods)->matches(*object));
    EXPECT_FALSE(FieldSelector::parse("metadata.name==b", pods)->matches(*object));
    EXPECT_EQ(FieldSelector::parse("spec.foo=1", pods).error().message,
              "field label not supported: spec.foo");
}

struct QuantityRow {
    const char* text;
    std::int64_t milli;
    const char* canonical;
};

class QuantityRows : public testing::TestWithParam<QuantityRow> {};

TEST_P(QuantityRows, ParsesAndEchoesAsTheServer) {
    const auto quantity = Quantity::parse(GetParam().text);
    ASSERT_TRUE(quantity) << GetParam().text;
    EXPECT_EQ(static_cast<std::int64_t>(quantity->milli()), GetParam().milli);
    EXPECT_EQ(quantity->canonical(GetParam().text), GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(Rows, QuantityRows,
                         testing::Values(QuantityRow{"1", 1000, "1"}, QuantityRow{"500m", 500, "500m"},
                                         QuantityRow{"0.5", 500, "500m"}, QuantityRow{"1.0", 1000, "1"},
                                         QuantityRow{"2Gi", 2'147'483'648'000, "2Gi"},
                                         QuantityRow{"1024Ki", 1'048'576'000, "1Mi"},
                                         QuantityRow{"1e3", 1'000'000, "1k"}, QuantityRow{"0", 0, "0"},
                                         QuantityRow{"-2", -2000, "-2"}));

TEST(Quantity, RefusesWhatIsNone) {
    for (const char* text : {"", "m", "1x", "1.2.3", "abc", "--1", "1e", "9999999999999999999999"})
        EXPECT_FALSE(Quantity::parse(text)) << text;
}

TEST(ParseJson, RefusesNestingThatWouldOverflowTheStack) {
    EXPECT_TRUE(parse_json(std::string(9'000, '[') + std::string(9'000, ']')));
    const auto result = parse_json(std::string(10'001, '[') + std::string(10'001, ']'));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "exceeded max depth");
}

TEST(Status, NamesTheObjectGroupAndCauses) {
    const Error error = invalid(kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"), "x",
                                {{"FieldValueInvalid", "spec.a", "Invalid value: 1: no"},
                                 {"FieldValueRequired", "spec.b", "Required value"}});
    const Json status = status_of(error);
    EXPECT_EQ(status["code"], 422);
    EXPECT_EQ(status["message"],
              "TrainJob.trainer.kubeflow.org \"x\" is invalid: [spec.a: Invalid value: 1: no, "
              "spec.b: Required value]");
    EXPECT_EQ(status["details"]["group"], "trainer.kubeflow.org");
    EXPECT_EQ(status["details"]["causes"][1]["field"], "spec.b");
    const Error back = error_of(422, status);
    EXPECT_EQ(back.reason, Reason::invalid);
    EXPECT_EQ(back.message, error.message);
}

TEST(Object, ProjectsWhatTheClusterLooksAt) {
    const auto object = pod_with_labels({{"b", "2"}, {"a", "1"}});
    EXPECT_EQ(object->key().text(), "pods default/a");
    EXPECT_EQ(object->label("b"), "2");
    EXPECT_EQ(object->label("c"), "");
    EXPECT_EQ(object->controller(), nullptr);
}

}  // namespace
}  // namespace shed
