// Known frames, both ways; and what a peer must not be able to do.
#include "fakes/spdy/spdy.hpp"

#include "fakes/base/rng.hpp"

#include <gtest/gtest.h>

namespace shed::spdy {
namespace {

using namespace std::string_literals;

// All frames in `bytes`, fed at most `step` bytes at a time; nullopt when the Reader refuses them.
std::optional<std::vector<Frame>> read_all(std::string_view bytes, std::size_t step) {
    Reader reader;
    std::vector<Frame> frames;
    while (!bytes.empty()) {
        const std::size_t size = std::min(step, bytes.size());
        reader.feed(bytes.substr(0, size));
        bytes.remove_prefix(size);
        for (;;) {
            auto frame = reader.next();
            if (!frame) return std::nullopt;
            if (!*frame) break;
            frames.push_back(std::move(**frame));
        }
    }
    return frames;
}

// zlib names a dictionary by its Adler-32 (RFC 1950): SPDY/3's is e3c6a7c2.
TEST(Dictionary, IsTheOneOfTheStandard) {
    EXPECT_EQ(dictionary().size(), 1423u);
    Writer writer;
    const std::string frame = writer.syn_stream(1, {{"a", "b"}}, false);
    EXPECT_EQ(frame.substr(20, 4), "\xe3\xc6\xa7\xc2"s);
}

TEST(Writer, MakesTheFramesOfTheStandard) {
    EXPECT_EQ(Writer::data(3, "hello", false), "\0\0\0\3\0\0\0\5hello"s);
    EXPECT_EQ(Writer::data(3, "", true), "\0\0\0\3\1\0\0\0"s);
    EXPECT_EQ(Writer::rst_stream(5, cancelled), "\x80\3\0\3\0\0\0\x08\0\0\0\5\0\0\0\5"s);
    EXPECT_EQ(Writer::ping(7), "\x80\3\0\6\0\0\0\4\0\0\0\7"s);
    EXPECT_EQ(Writer::goaway(9), "\x80\3\0\7\0\0\0\x08\0\0\0\x09\0\0\0\0"s);
    Writer writer;
    EXPECT_EQ(writer.syn_reply(1, {}).substr(0, 4), "\x80\3\0\2"s);
}

TEST(Reader, ReadsWhatAWriterWrites) {
    Writer writer;
    const Headers headers = {{"streamtype", "data"}, {"port", "8080"}, {"requestid", "0"}};
    std::string bytes = writer.syn_stream(1, headers, true);
    bytes += writer.syn_stream(3, {{"streamtype", "error"}, {"port", "8080"}, {"requestid", "0"}},
                               false);
    bytes += writer.syn_reply(1, {}) + Writer::data(1, "abc", true) + Writer::ping(2) +
             Writer::goaway(3);
    for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
        const auto frames = read_all(bytes, step);
        ASSERT_TRUE(frames) << step;
        ASSERT_GE(frames->size(), 6u);
        EXPECT_EQ(frames->at(0).type, Type::syn_stream);
        EXPECT_EQ(frames->at(0).stream, 1u);
        EXPECT_TRUE(frames->at(0).fin);
        EXPECT_EQ(frames->at(0).headers, headers);
        EXPECT_EQ(header(frames->at(1).headers, "streamtype"), "error");
        EXPECT_EQ(header(frames->at(1).headers, "nothing"), "");
        EXPECT_EQ(frames->at(2).type, Type::syn_reply);
        std::string data;
        for (const Frame& frame : *frames)
            if (frame.type == Type::data) data += frame.data;
        EXPECT_EQ(data, "abc");
        EXPECT_EQ(frames->at(frames->size() - 2).value, 2u);
        EXPECT_EQ(frames->back().type, Type::goaway);
    }
}

TEST(Reader, EndsADataFrameWithItsLastPieceOnly) {
    const auto frames = read_all(Writer::data(1, "abcd", true) + Writer::data(1, "", true), 9);
    ASSERT_TRUE(frames);
    std::vector<bool> ends;
    for (const Frame& frame : *frames) ends.push_back(frame.fin);
    EXPECT_EQ(ends, (std::vector<bool>{false, true, true}));
}

TEST(Reader, TakesHeaderNamesInAnyCase) {
    Writer writer;
    const auto frames = read_all(writer.syn_stream(1, {{"StreamType", "Data"}}, false), 100);
    ASSERT_TRUE(frames);
    EXPECT_EQ(header(frames->front().headers, "streamtype"), "Data");
}

TEST(Reader, IgnoresFramesItDoesNotKnow) {
    const std::string unknown = "\x80\3\0\x63\0\0\0\3abc"s;
    const std::string settings = "\x80\3\0\4\0\0\0\4\0\0\0\0"s;
    const auto frames = read_all(unknown + settings + Writer::ping(1), 5);
    ASSERT_TRUE(frames);
    EXPECT_EQ(frames->size(), 3u);
    EXPECT_EQ(frames->back().type, Type::ping);
}

TEST(Reader, RefusesOtherVersionsAndSizes) {
    for (const std::string& bytes :
         {"\x80\2\0\6\0\0\0\4\0\0\0\7"s,        // version 2
          "\x80\3\0\6\0\0\0\5\0\0\0\7\0"s,      // a ping of 5 bytes
          "\x80\3\0\3\0\0\0\4\0\0\0\7"s,        // a reset without status
          "\x80\3\0\1\0\0\0\4\0\0\0\1"s,        // a SYN_STREAM that ends before its headers
          "\x80\3\0\2\0\0\0\x08\0\0\0\1abcd"s,  // headers that are no zlib
          "\x80\3\0\1\0\xff\xff\xff"s})         // a control frame of 16 MiB
        EXPECT_FALSE(read_all(bytes, 100)) << testing::PrintToString(bytes);
}

// A small frame must not unpack to a large one.
TEST(Reader, RefusesHeadersThatUnpackToTooMuch) {
    Writer writer;
    const std::string bomb =
        writer.syn_stream(1, {{"a", std::string(control_bytes_max, 'a')}}, false);
    ASSERT_LT(bomb.size(), 2000u);
    EXPECT_FALSE(read_all(bomb, 100));
}

TEST(Headers, AreCheckedAgainstTheirLengths) {
    EXPECT_EQ(decode_headers("\0\0\0\0"s), Headers{});
    EXPECT_EQ(decode_headers(encode_headers({{"a", "b"}, {"c", ""}})),
              (Headers{{"a", "b"}, {"c", ""}}));
    const std::string whole = encode_headers({{"name", "value"}});
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(decode_headers(whole.substr(0, size))) << size;
    EXPECT_FALSE(decode_headers("\xff\xff\xff\xff"s));          // so many that none are there
    EXPECT_FALSE(decode_headers("\0\0\0\1\xff\xff\xff\xff"s));  // a name longer than the block
    EXPECT_FALSE(decode_headers("\0\0\0\1\0\0\0\0\0\0\0\0"s));  // a name must not be empty
}

// Whatever comes, it is frames or an error: checked by the sanitizers' builds, too.
TEST(Reader, SurvivesRandomBytes) {
    Rng rng(20240607);
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
        Writer writer;
        std::string bytes = writer.syn_stream(1, {{"streamtype", "data"}, {"port", "80"}}, false) +
                            Writer::data(1, "some data", false) + Writer::ping(1) +
                            writer.syn_reply(3, {{"x", "y"}}) + Writer::goaway(3);
        const auto flips = 1 + rng.next() % 4;
        for (std::uint64_t i = 0; i < flips; ++i)
            bytes[rng.next() % bytes.size()] = static_cast<char>(rng.next() & 0xff);
        if (round % 4 == 0)
            for (char& c : bytes) c = static_cast<char>(rng.next() & 0xff);
        if (!read_all(bytes, 1 + rng.next() % 40)) ++refused;
    }
    EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace shed::spdy
