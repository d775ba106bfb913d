// Cancelling from outside the event loop, at every moment of a task's life.
#include "fakes/net/tasks.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace shed {
namespace {

namespace asio = boost::asio;

// Several turns of the loop, none of which waits for anything.
asio::awaitable<void> take_turns(int& ended) {
    struct Count {
        int& ended;
        ~Count() { ++ended; }
    } count{ended};
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < 3; ++turn) co_await asio::post(executor, asio::use_awaitable);
}

// What is cancelled from outside is only told so at the loop's next turns; the task may end before.
TEST(TaskCancel, MayComeAtAnyMoment) {
    for (int turns = 0; turns < 24; ++turns) {
        int ended = 0;
        asio::io_context io{1};
        Tasks tasks(io.get_executor());
        tasks.spawn("turns", take_turns(ended));
        for (int i = 0; i < turns; ++i) io.poll_one();
        tasks.cancel();
        io.restart();
        io.run();
        EXPECT_TRUE(tasks.empty()) << turns;
        EXPECT_EQ(ended, 1) << turns;
    }
}

}  // namespace
}  // namespace shed
