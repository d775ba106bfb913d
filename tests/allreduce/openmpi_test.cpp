#include "bench/allreduce/mca.hpp"
#include "bench/allreduce/tcp_bytes.hpp"
#include "bench/allreduce/transport.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

namespace allreduce {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Mca, TellsValuesWithOddCharactersFromTheirSource) {
    // As Open MPI 4.1.4 prints them.
    const auto file =
        parse_mca("btl=^uct,openib,ofi (file (/etc/openmpi/openmpi-mca-params.conf:68))");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->name, "btl");
    EXPECT_EQ(file->value, "^uct,openib,ofi");
    EXPECT_EQ(file->source, "file /etc/openmpi/openmpi-mca-params.conf");
    const auto odd = parse_mca("x=a=b (c) (environment)");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->value, "a=b (c)");
    EXPECT_EQ(odd->source, "environment");
    EXPECT_FALSE(parse_mca("no parameter at all"));
    EXPECT_FALSE(parse_mca("(file (x=1))"));
}

TEST(Mca, TellsTheCommandLineFromTheEnvironment) {
    const auto names = names_on_command_line(
        "/usr/bin/mpirun\0-n\0002\0--mca\0btl\0tcp,self\0-mca\0pml\0ob1\0prog\0--mca\0"sv);
    EXPECT_THAT(names, ElementsAre("btl", "pml", ""));
    EXPECT_THAT(names_on_command_line("orted\0-mca\0btl\0tcp"sv), IsEmpty());
    const auto set = set_parameters({{"btl", "tcp,self", "environment"},
                                     {"osc", "^ucx", "environment"},
                                     {"pml", "ob1", "default"},
                                     {"ess", "pmi", "environment"},
                                     {"orte_hnp_uri", "1.0;tcp://x", "environment"}},
                                    names);
    ASSERT_EQ(set.size(), 2u);
    EXPECT_EQ(set[0].source, "command line");
    EXPECT_EQ(set[1].source, "environment");
    EXPECT_EQ(mca_value(set, "osc"), "^ucx");
    EXPECT_EQ(mca_value(set, "pml"), "");
}

TEST(Transport, SegmentsOfOnesPeersShowInTheMaps) {
    const auto maps =
        "7f00-7f10 rw-s 00 00:1b 415 /dev/shm/vader_segment.vm.0.74620001.1\n"
        "7f20-7f30 rw-s 00 00:1b 416 /dev/shm/vader_segment.vm.0.74620001.0\n"
        "7f30-7f40 rw-s 00 00:1b 416 /dev/shm/vader_segment.vm.0.74620001.0\n"
        "7f50-7f60 r--p 00 fe:00 99 /usr/lib/libmpi.so.40\n"sv;
    EXPECT_EQ(count_segments(maps, "vader_segment"), 2);
    EXPECT_EQ(count_segments(maps, "sm_segment"), 0);
}

TEST(Transport, TheMessageLayersNameFollowsItsType) {
    std::string component(160, '\0');
    component.replace(12, 4, "ompi");
    component.replace(40, 3, "pml");
    component.replace(40 + 32 + 12, 3, "ob1");
    EXPECT_EQ(component_name(component, "pml"), "ob1");
    EXPECT_EQ(component_name(component, "btl"), "");
    EXPECT_EQ(component_name("pml", "pml"), "");
    component[40 + 32 + 12] = '\x01';  // another layout
    EXPECT_EQ(component_name(component, "pml"), "");
}

TEST(Transport, IsNamedOnlyWhereBytesWereSeenToMove) {
    Traffic traffic;
    traffic.pml = "ob1";
    EXPECT_THAT(transport_names(traffic), ElementsAre("self"));
    traffic.ranks = 4;
    EXPECT_THAT(transport_names(traffic), ElementsAre("unknown (ob1)"));
    traffic.tcp = true;
    EXPECT_THAT(transport_names(traffic), ElementsAre("tcp"));
    traffic.vader = true;
    EXPECT_THAT(transport_names(traffic), ElementsAre("vader", "tcp"));
    traffic.pml = "ucx";
    EXPECT_THAT(transport_names(traffic), ElementsAre("vader", "tcp", "unknown (ucx)"));
}

// A connection of this process with itself: each byte is sent once and received once.
TEST(Transport, BytesOfOnesSocketsAreCounted) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listener, any, size), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    ASSERT_EQ(getsockname(listener, any, &size), 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(connect(client, any, size), 0);
    const int server = accept(listener, nullptr, nullptr);
    const std::uint64_t before = tcp_bytes_moved();
    const std::string text(10'000, 'x');
    ASSERT_EQ(send(client, text.data(), text.size(), 0), 10'000);
    std::string received(10'000, '\0');
    ASSERT_EQ(recv(server, received.data(), received.size(), MSG_WAITALL), 10'000);
    EXPECT_EQ(tcp_bytes_moved() - before, 20'000u);
    for (const int descriptor : {client, server, listener}) close(descriptor);
}

}  // namespace
}  // namespace allreduce
