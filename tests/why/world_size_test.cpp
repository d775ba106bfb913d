#include "simulator/world_size.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const hostfile = "a-node-0-0.a slots=2\na-node-0-1.a slots=2\na-launcher-0-0.a slots=2\n";

ObjectPtr launcher(Json command) {
    return Object::make({{"apiVersion", "v1"},
                         {"kind", "Pod"},
                         {"metadata", {{"name", "a-launcher-0-0-x"}, {"namespace", "default"}}},
                         {"spec", {{"containers", Json::array({{{"name", "node"}, {"command", std::move(command)}}})}}}});
}

std::string message_for(Json command, std::set<std::string> reached) {
    return missing_hosts_message(hosts_in(hostfile), reached, *mpirun_call(*launcher(std::move(command))));
}

TEST(WorldSize, IsRightWhenEveryHostWasReached) {
    EXPECT_EQ(message_for({"mpirun", "hostname"}, {"a-node-0-0.a", "a-node-0-1.a", "a-launcher-0-0.a"}), "");
}

TEST(WorldSize, NamesTheHostsThatWereNot) {
    const std::string message = message_for({"mpirun", "hostname"}, {"a-launcher-0-0.a"});
    EXPECT_THAT(message, HasSubstr("6 ranks did not run on all 3 hosts"));
    EXPECT_THAT(message, HasSubstr("a-node-0-0.a, a-node-0-1.a"));
}

TEST(WorldSize, HostsBeyondTheRanksAskedForMayBeLeftOut) {
    EXPECT_EQ(message_for({"bash", "-c", "mpirun -np 2 hostname"}, {"a-node-0-0.a", "a-launcher-0-0.a"}), "");
    const std::string message = message_for({"/usr/bin/mpirun", "-n", "4", "hostname"}, {"a-node-0-0.a"});
    EXPECT_THAT(message, HasSubstr("a-node-0-1.a"));
    EXPECT_THAT(message, Not(HasSubstr("a-launcher")));
}

TEST(WorldSize, IsOnlyAskedOfMpirun) {
    EXPECT_FALSE(mpirun_call(*launcher({"bash", "-c", "pip list"})));
    EXPECT_TRUE(mpirun_call(*launcher({"mpiexec", "x"})));
}

TEST(WorldSize, ReadsHostfilesWithCommentsAndWithoutSlots) {
    const auto hosts = hosts_in("# comment\n\none\ntwo slots=3 max-slots=4\n");
    ASSERT_EQ(hosts.size(), 2u);
    EXPECT_EQ(hosts[0].slots, 1);
    EXPECT_EQ(hosts[1].host, "two");
    EXPECT_EQ(hosts[1].slots, 3);
}

}  // namespace
}  // namespace shed
