// A wall clock that jumps (an operator, NTP, a resumed machine) moves no deadline and no timestamp of the cluster's.
#include "fakes/net/clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {
std::atomic<long> wall_jump_seconds = 0;
}

// The C library's, for this program: the wall clock is off by what a test says.
extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
    const long result = ::syscall(SYS_clock_gettime, id, time);
    if (result == 0 && id == CLOCK_REALTIME) time->tv_sec += wall_jump_seconds;
    return static_cast<int>(result);
}

namespace shed {
namespace {

using namespace std::chrono_literals;

class ClockJump : public ::testing::TestWithParam<std::chrono::seconds> {
protected:
    void TearDown() override { wall_jump_seconds = 0; }
    void jump() { wall_jump_seconds = GetParam().count(); }
};

TEST_P(ClockJump, MovesTheWallClockOfThisProgram) {
    const auto before = std::chrono::system_clock::now();
    jump();
    const auto moved = std::chrono::system_clock::now() - before;
    EXPECT_LT(std::chrono::abs(moved - GetParam()), 1min) << "the other tests would prove nothing";
}

TEST_P(ClockJump, MovesNoTimestamp) {
    const SystemClock clock, fast(100.0);
    const Time before = clock.now(), fast_before = fast.now();
    jump();
    EXPECT_GE(clock.now(), before);
    EXPECT_LT(clock.now() - before, 1min);
    EXPECT_GE(fast.now(), fast_before);
    EXPECT_LT(fast.now() - fast_before, 100min);
}

TEST_P(ClockJump, MovesNoDeadline) {
    constexpr auto time = 30ms;
    boost::asio::io_context io;
    SystemClock clock;
    bool woken = false;
    const auto until_due = [&]() -> boost::asio::awaitable<void> {
        co_await clock.wait(time);
        woken = true;
    };
    const auto start = std::chrono::steady_clock::now();
    boost::asio::co_spawn(io, until_due(), boost::asio::detached);
    io.poll();
    jump();
    io.run_for(30s);
    EXPECT_TRUE(woken);
    EXPECT_GE(std::chrono::steady_clock::now() - start, time);
}

INSTANTIATE_TEST_SUITE_P(OfADay, ClockJump, ::testing::Values(-1h, 24h, -24h, 10min));

}  // namespace
}  // namespace shed
