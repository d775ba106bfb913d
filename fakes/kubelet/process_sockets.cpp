#include "fakes/kubelet/process_runtime.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstring>

// What a ProcessRuntime does over sockets and pipes: probes, commands in containers, sockets of the
// cluster's network.
namespace shed {

namespace asio = boost::asio;

asio::awaitable<Result<int>> ProcessRuntime::Impl::descriptor_of(std::string line) {
    if (channel == nullptr) co_return Error{Reason::unavailable, "podinit's holder is not running"};
    auto reply = co_await channel->command(std::move(line));
    if (!reply) co_return reply.error();
    if (reply->descriptors.size() == 1) co_return reply->descriptors.front();
    for (const int extra : reply->descriptors) ::close(extra);
    co_return Error{Reason::internal, "podinit's holder sent no descriptor"};
}

asio::awaitable<Result<int>> ProcessRuntime::listen(std::string address, int port) {
    return impl_->descriptor_of("listen " + address + " " + std::to_string(port));
}

asio::awaitable<Result<int>> ProcessRuntime::connect(std::string address, int port) {
    return impl_->descriptor_of("connect " + address + " " + std::to_string(port));
}

namespace {

using Socket = asio::posix::stream_descriptor;

// Closes the socket when time is up, so that whatever waits on it ends.
asio::awaitable<void> give_up(std::shared_ptr<Socket> socket,
                              std::shared_ptr<asio::steady_timer> timer,
                              std::shared_ptr<bool> late) {
    const auto [ec] = co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return;
    *late = true;
    socket->cancel();
}

asio::awaitable<Result<int>> ask(Socket& socket, std::string where, std::string http_request) {
    const auto [ec] =
        co_await socket.async_wait(Socket::wait_write, asio::as_tuple(asio::use_awaitable));
    int trouble = ec ? ETIMEDOUT : 0;
    socklen_t size = sizeof trouble;
    if (!ec) ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &trouble, &size);
    if (trouble != 0) {
        std::string what = std::strerror(trouble);
        for (char& c : what) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        co_return Error{Reason::unavailable, "dial tcp " + where + ": connect: " + what};
    }
    if (http_request.empty()) co_return 0;
    const auto [write_ec, written] = co_await asio::async_write(
        socket, asio::buffer(http_request), asio::as_tuple(asio::use_awaitable));
    if (write_ec) co_return Error{Reason::unavailable, "write: " + write_ec.message()};
    asio::streambuf answer(65'536);
    const auto [read_ec, count] =
        co_await asio::async_read_until(socket, answer, '\n', asio::as_tuple(asio::use_awaitable));
    if (read_ec)
        co_return Error{Reason::unavailable,
                        read_ec == asio::error::eof ? "EOF" : read_ec.message()};
    const std::string line(asio::buffers_begin(answer.data()),
                           asio::buffers_begin(answer.data()) + static_cast<std::ptrdiff_t>(count));
    if (!line.starts_with("HTTP/") || line.size() < 12)
        co_return Error{Reason::unavailable, "malformed HTTP response"};
    co_return std::atoi(line.c_str() + line.find(' '));
}

}  // namespace

asio::awaitable<Result<int>> ProcessRuntime::probe(std::string address, int port,
                                                   std::string http_request, Duration timeout) {
    const auto descriptor = co_await connect(address, port);
    if (!descriptor) {
        co_return Error{Reason::unavailable, "dial tcp " + address + ":" + std::to_string(port) +
                                                 ": connect: " + descriptor.error().message};
    }
    const auto socket = std::make_shared<Socket>(impl_->executor, *descriptor);
    const auto timer = std::make_shared<asio::steady_timer>(impl_->executor, timeout);
    const auto late = std::make_shared<bool>(false);
    impl_->tasks.spawn("probe time-out", give_up(socket, timer, late));
    const std::string where = address + ":" + std::to_string(port);
    auto result = co_await ask(*socket, where, std::move(http_request));
    timer->cancel();
    if (*late) co_return Error{Reason::timeout, "dial tcp " + where + ": i/o timeout"};
    co_return result;
}

asio::awaitable<Result<int>> ProcessRuntime::Impl::exec(ExecRequest request,
                                                        std::vector<int> descriptors,
                                                        Duration timeout) {
    const std::string id = "x" + std::to_string(++serial), key = request.pod_uid + " " + id;
    const auto waiting = std::make_shared<Exec>(executor);
    execs[key] = waiting;
    const kubelet::OpenGroups joined = groups.open(request.pod_uid, request.container);
    descriptors.insert(descriptors.end(), joined.descriptors().begin(), joined.descriptors().end());
    auto reply = co_await with_spec("exec " + request.pod_uid + " " + request.container + " " + id,
                                    std::move(request.spec), std::move(descriptors));
    if (reply && !waiting->code) {
        if (timeout > Duration{}) waiting->woken.expires_after(timeout);
        co_await waiting->woken.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    execs.erase(key);
    if (!reply) co_return reply.error();
    if (waiting->code) co_return *waiting->code;
    if (channel->closed()) co_return Error{Reason::unavailable, "podinit's holder is gone"};
    co_return Error{Reason::timeout, "command timed out"};
}

asio::awaitable<Result<int>> ProcessRuntime::exec_on(ExecRequest request, int in, int out,
                                                     int err) {
    const Duration timeout = request.timeout;
    std::vector<int> descriptors(3);
    descriptors[0] = in;
    descriptors[1] = out;
    descriptors[2] = err;
    return impl_->exec(std::move(request), std::move(descriptors), timeout);
}

namespace {

// The first 10 KiB are kept; the rest is read and dropped, so that the command never waits for us.
struct Output {
    explicit Output(const asio::any_io_executor& executor)
        : ended(executor, asio::steady_timer::time_point::max()) {}
    std::string text;
    asio::steady_timer ended;
    bool at_end = false;
};

asio::awaitable<void> collect(asio::any_io_executor executor, int descriptor,
                              std::shared_ptr<Output> into) {
    constexpr std::size_t bytes_max = 10'240;
    asio::posix::stream_descriptor stream(executor, descriptor);
    std::array<char, 4096> buffer;
    for (;;) {
        const auto [ec, count] = co_await stream.async_read_some(
            asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
        if (ec) break;
        into->text.append(buffer.data(),
                          std::min(count, bytes_max - std::min(bytes_max, into->text.size())));
    }
    into->at_end = true;
    into->ended.cancel();
}

}  // namespace

asio::awaitable<Result<ExecResult>> ProcessRuntime::exec(ExecRequest request) {
    int ends[2];
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
        co_return Error{Reason::environment, "no descriptors are left"};
    const Duration timeout = request.timeout;
    std::vector<int> descriptors(3, ends[1]);
    descriptors[0] = nothing;
    const auto output = std::make_shared<Output>(impl_->executor);
    impl_->tasks.spawn("exec output", collect(impl_->executor, ends[0], output));
    const auto code = co_await impl_->exec(std::move(request), std::move(descriptors), timeout);
    ::close(nothing);
    ::close(ends[1]);
    if (!code) co_return code.error();
    // What was written before the exit is in the pipe already; a child left behind may keep the
    // pipe open for ever.
    if (!output->at_end) {
        output->ended.expires_after(std::chrono::milliseconds(200));
        co_await output->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    ExecResult result;
    result.code = *code;
    result.output = output->text;
    co_return result;
}

}  // namespace shed
