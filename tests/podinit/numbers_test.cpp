// What podinit refuses to take for a number, by the name of the field.
#include "fakes/podinit/files.hpp"
#include "fakes/podinit/identity.hpp"
#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/privileges.hpp"
#include "fakes/podinit/util.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace shed::podinit {
namespace {

using ::testing::HasSubstr;

TEST(Numbers, AreDigitsOnly) {
    for (const char* text : {"root", "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "99999999999999999999", "65536"}) {
        std::string error;
        unsigned value = 7;
        EXPECT_FALSE(take_number("port", text, port_max, value, error)) << text;
        EXPECT_EQ(value, 7U) << text;
        EXPECT_THAT(error, HasSubstr("bad port \"" + std::string(text) + "\"")) << text;
    }
    std::string error;
    unsigned value = 7;
    EXPECT_TRUE(take_number("port", "65535", port_max, value, error));
    EXPECT_EQ(value, 65'535U);
    EXPECT_FALSE(take_number("mode", "0888", mode_max, value, error, 8));
    EXPECT_THAT(error, HasSubstr("octal number from 0 to 7777"));
}

TEST(Numbers, OfACommandAreCheckedByField) {
    const std::vector<Record> wrong = {{"uid", "root"}, {"uid"}, {"uid", "-1"}, {"uid", "4294967295"}, {"gid", "x"},
                                       {"group", "-5"}, {"keep-cap", "64"}, {"keep-cap", ""},
                                       {"rlimit", "nofile", "many", "10"}, {"rlimit", "nofile", "10", "-1"},
                                       {"rlimit", "files", "1", "1"}, {"rlimit", "nofile"}};
    for (const Record& record : wrong) {
        Command command;
        std::string error;
        EXPECT_TRUE(command.take(record, error));
        EXPECT_THAT(error, HasSubstr(record[0])) << record[0];
    }
    Command command;
    std::string error;
    for (const Record& record : {Record{"uid", "1000"}, Record{"gid", "0"}, Record{"group", "65534"},
                                 Record{"rlimit", "nofile", "10", "18446744073709551615"}})
        EXPECT_TRUE(command.take(record, error));
    EXPECT_EQ(error, "");
    EXPECT_EQ(command.uid, 1000);
    EXPECT_EQ(command.groups, (std::vector<unsigned>{65'534}));
    EXPECT_EQ(command.limits.at(0).second.rlim_max, RLIM_INFINITY);
}

TEST(Numbers, OfFilesAreCheckedBeforeAnythingIsMade) {
    const std::string path = ::testing::TempDir() + "/podinit-numbers-" + std::to_string(now_nanoseconds());
    for (const Record& record : {Record{"mkdir", path, "rwx", "0", "0"}, Record{"mkdir", path, "0755", "root", "0"},
                                 Record{"file", path, "0644", "0", "-1", "text"}, Record{"file", path, "", "0", "0"}}) {
        EXPECT_THAT(perform_files({record}, true), HasSubstr(path + ": bad ")) << record[0];
        EXPECT_NE(::access(path.c_str(), F_OK), 0);
    }
}

TEST(SubordinateIds, ComeFromTheFirstRangeThatIsLargeEnough) {
    long base = 0, count = 0;
    const std::string text = "other:1:65536\nann:100000:10\nann:x:65536\n1001:-5:65536\nann:200000:65536\nann:1:99999\n";
    ASSERT_TRUE(parse_range(text, "ann", "1001", base, count));
    EXPECT_EQ(base, 200'000);
    EXPECT_EQ(count, 65'536);
    EXPECT_FALSE(parse_range("ann:100000:10\n", "ann", "1001", base, count));
}

TEST(PollTime, IsNeverNegative) {
    EXPECT_EQ(milliseconds_until(steady_milliseconds() - 5), 0);
    EXPECT_EQ(milliseconds_until(0), 0);
    EXPECT_EQ(milliseconds_until(INT64_MAX), INT_MAX);
    EXPECT_GT(milliseconds_until(steady_milliseconds() + 60'000), 0);
}

}  // namespace
}  // namespace shed::podinit
