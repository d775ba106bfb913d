// A gRPC health check against servers of a few canned frames.
#include "fakes/net/grpc_health.hpp"
#include "tests/net/peer.hpp"

#include <gmock/gmock.h>

namespace shed {
namespace {

using testing::HasSubstr;

// One HTTP/2 frame (RFC 9113, section 4.1).
std::string frame(int type, int flags, int stream, const std::string& payload) {
    std::string bytes;
    for (const int shift : {16, 8, 0})
        bytes.push_back(static_cast<char>((payload.size() >> shift) & 0xff));
    bytes.push_back(static_cast<char>(type));
    bytes.push_back(static_cast<char>(flags));
    for (const int shift : {24, 16, 8, 0})
        bytes.push_back(static_cast<char>((stream >> shift) & 0xff));
    return bytes + payload;
}
constexpr int data_frame = 0, headers_frame = 1, settings_frame = 4;
constexpr int end_stream = 1, end_headers = 4;

// A header that is not in the table: literal, without indexing (RFC 7541, section 6.2.2).
std::string literal(const std::string& name, const std::string& value) {
    return std::string(1, '\0') + static_cast<char>(name.size()) + name +
           static_cast<char>(value.size()) + value;
}
const std::string status_200 = "\x88";

std::string answered(const std::string& message) {
    const std::string body = std::string(4, '\0') + static_cast<char>(message.size()) + message;
    return frame(settings_frame, 0, 0, "") + frame(headers_frame, end_headers, 1, status_200) +
           frame(data_frame, 0, 1, body) +
           frame(headers_frame, end_headers | end_stream, 1, literal("grpc-status", "0"));
}

std::string refused(const std::string& status, const std::string& message) {
    return frame(settings_frame, 0, 0, "") +
           frame(headers_frame, end_headers | end_stream, 1,
                 status_200 + literal("grpc-status", status) + literal("grpc-message", message));
}

class GrpcHealth : public testing::Test {
protected:
    // Reads the whole request, answers these bytes and closes.
    asio::awaitable<void> serve(std::string bytes) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        while (received.find(awaited) == std::string::npos) {
            char piece[4096];
            auto [error, size] = co_await socket.async_read_some(asio::buffer(piece), nothrow);
            if (error) co_return;
            received.append(piece, size);
        }
        co_await asio::async_write(socket, asio::buffer(bytes), nothrow);
    }

    asio::awaitable<void> call(std::string service) {
        tcp::socket socket(io);
        co_await socket.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
        std::string authority = "pod:1";
        result = co_await grpc_health(socket, std::move(authority), std::move(service));
    }

    Result<int> ask(std::string answer, std::string service = "train") {
        asio::co_spawn(io, serve(std::move(answer)), asio::detached);
        asio::co_spawn(io, call(std::move(service)), asio::detached);
        io.run_for(std::chrono::seconds(20));
        return result;
    }

    asio::io_context io;
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
    std::string received, awaited = std::string("\0\0\0\0\x07\x0a\x05train", 12);
    Result<int> result = Error{Reason::internal, "not asked"};
};

TEST_F(GrpcHealth, TheAnsweredStatusIsTheResult) {
    EXPECT_EQ(*ask(answered("\x08\x01")), static_cast<int>(ServingStatus::serving));
    EXPECT_TRUE(received.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
}

TEST_F(GrpcHealth, AnEmptyServiceAsksForTheServer) {
    awaited = std::string(5, '\0');
    EXPECT_EQ(*ask(answered("\x08\x02"), ""), static_cast<int>(ServingStatus::not_serving));
}

TEST_F(GrpcHealth, AnEmptyAnswerIsUnknown) { EXPECT_EQ(*ask(answered("")), 0); }

TEST_F(GrpcHealth, FailedCallsAreToldAsAKubeletDoes) {
    EXPECT_EQ(ask(refused("5", "unknown service")).error().message,
              "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service");
}

TEST_F(GrpcHealth, AServerWithoutTheServiceIsNamedSo) {
    EXPECT_EQ(ask(refused("12", "no")).error().message,
              "error: this server does not implement the grpc health protocol "
              "(grpc.health.v1.Health): no");
}

TEST_F(GrpcHealth, WhatIsNotHttp2IsUnavailable) {
    const auto answer = ask("HTTP/1.1 400 Bad Request\r\n\r\n");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, Reason::unavailable);
}

TEST_F(GrpcHealth, AServerThatGoesIsUnavailable) {
    const auto answer = ask(frame(settings_frame, 0, 0, ""));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, Reason::unavailable);
}

TEST(ServingStatusName, IsThatOfTheProtocol) {
    EXPECT_EQ(serving_status_name(1), "SERVING");
    EXPECT_EQ(serving_status_name(9), "UNKNOWN");
}

}  // namespace
}  // namespace shed
