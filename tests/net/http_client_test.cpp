// What the client sends again, and which answers it takes.
#include "fakes/net/http_client.hpp"

#include "tests/net/peer.hpp"

namespace shed {
namespace {

class ClientTest : public ServerTest {
protected:
    HttpClient& client() {
        if (!client_) client_.emplace(io.get_executor(), HttpsTarget{"127.0.0.1", port, identity.ca_pem, ""});
        return *client_;
    }
    Result<HttpResponse> ask(std::string method) {
        Result<HttpResponse> answer = Error{Reason::internal, "not asked"};
        run(ask_as(std::move(method), answer));
        return answer;
    }
    asio::awaitable<void> ask_as(std::string method, Result<HttpResponse>& answer) {
        answer = co_await client().request(std::move(method), "/a", "", "");
    }

private:
    std::optional<HttpClient> client_;
};

// Answers the first request; reads the others and closes.
HttpHandler answer_once(std::vector<std::string>& seen) {
    return [&seen](HttpRequest request, HttpReply& reply) -> asio::awaitable<void> {
        seen.push_back(request.method);
        HttpResponse response;
        if (seen.size() == 1) co_await reply.send(std::move(response));
    };
}

TEST_F(ClientTest, NeverSendsAWriteTwice) {
    for (const std::string method : {"POST", "PATCH", "PUT", "DELETE"}) {
        std::vector<std::string> seen;
        serve({}, answer_once(seen));
        HttpClient http(io.get_executor(), HttpsTarget{"127.0.0.1", port, identity.ca_pem, ""});
        Result<HttpResponse> first = Error{}, second = Error{};
        run([&]() -> asio::awaitable<void> {
            first = co_await http.request("GET", "/a", "", "");
            second = co_await http.request(method, "/a", "", "");
        }());
        EXPECT_TRUE(first);
        EXPECT_FALSE(second);
        EXPECT_EQ(seen, (std::vector<std::string>{"GET", method}));
    }
}

TEST_F(ClientTest, SendsAReadAgainOnAFreshConnection) {
    std::vector<std::string> seen;
    serve({}, answer_once(seen));
    EXPECT_TRUE(ask("GET"));
    EXPECT_FALSE(ask("GET"));
    EXPECT_EQ(seen.size(), 3U);
}

TEST_F(ClientTest, SeesThatAKeptConnectionWasClosed) {
    HttpLimits limits;
    limits.idle_time = std::chrono::milliseconds(20);
    serve(limits);
    EXPECT_TRUE(ask("GET"));
    run_until([this] { return server->connections() == 0; });
    EXPECT_TRUE(ask("POST"));
}

TEST_F(ClientTest, TakesLargeHeadersUpToItsLimit) {
    std::size_t size = 40'000;
    serve({}, [&size](HttpRequest, HttpReply& reply) -> asio::awaitable<void> {
        HttpResponse response;
        response.headers.emplace_back("X-Large", std::string(size, 'x'));
        co_await reply.send(std::move(response));
    });
    EXPECT_TRUE(ask("GET"));
    size = 70'000;
    const auto refused = ask("GET");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::unavailable);
}

}  // namespace
}  // namespace shed
