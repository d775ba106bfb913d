// Probes over the cluster's network: TCP, HTTP, HTTPS and gRPC.
#include "fakes/kubelet/process_runtime.hpp"
#include "fakes/net/grpc_health.hpp"

#include <sys/socket.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstring>

namespace shed {

namespace asio = boost::asio;

namespace {

using Socket = asio::ip::tcp::socket;
constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t answer_head_max = 65'536;

struct Asking {
    explicit Asking(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}
    Socket socket;
    asio::steady_timer timer;
    bool connected = false, late = false;
};

// Whatever waits on the socket ends when time is up.
asio::awaitable<void> give_up(std::shared_ptr<Asking> asking) {
    const auto [ec] = co_await asking->timer.async_wait(nothrow);
    if (ec) co_return;
    asking->late = true;
    boost::system::error_code ignored;
    asking->socket.cancel(ignored);
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

// The kernel's verdict on a connection under way; 0: it stands.
asio::awaitable<int> connection_error(Socket& socket) {
    const auto [ec] = co_await socket.async_wait(Socket::wait_write, nothrow);
    int trouble = ec ? ETIMEDOUT : 0;
    socklen_t size = sizeof trouble;
    if (!ec) ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &trouble, &size);
    co_return trouble;
}

template <class Stream>
asio::awaitable<Result<int>> http_status(Stream& stream, const std::string& request) {
    const auto [write_ec, written] =
        co_await asio::async_write(stream, asio::buffer(request), nothrow);
    if (write_ec) co_return Error{Reason::unavailable, "write: " + write_ec.message()};
    asio::streambuf answer(answer_head_max);
    const auto [read_ec, count] = co_await asio::async_read_until(stream, answer, '\n', nothrow);
    if (read_ec) {
        const bool ended =
            read_ec == asio::error::eof || read_ec == asio::ssl::error::stream_truncated;
        co_return Error{Reason::unavailable, ended ? "EOF" : read_ec.message()};
    }
    const std::string line(asio::buffers_begin(answer.data()),
                           asio::buffers_begin(answer.data()) + static_cast<std::ptrdiff_t>(count));
    if (!line.starts_with("HTTP/") || line.size() < 12)
        co_return Error{Reason::unavailable, "malformed HTTP response"};
    co_return std::atoi(line.c_str() + line.find(' '));
}

// A prober looks at no certificate: it asks whether the server answers, not who it is.
asio::awaitable<Result<int>> https_status(Socket& socket, const std::string& request) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_verify_mode(asio::ssl::verify_none);
    asio::ssl::stream<Socket&> stream(socket, context);
    const auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::client, nothrow);
    if (ec) {
        const bool plain = ec.message().find("wrong version number") != std::string::npos;
        co_return Error{Reason::unavailable,
                        plain ? "http: server gave HTTP response to HTTPS client"
                              : "tls: failed to verify the handshake: " + ec.message()};
    }
    auto status = co_await http_status(stream, request);
    co_return status;
}

asio::awaitable<Result<int>> ask(std::shared_ptr<Asking> asking, const ProbeRequest& request,
                                 std::string where) {
    const int trouble = co_await connection_error(asking->socket);
    if (trouble != 0)
        co_return Error{Reason::unavailable,
                        "dial tcp " + where + ": connect: " + lower(std::strerror(trouble))};
    asking->connected = true;
    switch (request.kind) {
        case ProbeRequest::Kind::tcp:
            co_return 0;
        case ProbeRequest::Kind::http:
            co_return co_await http_status(asking->socket, request.text);
        case ProbeRequest::Kind::https:
            co_return co_await https_status(asking->socket, request.text);
        case ProbeRequest::Kind::grpc:
            co_return co_await grpc_health(asking->socket, where, request.text);
    }
    co_return Error{};
}

// How probers say that time was up, or that a gRPC server could not be reached: they try that until
// time is up.
Error in_probers_words(const ProbeRequest& request, const Asking& asking, const std::string& where,
                       const Error& error) {
    const std::string limit =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(request.timeout).count()) +
        "s";
    if (request.kind == ProbeRequest::Kind::grpc) {
        if (error.reason == Reason::conflict) return error;
        if (asking.connected && asking.late)
            return Error{Reason::timeout, "timeout: health rpc did not complete within " + limit};
        return Error{Reason::timeout, "timeout: failed to connect service \"" + where +
                                          "\" within " + limit + ": context deadline exceeded"};
    }
    if (!asking.late) return error;
    if (!asking.connected) return Error{Reason::timeout, "dial tcp " + where + ": i/o timeout"};
    return Error{Reason::timeout,
                 "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"};
}

}  // namespace

asio::awaitable<Result<int>> ProcessRuntime::probe(ProbeRequest request) {
    const std::string where = request.address + ":" + std::to_string(request.port);
    const auto asking = std::make_shared<Asking>(impl_->executor);
    const auto descriptor = co_await connect(request.address, request.port);
    if (!descriptor) {
        const Error refused{Reason::unavailable,
                            "dial tcp " + where + ": connect: " + descriptor.error().message};
        co_return in_probers_words(request, *asking, where, refused);
    }
    asking->socket.assign(asio::ip::tcp::v4(), *descriptor);
    asking->timer.expires_after(request.timeout);
    impl_->tasks.spawn("probe time-out", give_up(asking));
    auto result = co_await ask(asking, request, where);
    asking->timer.cancel();
    if (result) co_return *result;
    co_return in_probers_words(request, *asking, where, result.error());
}

}  // namespace shed
