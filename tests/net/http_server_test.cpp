// What a peer may send before anyone knows who it is.
#include "tests/net/peer.hpp"

#include <gmock/gmock.h>

namespace shed {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string get = "GET /a HTTP/1.1\r\nHost: localhost\r\n";
const std::string post_chunked = "POST /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n";

TEST_F(ServerTest, Answers) {
    serve();
    EXPECT_THAT(exchange(get + "Connection: close\r\n\r\n"), HasSubstr("\r\n\r\nGET /a []"));
    EXPECT_THAT(exchange(post_chunked + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), HasSubstr("POST /a [abcde]"));
}

TEST_F(ServerTest, RefusesHeadsThatAreTooLarge) {
    serve();
    const std::string field(70'000, 'x');
    EXPECT_THAT(exchange(get + "X: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange(get + field + ": x\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange("GET /" + field), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange(get + "Connection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TakesHeadsUpToItsLimit) {
    serve();
    const std::string field(60'000, 'x');
    EXPECT_THAT(exchange(get + "Connection: close\r\nX: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, RefusesTrailersAndExtensionsWithoutBound) {
    serve();
    const std::string field(70'000, 'x');
    EXPECT_THAT(exchange(post_chunked + "0\r\nX: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(exchange(post_chunked + "1;" + field + "\r\na\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    std::string many;
    for (int i = 0; i < 100; ++i) many += "1;" + std::string(1000, 'x') + "\r\na\r\n";
    EXPECT_THAT(exchange(post_chunked + many + "0\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, TakesNothingOfTrailers) {
    std::string seen;
    serve({}, [&](HttpRequest request, HttpReply& reply) -> asio::awaitable<void> {
        seen = request.header("authorization");
        return echo(std::move(request), reply);
    });
    EXPECT_THAT(exchange(post_chunked + "1\r\na\r\n0\r\nAuthorization: x\r\n\r\n"), HasSubstr("POST /a [a]"));
    EXPECT_EQ(seen, "");
}

}  // namespace
}  // namespace shed
