// exec and attach, by every protocol a client may choose.
#include "fakes/base/rng.hpp"
#include "fakes/kube/kube.hpp"
#include "fakes/spdy/spdy.hpp"
#include "tests/streams/fakes.hpp"

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using namespace std::string_literals;
using test::FakeCommand;
using test::FakeReply;
using test::spdy_request;
using test::websocket_request;

const std::string success = R"({"metadata":{},"status":"Success"})";

struct CommandTest : testing::Test {
    boost::asio::io_context io{1};
    FakeReply reply{io.get_executor()};
    std::shared_ptr<FakeCommand> command = std::make_shared<FakeCommand>(io.get_executor());
    CommandStreams wanted{true, true, true, false};
    bool done = false;

    Result<StartCommand> start() {
        return StartCommand(
            [this]() -> boost::asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> {
                co_return command;
            });
    }
    static boost::asio::awaitable<void> serve(CommandTest& test, HttpRequest request,
                                              Result<StartCommand> start) {
        co_await serve_command(request, test.reply, test.wanted, std::move(start));
        test.done = true;
    }
    // Runs until nothing happens any more, or the service has ended.
    void run(HttpRequest request, Result<StartCommand> begun) {
        io.restart();
        boost::asio::co_spawn(io, serve(*this, std::move(request), std::move(begun)),
                              boost::asio::detached);
        for (int turn = 0; turn < 20'000 && !done; ++turn) io.poll();
    }
    void run(HttpRequest request) { run(std::move(request), start()); }
    std::vector<std::string>& said_to_client() { return reply.line->heard; }
    std::string heard_on(char channel) const {
        std::string bytes;
        for (const std::string& message : reply.line->heard)
            if (!message.empty() && message[0] == channel) bytes += message.substr(1);
        return bytes;
    }
    void say(std::vector<std::string> messages) {
        for (std::string& message : messages) reply.line->said.push_back(std::move(message));
    }
};

TEST_F(CommandTest, NeedsAnUpgrade) {
    HttpRequest request;
    request.method = "GET";
    run(request);
    ASSERT_TRUE(done && reply.answer);
    EXPECT_EQ(reply.answer->status, 400);
    EXPECT_NE(reply.answer->body.find("Upgrade request required"), std::string::npos);
}

TEST_F(CommandTest, RefusesProtocolsNobodySpeaks) {
    run(websocket_request("v9.channel.k8s.io"));
    ASSERT_TRUE(done && reply.answer);
    EXPECT_EQ(reply.answer->status, 403);
    EXPECT_NE(reply.answer->body.find("client supports [v9.channel.k8s.io], server accepts [v5."),
              std::string::npos);
}

TEST_F(CommandTest, CarriesAllChannels) {
    wanted.tty = true;
    say({"\4{\"Width\":80,\"Height\":25}\n", "\0abc"s, "\0"s, "\0def"s, "\7ignored", "\xff\0"s});
    run(websocket_request("v5.channel.k8s.io"));
    EXPECT_TRUE(done);
    EXPECT_EQ(reply.protocol, "v5.channel.k8s.io");
    EXPECT_EQ(said_to_client().front(), "\1");  // connected
    EXPECT_EQ(heard_on('\1'), "abcdef");
    EXPECT_EQ(heard_on('\2'), "");  // a terminal has one output
    EXPECT_EQ(heard_on('\3'), success);
    EXPECT_EQ(said_to_client().back()[0], '\3');
    EXPECT_TRUE(reply.line->shut);
    EXPECT_EQ(command->sizes, (std::vector<std::pair<int, int>>{{80, 25}}));
}

TEST_F(CommandTest, KeepsStderrApartWithoutATerminal) {
    say({"\0abc"s, "\xff\0"s});
    command->code = 3;
    run(websocket_request("v5.channel.k8s.io"));
    EXPECT_EQ(heard_on('\2'), "ABC");
    const Json status = Json::parse(heard_on('\3'));
    EXPECT_EQ(status["reason"], "NonZeroExitCode");
    EXPECT_EQ(status["details"]["causes"][0]["message"], "3");
}

TEST_F(CommandTest, SpeaksBase64) {
    say({"0YWJj", "4eyJXaWR0aCI6MSwiSGVpZ2h0IjoyfQ=="});
    command->code = 1;
    const auto spawned = websocket_request("base64.channel.k8s.io");
    boost::asio::co_spawn(io, serve(*this, spawned, start()), boost::asio::detached);
    for (int turn = 0; turn < 1000; ++turn) io.poll();
    command->end_input();  // this protocol cannot say it
    for (int turn = 0; turn < 1000; ++turn) io.poll();
    EXPECT_TRUE(done);
    EXPECT_EQ(heard_on('1'), "YWJj");
    EXPECT_EQ(command->sizes, (std::vector<std::pair<int, int>>{{1, 2}}));
    // Its errors are plain words.
    EXPECT_EQ(heard_on('3').substr(0, 8), "Y29tbWFu");
}

TEST_F(CommandTest, TellsAKubeletsRefusalAsTheApiServerPassesItOn) {
    run(websocket_request("v4.channel.k8s.io"),
        Error{Reason::internal, "container not found (\"c\")"});
    ASSERT_TRUE(reply.answer);
    EXPECT_EQ(reply.answer->status, 500);
    EXPECT_EQ(reply.answer->body, "container not found (\"c\")");
    EXPECT_FALSE(reply.protocol);
}

TEST_F(CommandTest, TellsItOnTheStatusChannelFromV5On) {
    run(websocket_request("v5.channel.k8s.io"),
        Error{Reason::internal, "container not found (\"c\")"});
    EXPECT_FALSE(reply.answer);
    EXPECT_EQ(Json::parse(heard_on('\3'))["message"],
              "Internal error occurred: unable to upgrade connection: container not found (\"c\")");
}

TEST_F(CommandTest, EndsTheCommandsStreamsWithItsClient) {
    say({"\0abc"s});
    reply.line->leaves = true;
    run(websocket_request("v5.channel.k8s.io"));
    EXPECT_TRUE(done);
    EXPECT_TRUE(command->closed);
}

TEST_F(CommandTest, ReadsNoFasterThanTheCommandDoes) {
    command->deaf = true;
    for (int i = 0; i < 1000; ++i) say({"\0"s + std::string(20'000, 'a')});
    run(websocket_request("v5.channel.k8s.io"));
    EXPECT_FALSE(done);
    EXPECT_LT(reply.line->taken, 100'000u);
    command->close();
    reply.line->close();
    io.poll();
}

// Its last words may wait behind what nobody reads: the kernel finds out by sending.
TEST_F(CommandTest, SpeaksToAClientItDoesNotRead) {
    command->deaf = true;
    say({"\0abc"s});
    run(websocket_request("v5.channel.k8s.io"));
    const auto spoken_to = [&] {
        return reply.line->heard == std::vector<std::string>{"\1", "\1"};
    };
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!spoken_to() && std::chrono::steady_clock::now() < until)
        io.run_one_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(spoken_to());
    reply.line->gone = true;  // as the kernel says then
    while (!done && std::chrono::steady_clock::now() < until)
        io.run_one_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(done);
    EXPECT_TRUE(command->closed);
}

TEST_F(CommandTest, ReadsNoFasterThanTheClientDoes) {
    command->endless = true;
    wanted.in = false;
    reply.line->stuck = true;
    run(websocket_request("v5.channel.k8s.io"));
    EXPECT_FALSE(done);
    EXPECT_LE(command->reads, 2);
    reply.line->close();
    io.poll();
}

TEST_F(CommandTest, SpeaksSpdy) {
    spdy::Writer writer;
    std::string bytes = writer.syn_stream(1, {{"streamtype", "error"}}, false);
    bytes += writer.syn_stream(3, {{"streamType", "stdin"}}, false);
    bytes += writer.syn_stream(5, {{"streamtype", "odd"}}, false);
    bytes += writer.syn_stream(7, {{"streamtype", "stdout"}}, false);
    bytes += writer.syn_stream(9, {{"streamtype", "stderr"}}, false);
    bytes += spdy::Writer::ping(1) + spdy::Writer::data(3, "abc", false) +
             spdy::Writer::data(3, "def", true);
    say({bytes});
    run(spdy_request({"v9.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io"}));
    EXPECT_EQ(reply.protocol, "v4.channel.k8s.io");
    spdy::Reader reader;
    for (const std::string& message : said_to_client()) reader.feed(message);
    std::map<std::uint32_t, std::string> data;
    std::set<std::uint32_t> ended, accepted, reset;
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
        if ((*frame)->type == spdy::Type::syn_reply) accepted.insert((*frame)->stream);
        if ((*frame)->type == spdy::Type::rst_stream) reset.insert((*frame)->stream);
        if ((*frame)->type != spdy::Type::data) continue;
        data[(*frame)->stream] += (*frame)->data;
        if ((*frame)->fin) ended.insert((*frame)->stream);
    }
    EXPECT_EQ(accepted, (std::set<std::uint32_t>{1, 3, 7, 9}));
    EXPECT_EQ(reset, (std::set<std::uint32_t>{5}));
    EXPECT_EQ(data[7], "abcdef");
    EXPECT_EQ(data[9], "ABCDEF");
    EXPECT_EQ(data[1], success);
    EXPECT_EQ(ended, (std::set<std::uint32_t>{1, 7, 9}));
    reply.line->leaves = true;
    reply.line->closed_timer.cancel();
    for (int turn = 0; turn < 1000 && !done; ++turn) io.poll();
    EXPECT_TRUE(done);
}

// Whatever a client says, the command ends with it and nothing else happens: also for the
// sanitizers' builds.
TEST_F(CommandTest, SurvivesRandomMessages) {
    Rng rng(7);
    for (int round = 0; round < 400; ++round) {
        reply.line = std::make_shared<test::Line>(io.get_executor());
        reply.line->leaves = true;
        command = std::make_shared<FakeCommand>(io.get_executor());
        done = false;
        for (std::uint64_t i = rng.below(8); i > 0; --i) {
            std::string message(1 + rng.below(40), '\0');
            for (char& c : message) c = static_cast<char>(rng.next());
            if (rng.below(2) == 0) message[0] = "\0\1\2\3\4\xff"[rng.below(6)];
            say({message});
        }
        const char* protocols[] = {"v5.channel.k8s.io", "base64.channel.k8s.io", ""};
        run(round % 4 == 3 ? spdy_request({"v4.channel.k8s.io"})
                           : websocket_request(protocols[round % 4]));
        EXPECT_TRUE(done) << round;
    }
}

TEST(Upgrade, IsReadFromTheHeaders) {
    HttpRequest request = websocket_request("v4.channel.k8s.io, channel.k8s.io");
    EXPECT_EQ(upgrade_of(request).kind, Upgrade::Kind::websocket);
    EXPECT_EQ(upgrade_of(request).protocols,
              (std::vector<std::string>{"v4.channel.k8s.io", "channel.k8s.io"}));
    request.method = "POST";
    EXPECT_EQ(upgrade_of(request).kind, Upgrade::Kind::none);
    request = spdy_request({"a", "b"});
    EXPECT_EQ(upgrade_of(request).kind, Upgrade::Kind::spdy);
    EXPECT_EQ(upgrade_of(request).protocols, (std::vector<std::string>{"a", "b"}));
    request.headers[0].second = "keep-alive";
    EXPECT_EQ(upgrade_of(request).kind, Upgrade::Kind::none);
}

TEST(Size, IsTwoNumbersOfSixteenBits) {
    EXPECT_EQ(parse_terminal_size(R"({"Width":80,"Height":25})")->width, 80);
    for (const char* text : {"", "{}", "[]", "80", R"({"Width":80})", R"({"Width":-1,"Height":1})",
                             R"({"Width":65536,"Height":1})", R"({"Width":"a","Height":1})"})
        EXPECT_FALSE(parse_terminal_size(text)) << text;
}

}  // namespace
}  // namespace shed
