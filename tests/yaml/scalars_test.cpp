// Plain scalars as kubectl reads them: YAML 1.1, by go-yaml.
#include "fakes/yaml/yaml.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

Json value_of(const std::string& text) {
    const auto parsed = parse_yaml("a: " + text + "\n");
    EXPECT_TRUE(parsed) << text;
    return parsed ? (*parsed)["a"] : Json();
}

TEST(Scalars, WithALeadingZeroAreOctal) {
    for (const auto& [text, value] :
         {std::pair("0644", 420), std::pair("0o644", 420), std::pair("0x1A4", 420), std::pair("0b110100100", 420),
          std::pair("-010", -8), std::pair("+010", 8), std::pair("00", 0), std::pair("0", 0), std::pair("0_644", 420)})
        EXPECT_EQ(value_of(text), Json(value)) << text;
}

TEST(Scalars, AreDecimalOtherwise) {
    for (const auto& [text, value] : {std::pair("644", 644), std::pair("-7", -7), std::pair("+7", 7),
                                      std::pair("1_000", 1000), std::pair("0888", 888)})
        EXPECT_EQ(value_of(text), Json(value)) << text;
    EXPECT_EQ(value_of("0.5"), Json(0.5));
    EXPECT_EQ(value_of("1e3"), Json(1000.0));
    EXPECT_EQ(value_of("9223372036854775807"), Json(INT64_MAX));
}

TEST(Scalars, ThatAreNoNumbersAreText) {
    for (const char* text : {"0x", "0o9", "0b2", "0xfg", "--1", "+-1", "1.2.3", "_1", "10Gi", "0644x", "\"0644\"", "'0644'"}) {
        const Json value = value_of(text);
        EXPECT_TRUE(value.is_string()) << text << " -> " << value;
    }
}

TEST(Scalars, ComeBackAsTheyWere) {
    for (const char* text : {"0644", "0x1f", "0o17", "1_000", "-010"}) {
        const Json object = {{"a", text}};
        EXPECT_EQ(parse_yaml(dump_yaml(object)).value(), object) << text;
    }
}

}  // namespace
}  // namespace shed
