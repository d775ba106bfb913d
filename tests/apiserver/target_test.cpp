// Which Hosts are ours, and how long a watch may last.
#include "fakes/apiserver/apiserver.hpp"

#include <gtest/gtest.h>

namespace shed {
namespace {

TEST(OwnHost, IsALoopbackNameOrAddressWithAnyPort) {
    for (const char* host : {"localhost", "localhost:8443", "127.0.0.1", "127.0.0.1:1", "127.1.2.255:65535", "[::1]",
                             "[::1]:443", "10.96.0.1", "kubernetes.default.svc:443"})
        EXPECT_TRUE(is_own_host(host)) << host;
}

TEST(OwnHost, IsNothingThatOnlyLooksLikeOne) {
    for (const char* host :
         {"", "127.", "127.1", "127.0.0.1.", "127.0.0.256", "127.0.0.01", "127.0.0.1.2", "127...", "[::1]x", "[::1]:",
          "[::1", "[", "[::1]:x", "localhost:", "localhost:x", "localhost:65536", "localhost:1:2", "localhost.evil.com",
          "127.0.0.1.evil.com", "128.0.0.1", ":443"})
        EXPECT_FALSE(is_own_host(host)) << host;
    EXPECT_FALSE(is_own_origin("http://127."));
    EXPECT_FALSE(is_own_origin("http://[::1]x"));
    EXPECT_TRUE(is_own_origin("http://[::1]:3000"));
}

TEST(WatchTime, IsWhatIsAskedForUpToAYear) {
    constexpr auto minute = std::chrono::minutes(1);
    EXPECT_EQ(watch_time("60"), minute);
    EXPECT_EQ(watch_time(""), 45 * minute);
    EXPECT_EQ(watch_time("0"), 45 * minute);
    EXPECT_EQ(watch_time("-5"), 45 * minute);
    for (const char* huge : {"9223372036854775807", "10000000000000", "99999999999999999999999"})
        EXPECT_EQ(watch_time(huge), 365 * 24 * 60 * minute) << huge;
}

}  // namespace
}  // namespace shed
