#include "fakes/net/grpc_health.hpp"

#include <nghttp2/nghttp2.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace shed {

namespace asio = boost::asio;

namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr std::size_t frame_head_bytes = 5;  // of gRPC: a flag for compression, the length
constexpr int grpc_ok = 0, grpc_unimplemented = 12, grpc_unset = -1;
constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);

// HealthCheckRequest{service = 1: string} in a gRPC frame that is not compressed.
std::string request_body(const std::string& service) {
    std::string message;
    if (!service.empty()) {
        message = "\x0a";
        for (std::size_t rest = service.size();; rest >>= 7) {
            message.push_back(static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
            if (rest <= 0x7f) break;
        }
        message += service;
    }
    std::string frame(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8)
        frame.push_back(static_cast<char>((message.size() >> shift) & 0xff));
    return frame + message;
}

// HealthCheckResponse{status = 1: enum} from a gRPC frame; nothing in it means UNKNOWN, zero.
int status_in(const std::string& frame) {
    if (frame.size() < frame_head_bytes + 2 || frame[frame_head_bytes] != '\x08') return 0;
    return static_cast<unsigned char>(frame[frame_head_bytes + 1]);
}

const char* code_name(int code) {
    constexpr const char* names[] = {
        "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
        "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
        "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
        "DataLoss", "Unauthenticated"};
    return code >= 0 && code < static_cast<int>(std::size(names)) ? names[code] : "Unknown";
}

// The one call of one connection, and its answer as far as it has come.
struct Call {
    std::string body = {};
    std::size_t sent = 0;
    std::string answer = {};
    std::string http_status = {}, grpc_message = {};
    int grpc_status = grpc_unset;
    bool closed = false;
};

ssize_t read_body(nghttp2_session*, int32_t, std::uint8_t* into, std::size_t room,
                  std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Call& call = *static_cast<Call*>(source->ptr);
    const std::size_t count = std::min(room, call.body.size() - call.sent);
    std::memcpy(into, call.body.data() + call.sent, count);
    call.sent += count;
    if (call.sent == call.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
              std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
              std::uint8_t, void* user) {
    Call& call = *static_cast<Call*>(user);
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":status") call.http_status = text;
    if (key == "grpc-status") call.grpc_status = std::atoi(text.c_str());
    if (key == "grpc-message") call.grpc_message = text;
    return 0;
}

int on_data(nghttp2_session*, std::uint8_t, int32_t, const std::uint8_t* data, std::size_t size,
            void* user) {
    Call& call = *static_cast<Call*>(user);
    if (call.answer.size() + size > answer_bytes_max) return NGHTTP2_ERR_CALLBACK_FAILURE;
    call.answer.append(reinterpret_cast<const char*>(data), size);
    return 0;
}

int on_close(nghttp2_session*, int32_t, std::uint32_t, void* user) {
    static_cast<Call*>(user)->closed = true;
    return 0;
}

struct DeleteSession {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
using Session = std::unique_ptr<nghttp2_session, DeleteSession>;

Session open_session(Call& call) {
    nghttp2_session_callbacks* callbacks = nullptr;
    SHED_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session* session = nullptr;
    SHED_CHECK(nghttp2_session_client_new(&session, callbacks, &call) == 0);
    nghttp2_session_callbacks_del(callbacks);
    return Session(session);
}

nghttp2_nv header(std::string_view name, std::string_view value) {
    nghttp2_nv pair{};
    pair.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    pair.namelen = name.size();
    pair.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    pair.valuelen = value.size();
    return pair;
}

void submit(nghttp2_session* session, Call& call, const std::string& authority) {
    const std::array<nghttp2_nv, 8> headers = {header(":method", "POST"),
                                               header(":scheme", "http"),
                                               header(":path", "/grpc.health.v1.Health/Check"),
                                               header(":authority", authority),
                                               header("content-type", "application/grpc"),
                                               header("te", "trailers"),
                                               header("user-agent", "kube-probe/1.36"),
                                               header("grpc-accept-encoding", "identity")};
    nghttp2_data_provider body{};
    body.source.ptr = &call;
    body.read_callback = read_body;
    SHED_CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0) == 0);
    SHED_CHECK(nghttp2_submit_request(session, nullptr, headers.data(), headers.size(), &body,
                                      nullptr) > 0);
}

std::string pending_bytes(nghttp2_session* session) {
    std::string bytes;
    const std::uint8_t* piece = nullptr;
    for (ssize_t n = nghttp2_session_mem_send(session, &piece); n > 0;
         n = nghttp2_session_mem_send(session, &piece))
        bytes.append(reinterpret_cast<const char*>(piece), static_cast<std::size_t>(n));
    return bytes;
}

Result<int> verdict(const Call& call) {
    if (call.http_status != "200" && call.grpc_status == grpc_unset)
        return Error{Reason::conflict,
                     "error: health rpc probe failed: rpc error: code = Unknown desc = unexpected "
                     "HTTP status code received from server: " +
                         call.http_status};
    if (call.grpc_status == grpc_unimplemented)
        return Error{Reason::conflict,
                     "error: this server does not implement the grpc health protocol "
                     "(grpc.health.v1.Health): " +
                         call.grpc_message};
    if (call.grpc_status != grpc_ok)
        return Error{Reason::conflict, "error: health rpc probe failed: rpc error: code = " +
                                           std::string(code_name(call.grpc_status)) +
                                           " desc = " + call.grpc_message};
    return status_in(call.answer);
}

}  // namespace

std::string_view serving_status_name(int status) {
    constexpr std::string_view names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    return status >= 0 && status < static_cast<int>(std::size(names)) ? names[status] : "UNKNOWN";
}

asio::awaitable<Result<int>> grpc_health(asio::ip::tcp::socket& socket, std::string authority,
                                         std::string service) {
    Call call;
    call.body = request_body(service);
    const Session session = open_session(call);
    submit(session.get(), call, authority);
    std::array<char, 4096> buffer;
    while (!call.closed) {
        const std::string out = pending_bytes(session.get());
        const auto [write_ec, written] =
            co_await asio::async_write(socket, asio::buffer(out), nothrow);
        if (write_ec) co_return Error{Reason::unavailable, "write: " + write_ec.message()};
        const auto [read_ec, count] =
            co_await socket.async_read_some(asio::buffer(buffer), nothrow);
        if (read_ec) co_return Error{Reason::unavailable, "read: " + read_ec.message()};
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(buffer.data());
        if (nghttp2_session_mem_recv(session.get(), bytes, count) < 0)
            co_return Error{Reason::unavailable, "the server does not speak HTTP/2"};
    }
    co_return verdict(call);
}

}  // namespace shed
