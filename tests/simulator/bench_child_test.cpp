#include "simulator/bench/child.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <optional>

namespace shed::bench {
namespace {

namespace asio = boost::asio;

Result<ChildResult> run(std::vector<std::string> words, std::chrono::seconds limit = std::chrono::seconds(60)) {
    asio::io_context io;
    std::optional<Result<ChildResult>> result;
    asio::co_spawn(io, run_child(std::move(words), {"SHED_X=1"}, limit),
                   [&](const std::exception_ptr&, Result<ChildResult> r) { result.emplace(std::move(r)); });
    io.run();
    return std::move(*result);
}

TEST(ChildTest, GivesOutputAndExitCode) {
    const auto child = run({"/bin/sh", "-c", "echo $SHED_X$HOME; echo oops >&2; exit 7"});
    ASSERT_TRUE(child) << child.error().message;
    EXPECT_EQ(child->output, "1" + std::string(getenv("HOME") ? getenv("HOME") : "") + "\noops\n");
    EXPECT_EQ(child->exit_code, 7);
}

TEST(ChildTest, ReportsTheSignal) {
    const auto child = run({"/bin/sh", "-c", "kill -9 $$"});
    ASSERT_TRUE(child);
    EXPECT_EQ(child->exit_code, 128 + SIGKILL);
}

TEST(ChildTest, SaysWhatCannotBeStarted) {
    const auto child = run({"/no/such/program"});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().message, "/no/such/program: No such file or directory");
}

TEST(ChildTest, EndsAllThatWasStartedAfterTheLimit) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);  // Inherited: end of file once the last holder has gone.
    const auto child = run({"/bin/sh", "-c", "sleep 1000 & sleep 1000"}, std::chrono::seconds(0));
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().reason, Reason::timeout);
    ::close(ends[1]);
    char byte;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0);
    ::close(ends[0]);
}

}  // namespace
}  // namespace shed::bench
