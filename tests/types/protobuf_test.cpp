#include "fakes/types/types.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::HasSubstr;

struct Body {
    std::string name, bytes;
    Json json;
};

std::string from_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

const std::vector<Body>& bodies() {
    static const std::vector<Body> read = [] {
        std::vector<Body> all;
        std::ifstream file(SHED_TEST_DATA "/bodies.jsonl");
        for (std::string line; std::getline(file, line);) {
            const Json row = Json::parse(line);
            all.push_back(
                {string_at(row, "name"), from_hex(string_at(row, "hex")), row.at("json")});
        }
        return all;
    }();
    return read;
}

const Body& body(const std::string& name) {
    for (const Body& one : bodies())
        if (one.name == name) return one;
    ADD_FAILURE() << "no body " << name;
    return bodies().front();
}

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
    return bytes;
}

std::string field(int number, const std::string& value) {
    return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(value.size()) + value;
}

std::string number_field(int number, std::uint64_t value) {
    return varint(static_cast<std::uint64_t>(number) << 3) + varint(value);
}

std::string envelope(const std::string& version, const std::string& kind, const std::string& raw) {
    return std::string("k8s\0", 4) + field(1, field(1, version) + field(2, kind)) + field(2, raw);
}

std::string error_of_decoding(const std::string& bytes) {
    const auto decoded = decode_protobuf(bytes);
    if (decoded) return "no error: " + dump_json(*decoded);
    EXPECT_EQ(decoded.error().reason, Reason::bad_request);
    return decoded.error().message;
}

TEST(DecodeProtobuf, GivesTheJsonThatGoGives) {
    ASSERT_GT(bodies().size(), 100U);
    for (const Body& one : bodies()) {
        const auto decoded = decode_protobuf(one.bytes);
        ASSERT_TRUE(decoded) << one.name << ": " << decoded.error().message;
        EXPECT_EQ(*decoded, one.json) << one.name << ": " << Json::diff(*decoded, one.json);
    }
}

TEST(DecodeProtobuf, KnowsEveryBuiltInKindThatIsServed) {
    for (const Kind& kind : all_kinds()) {
        if (kind.custom) continue;
        const auto decoded =
            decode_protobuf(envelope(kind.api_version(), std::string(kind.kind), ""));
        ASSERT_TRUE(decoded) << kind.kind << ": " << decoded.error().message;
        EXPECT_EQ(string_at(*decoded, "kind"), kind.kind);
        EXPECT_EQ(string_at(*decoded, "apiVersion"), kind.api_version());
    }
}

TEST(DecodeProtobuf, TakesOptionsOfAnyGroup) {
    const auto decoded =
        decode_protobuf(envelope("batch/v1", "DeleteOptions", field(4, "Background")));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(dump_json(*decoded), R"({"apiVersion":"batch/v1","kind":"DeleteOptions",)"
                                   R"("propagationPolicy":"Background"})");
}

TEST(DecodeProtobuf, SurvivesEveryTruncation) {
    for (const Body& one : bodies()) {
        if (!one.name.starts_with("kubectl")) continue;
        for (std::size_t length = 0; length < one.bytes.size(); ++length) {
            const auto decoded = decode_protobuf(one.bytes.substr(0, length));
            if (!decoded) {
                EXPECT_EQ(decoded.error().reason, Reason::bad_request);
            }
        }
    }
}

TEST(DecodeProtobuf, SurvivesEveryFlippedBit) {
    for (const Body& one : bodies()) {
        if (!one.name.starts_with("kubectl")) continue;
        for (std::size_t i = 0; i < one.bytes.size(); ++i) {
            for (int bit = 0; bit < 8; ++bit) {
                std::string bytes = one.bytes;
                bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
                const auto decoded = decode_protobuf(bytes);
                if (decoded) {
                    EXPECT_FALSE(dump_json(*decoded).empty());
                } else {
                    EXPECT_EQ(decoded.error().reason, Reason::bad_request);
                }
            }
        }
    }
}

TEST(DecodeProtobuf, NamesTheByteWhereTheBodyEnds) {
    const std::string& bytes = body("kubectl create ns team-a").bytes;
    EXPECT_THAT(error_of_decoding(bytes.substr(0, 10)), HasSubstr("at byte 6: unexpected EOF"));
}

