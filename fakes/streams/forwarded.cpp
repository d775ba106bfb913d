#include "fakes/streams/forwarded.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <charconv>

namespace asio = boost::asio;

namespace shed::streams {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);

}  // namespace

std::optional<int> port_of(std::string_view text) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
        return std::nullopt;
    return port;
}

asio::awaitable<void> Forwarded::wait_for_room(std::chrono::milliseconds at_most) {
    room_.expires_after(at_most);
    if (full()) co_await room_.async_wait(nothrow);
}

void Forwarded::put(std::string bytes) {
    if (dead_ || bytes.empty()) return;
    queued_ += bytes.size();
    queue_.push_back(std::move(bytes));
    news_.cancel();
}

void Forwarded::end() {
    ended_ = true;
    news_.cancel();
}

void Forwarded::connected(PodSocket socket) {
    socket_ = std::move(socket);
    if (dead_) close();
}

void Forwarded::close() {
    dead_ = true;
    boost::system::error_code ignored;
    if (socket_) socket_->close(ignored);
    news_.cancel();
    room_.cancel();
}

asio::awaitable<void> Forwarded::to_pod() {
    // Who cancels this has closed it, too.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!dead_) {
        if (queue_.empty() && ended_) break;
        if (queue_.empty()) {
            news_.expires_at(asio::steady_timer::time_point::max());
            co_await news_.async_wait(nothrow);
            continue;
        }
        const std::string bytes = std::move(queue_.front());
        queue_.pop_front();
        auto [error, count] = co_await asio::async_write(*socket_, asio::buffer(bytes), nothrow);
        (void)count;
        queued_ -= bytes.size();
        room_.cancel();
        if (error) co_return close();
    }
    if (!dead_) ::shutdown(socket_->native_handle(), SHUT_WR);
}

asio::awaitable<std::size_t> Forwarded::from_pod(char* into, std::size_t size) {
    auto [error, count] = co_await socket_->async_read_some(asio::buffer(into, size), nothrow);
    co_return error ? 0 : count;
}

asio::awaitable<void> keep_looking_for_client(std::function<asio::awaitable<void>()> say_nothing) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(std::chrono::seconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        co_await say_nothing();
    }
}

std::string forward_failure(const ForwardTarget& target, int port, const Error& error) {
    return "error forwarding port " + std::to_string(port) + " to pod " + target.pod +
           ", uid : failed to execute portforward in network namespace: failed to connect to "
           "localhost:" +
           std::to_string(port) + " inside the pod: " + error.message;
}

}  // namespace shed::streams
