// port-forward by SPDY, SPDY within WebSocket, and channels; the pod's program is the other end of
// a socket pair.
#include "fakes/base/rng.hpp"
#include "fakes/spdy/spdy.hpp"
#include "tests/streams/fakes.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <map>

namespace shed {
namespace {

using namespace std::string_literals;
using test::FakeReply;
using test::spdy_request;
using test::websocket_request;

struct PortForwardTest : testing::Test {
    boost::asio::io_context io{1};
    FakeReply reply{io.get_executor()};
    std::map<int, int> programs;  // the other ends, by port
    bool done = false;

    void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
    void TearDown() override {
        reply.line->close();
        for (int turn = 0; turn < 100; ++turn) io.poll();
        for (const auto& [port, descriptor] : programs) ::close(descriptor);
    }
    ForwardTarget target(std::vector<int> ports) {
        ForwardTarget made;
        made.pod = "p_default";
        made.ports = std::move(ports);
        made.dial = [this](int port) -> boost::asio::awaitable<Result<PodSocket>> {
            if (port == 99) co_return Error{Reason::unavailable, "connection refused"};
            int ends[2];
            EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
            programs[port] = ends[1];
            co_return std::make_shared<boost::asio::posix::stream_descriptor>(io, ends[0]);
        };
        return made;
    }
    static boost::asio::awaitable<void> serve(PortForwardTest& test, HttpRequest request,
                                              std::vector<int> ports) {
        co_await serve_port_forward(request, test.reply, test.target(std::move(ports)));
        test.done = true;
    }
    void begin(HttpRequest request, std::vector<int> ports = {}) {
        io.restart();
        boost::asio::co_spawn(io, serve(*this, std::move(request), std::move(ports)),
                              boost::asio::detached);
        turn();
    }
    void turn() {
        for (int i = 0; i < 5000; ++i) io.poll();
    }
    std::string read_program(int port) {
        char buffer[4096];
        const ssize_t count = ::read(programs.at(port), buffer, sizeof buffer);
        return count < 0 ? "nothing yet" : std::string(buffer, static_cast<std::size_t>(count));
    }
    void say(std::string message) {
        reply.line->said.push_back(std::move(message));
        reply.line->closed_timer.cancel();
        turn();
    }
    // What the client has got: data by stream, and which streams have ended.
    struct Got {
        std::map<std::uint32_t, std::string> data;
        std::set<std::uint32_t> ended, reset;
    };
    Got got() const {
        spdy::Reader reader;
        Got all;
        for (const std::string& message : reply.line->heard) reader.feed(message);
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
            const spdy::Frame& one = **frame;
            if (one.type == spdy::Type::rst_stream) all.reset.insert(one.stream);
            if (one.type == spdy::Type::data) all.data[one.stream] += one.data;
            if (one.fin) all.ended.insert(one.stream);
        }
        return all;
    }
};

std::string pair_of(spdy::Writer& writer, std::uint32_t first, const std::string& port,
                    const std::string& request) {
    std::string bytes = writer.syn_stream(
        first, {{"streamtype", "error"}, {"port", port}, {"requestid", request}}, true);
    return bytes +
           writer.syn_stream(
               first + 2, {{"streamtype", "data"}, {"port", port}, {"requestid", request}}, false);
}

TEST_F(PortForwardTest, CarriesEachDirectionToItsEnd) {
    spdy::Writer writer;
    reply.line->said.push_back(pair_of(writer, 1, "80", "0") + spdy::Writer::data(3, "ask", false));
    begin(spdy_request({"portforward.k8s.io"}));
    EXPECT_EQ(reply.protocol, "portforward.k8s.io");
    EXPECT_EQ(read_program(80), "ask");
    say(spdy::Writer::data(3, "", true));
    EXPECT_EQ(read_program(80), "");  // half closed: the program may still answer
    ASSERT_EQ(::write(programs[80], "answer", 6), 6);
    turn();
    EXPECT_EQ(got().data[3], "answer");
    EXPECT_EQ(got().ended, std::set<std::uint32_t>{});
    ::shutdown(programs[80], SHUT_WR);
    turn();
    EXPECT_EQ(got().ended, (std::set<std::uint32_t>{1, 3}));
    EXPECT_EQ(got().data[1], "");
}

TEST_F(PortForwardTest, KeepsConnectionsApart) {
    spdy::Writer writer;
    std::string bytes = pair_of(writer, 1, "80", "0");
    bytes += pair_of(writer, 5, "81", "1");
    bytes += spdy::Writer::data(7, "b", false) + spdy::Writer::data(3, "a", false);
    reply.line->said.push_back(bytes);
    begin(spdy_request({"portforward.k8s.io"}));
    EXPECT_EQ(read_program(80), "a");
    EXPECT_EQ(read_program(81), "b");
    say(spdy::Writer::rst_stream(3, spdy::cancelled));
    EXPECT_EQ(read_program(80), "");
    EXPECT_EQ(read_program(81), "nothing yet");
    EXPECT_EQ(got().ended, std::set<std::uint32_t>{1});
}

TEST_F(PortForwardTest, TellsWhyThereIsNoConnection) {
    spdy::Writer writer;
    reply.line->said.push_back(pair_of(writer, 1, "99", "0"));
    begin(spdy_request({"portforward.k8s.io"}));
    EXPECT_TRUE(got().data[1].starts_with("error forwarding port 99 to pod p_default, uid : "));
    EXPECT_TRUE(got().data[1].ends_with("connection refused"));
    EXPECT_EQ(got().ended, (std::set<std::uint32_t>{1, 3}));
}

TEST_F(PortForwardTest, RefusesStreamsItDoesNotKnow) {
    spdy::Writer writer;
    std::string bytes = writer.syn_stream(1, {{"streamtype", "odd"}, {"port", "80"}}, false);
    bytes += writer.syn_stream(3, {{"streamtype", "data"}, {"port", "0"}}, false);
    bytes += writer.syn_stream(5, {{"streamtype", "data"}}, false);
    reply.line->said.push_back(bytes);
    begin(spdy_request({"portforward.k8s.io"}));
    EXPECT_EQ(got().reset, (std::set<std::uint32_t>{1, 3, 5}));
}

TEST_F(PortForwardTest, WorksWithinWebSocketMessages) {
    spdy::Writer writer;
    const std::string bytes = pair_of(writer, 1, "80", "0") + spdy::Writer::data(3, "ask", false);
    for (std::size_t at = 0; at < bytes.size(); at += 5)
        reply.line->said.push_back(bytes.substr(at, 5));
    begin(websocket_request("SPDY/3.1+portforward.k8s.io"));
    EXPECT_EQ(reply.protocol, "SPDY/3.1+portforward.k8s.io");
    EXPECT_EQ(read_program(80), "ask");
}

TEST_F(PortForwardTest, SpeaksChannels) {
    reply.line->said = {"\0ask"s, "\2other"s, "\1ignored"};
    begin(websocket_request("v4.channel.k8s.io"), {80, 0x1234, 99});
    EXPECT_EQ(reply.line->heard[0], "\0\x50\0"s);
    EXPECT_EQ(reply.line->heard[1], "\1\x50\0"s);
    EXPECT_EQ(reply.line->heard[2], "\2\x34\x12");
    EXPECT_EQ(read_program(80), "ask");
    EXPECT_EQ(read_program(0x1234), "other");
    ASSERT_EQ(::write(programs[80], "answer", 6), 6);
    turn();
    EXPECT_EQ(reply.line->heard.back(), "\0answer"s);
    const auto refused = std::find_if(reply.line->heard.begin(), reply.line->heard.end(),
                                      [](const std::string& message) {
                                          return message.starts_with("\5error forwarding port 99");
                                      });
    EXPECT_NE(refused, reply.line->heard.end());
}

TEST_F(PortForwardTest, ChannelsNeedPorts) {
    begin(websocket_request("v4.channel.k8s.io"));
    ASSERT_TRUE(reply.answer);
    EXPECT_EQ(reply.answer->status, 400);
}

// A program that does not read must not make the server keep what the client sends.
TEST_F(PortForwardTest, ReadsNoFasterThanTheProgramDoes) {
    spdy::Writer writer;
    reply.line->said.push_back(pair_of(writer, 1, "80", "0"));
    for (int i = 0; i < 400; ++i)
        reply.line->said.push_back(spdy::Writer::data(3, std::string(30'000, 'a'), false));
    begin(spdy_request({"portforward.k8s.io"}));
    EXPECT_LT(reply.line->taken, port_queue_bytes_max + 1'000'000);
    reply.line->gone = true;  // noticed although nothing is read
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    reply.line->said.clear();
    reply.line->leaves = true;
    while (!done && std::chrono::steady_clock::now() < until)
        io.run_one_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(done);
}

TEST_F(PortForwardTest, SurvivesRandomFrames) {
    Rng rng(11);
    for (int round = 0; round < 200; ++round) {
        reply.line = std::make_shared<test::Line>(io.get_executor());
        reply.line->leaves = true;
        spdy::Writer writer;
        std::string bytes;
        for (std::uint64_t i = rng.below(10); i > 0; --i) {
            const auto stream = static_cast<std::uint32_t>(rng.below(9));
            if (rng.below(3) == 0)
                bytes += pair_of(writer, stream, rng.below(2) == 0 ? "80" : "99", "r");
            else if (rng.below(3) == 0) bytes += spdy::Writer::rst_stream(stream, 1);
            else bytes += spdy::Writer::data(stream, "data", rng.below(2) == 0);
        }
        if (rng.below(2) == 0 && !bytes.empty())
            bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
        reply.line->said.push_back(bytes + "x");
        done = false;
        begin(spdy_request({"portforward.k8s.io"}));
        for (int i = 0; i < 100 && !done; ++i) turn();
        EXPECT_TRUE(done) << round;
        for (const auto& [port, descriptor] : programs) ::close(descriptor);
        programs.clear();
    }
}

}  // namespace
}  // namespace shed
