// Commands of any length arrive whole or are refused.
#include "fakes/podinit/packet.hpp"

#include "fakes/podinit/util.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace shed::podinit {
namespace {

using ::testing::HasSubstr;

class PacketTest : public ::testing::Test {
protected:
    void SetUp() override {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        here.reset(ends[0]);
        there.reset(ends[1]);
    }
    Packet passed_on(const std::string& text) {
        EXPECT_EQ(::send(here.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        Packet packet;
        EXPECT_TRUE(receive_packet(there.get(), packet));
        return packet;
    }
    Descriptor here, there;
};

TEST_F(PacketTest, TakesLongCommands) {
    const std::string line = "files /" + std::string(40'000, 'x');
    const Packet packet = passed_on(line + "\n");
    EXPECT_EQ(packet.error, "");
    EXPECT_EQ(packet.text, line);
}

TEST_F(PacketTest, RefusesWhatItWouldHaveToCut) {
    EXPECT_THAT(passed_on(std::string(65'537, 'x')).error, HasSubstr("longer than 65536 bytes"));
}

TEST_F(PacketTest, EndsWithTheOtherSide) {
    here.reset();
    Packet packet;
    EXPECT_FALSE(receive_packet(there.get(), packet));
}

}  // namespace
}  // namespace shed::podinit
