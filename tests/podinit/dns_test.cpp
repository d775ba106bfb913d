// RFC 1035 queries, byte by byte.
#include "fakes/podinit/dns.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace shed::podinit {
namespace {

constexpr char type_a = 1, class_in = 1, class_chaos = 3;

std::string query(char questions, char class_, char flags = 1) {
    std::string text = {'\x12', '\x34', flags, 0, 0, questions, 0, 0, 0, 0, 0, 0};
    for (const char i : std::string(static_cast<std::size_t>(questions), 'q')) {
        (void)i;
        text += std::string("\3pod\7example\0", 13) + std::string{0, type_a, 0, class_};
    }
    return text;
}

unsigned code_of(const std::string& reply) { return static_cast<unsigned char>(reply.at(3)) & 15U; }

class NameServerTest : public ::testing::Test {
protected:
    void SetUp() override {
        const std::string path = ::testing::TempDir() + "/podinit-dns-" + std::to_string(::getpid());
        std::ofstream(path) << "pod.example 10.244.0.7\n";
        EXPECT_EQ(names.load(path), "");
        ::unlink(path.c_str());
    }
    NameServer names;
};

TEST_F(NameServerTest, AnswersOneQuestionOfTheInternet) {
    const std::string reply = names.reply_to(query(1, class_in));
    EXPECT_EQ(code_of(reply), 0U);
    EXPECT_EQ(reply[7], 1);
    EXPECT_EQ(reply.substr(reply.size() - 4), std::string("\x0a\xf4\x00\x07", 4));
}

TEST_F(NameServerTest, RefusesOtherClasses) {
    const std::string reply = names.reply_to(query(1, class_chaos));
    EXPECT_EQ(code_of(reply), 5U);
    EXPECT_EQ(reply[7], 0);
}

TEST_F(NameServerTest, CallsAnyOtherNumberOfQuestionsMalformed) {
    for (const char questions : {0, 2}) {
        const std::string reply = names.reply_to(query(questions, class_in));
        EXPECT_EQ(code_of(reply), 1U) << int{questions};
        EXPECT_EQ(reply.size(), 12U);
        EXPECT_EQ(reply.substr(0, 2), "\x12\x34");
    }
    EXPECT_EQ(code_of(names.reply_to(query(1, class_in).substr(0, 20))), 1U);
}

TEST_F(NameServerTest, KnowsNoOtherOperations) {
    EXPECT_EQ(code_of(names.reply_to(query(1, class_in, 0x10))), 4U);
    EXPECT_EQ(names.reply_to(query(1, class_in, '\x80')), "");
}

}  // namespace
}  // namespace shed::podinit
