#pragma once
// One forwarded connection, towards the pod: bytes of the client wait here, up to a bound, until
// the pod's program takes them. For this module only.
#include "fakes/streams/streams.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>

namespace shed::streams {

class Forwarded {
public:
    explicit Forwarded(boost::asio::any_io_executor executor) : room_(executor), news_(executor) {}

    // ---- what the client says
    bool full() const { return queued_ >= port_queue_bytes_max && !dead_; }
    boost::asio::awaitable<void> wait_for_room(std::chrono::milliseconds at_most);
    void put(std::string bytes);
    void end();    // the client says no more; the pod may
    void close();  // at once
    bool closed() const { return dead_; }

    // ---- the copying, when the pod's program is there
    void connected(PodSocket socket);
    boost::asio::awaitable<void> to_pod();  // until the client has ended and all was taken
    boost::asio::awaitable<std::size_t> from_pod(char* into,
                                                 std::size_t size);  // 0: the pod says no more

private:
    PodSocket socket_;
    std::deque<std::string> queue_;
    std::size_t queued_ = 0;
    bool ended_ = false, dead_ = false;
    boost::asio::steady_timer room_, news_;
};

// While one of a client's connections waits for its pod, nothing is read from the client, and its
// end may wait for room here: the kernel learns that it has gone only by sending. `say_nothing`
// does, every second, as long as the client's connections may wait; it may itself wait for a client
// that does not read.
boost::asio::awaitable<void> keep_looking_for_client(
    std::function<boost::asio::awaitable<void>()> say_nothing);

// 1 to 65535, or nullopt.
std::optional<int> port_of(std::string_view text);

// A kubelet's words for a port nobody listens on.
std::string forward_failure(const ForwardTarget& target, int port, const Error& error);

}  // namespace shed::streams