TEST(DecodeProtobuf, NamesTheFieldOfAWrongWireType) {
    // Pod.metadata.name as a number: 4 magic, 14 type, 2 raw header, 2 metadata header.
    const std::string pod = envelope("v1", "Pod", field(1, number_field(1, 7)));
    EXPECT_THAT(error_of_decoding(pod), HasSubstr("at byte 19: wrong wireType = 0 for field name"));
}

TEST(DecodeProtobuf, RefusesALengthThatOverflows) {
    const std::string pod = envelope("v1", "Pod", "\x0a" + varint(~0ULL));
    EXPECT_THAT(error_of_decoding(pod), HasSubstr("unexpected EOF"));
    EXPECT_THAT(error_of_decoding(envelope("v1", "Pod", "\x0a" + std::string(11, '\xff'))),
                HasSubstr("integer overflow"));
}

TEST(DecodeProtobuf, RefusesADepthThatCouldExhaustTheStack) {
    // JSONSchemaProps.not (28) holds another JSONSchemaProps.
    std::string schema;
    for (int i = 0; i < 5'000; ++i) schema = field(28, schema);
    const std::string crd = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                                     field(2, field(7, field(4, field(1, schema)))));
    EXPECT_THAT(error_of_decoding(crd), HasSubstr("exceeded max depth"));
}

TEST(DecodeProtobuf, SkipsFieldsOfNewerClients) {
    const std::string unknown =
        field(500, "x") + number_field(501, 1) + varint(502 << 3 | 3) + varint(502 << 3 | 4);
    const auto decoded =
        decode_protobuf(envelope("v1", "Namespace", field(1, field(1, "a")) + unknown));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(string_at(*decoded, "metadata.name"), "a");
}

TEST(DecodeProtobuf, RefusesGroupsThatNeverEnd) {
    std::string groups;
    for (int i = 0; i < 100'000; ++i) groups += varint(500 << 3 | 3);
    EXPECT_THAT(error_of_decoding(envelope("v1", "Namespace", groups)), HasSubstr("EOF"));
}

TEST(DecodeProtobuf, PutsMessagesInPartsTogether) {
    const auto decoded = decode_protobuf(
        envelope("v1", "Namespace", field(1, field(1, "a")) + field(1, field(4, "s"))));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->at("metadata"), Json({{"name", "a"}, {"selfLink", "s"}}));
}

TEST(DecodeProtobuf, ReplacesWhatIsNotUtf8) {
    const auto decoded = decode_protobuf(envelope("v1", "Namespace", field(1, field(1, "a\xff"))));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(string_at(*decoded, "metadata.name"), "a\xef\xbf\xbd");
}

TEST(DecodeProtobuf, RefusesABadValueOfASpecialType) {
    // ResourceQuota.spec.hard["cpu"]
    const std::string entry = field(1, "cpu") + field(2, field(1, "many"));
    EXPECT_THAT(error_of_decoding(envelope("v1", "ResourceQuota", field(2, field(1, entry)))),
                HasSubstr("quantities must match"));
    // metadata.creationTimestamp
    const std::string late = field(8, number_field(1, 1ULL << 60));
    EXPECT_THAT(error_of_decoding(envelope("v1", "Pod", field(1, late))),
                HasSubstr("time out of range"));
    // ControllerRevision.data
    EXPECT_THAT(
        error_of_decoding(envelope("apps/v1", "ControllerRevision", field(2, field(1, "{")))),
        HasSubstr("embedded JSON"));
}

TEST(DecodeProtobuf, NeedsTheMagicAndAKnownKind) {
    EXPECT_THAT(error_of_decoding("{}"), HasSubstr("does not appear to be a protobuf message"));
    EXPECT_THAT(error_of_decoding(std::string("k8s\0", 4)), HasSubstr("'Kind' is missing"));
    EXPECT_THAT(error_of_decoding(envelope("v2", "Pod", "")),
                HasSubstr("no kind \"Pod\" is registered for version \"v2\""));
}

}  // namespace
}  // namespace shed
