// port-forward by SPDY: two streams for each connection, one of data and one for an error's text.
#include "fakes/net/tasks.hpp"
#include "fakes/streams/forwarded.hpp"
#include "fakes/streams/negotiate.hpp"
#include "fakes/streams/port_channels.hpp"
#include "fakes/streams/spdy_connection.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace asio = boost::asio;

namespace shed {

namespace streams {

namespace {

constexpr auto look_for_client_every = std::chrono::seconds(1);
constexpr std::string_view spdy_protocols[] = {"portforward.k8s.io"};
constexpr std::string_view tunnel_protocol = "SPDY/3.1+portforward.k8s.io";

// All that one client forwards.
class PortForward : public std::enable_shared_from_this<PortForward> {
public:
    PortForward(asio::any_io_executor executor, std::shared_ptr<ByteStream> bytes,
                ForwardTarget target)
        : connection_(std::move(bytes)), target_(std::move(target)), tasks_(std::move(executor)) {}

    asio::awaitable<void> run() {
        tasks_.spawn("port-forward watch", keep_looking_for_client([self = shared_from_this()] {
                         return self->nudge();
                     }));
        for (;;) {
            auto frame = co_await connection_.read();
            if (!frame) break;
            if (frame->type == spdy::Type::syn_stream) co_await open(std::move(*frame));
            else if (frame->type == spdy::Type::data) co_await take(std::move(*frame));
            else if (frame->type == spdy::Type::rst_stream) drop(frame->stream);
        }
    }

    void stop() {
        for (auto& [stream, open] : by_data_) open->close();
        connection_.close();
        tasks_.cancel();
    }

private:
    struct Pair {  // the streams of one connection, which come one after the other
        std::uint32_t error = 0, data = 0;
        int port = 0;
        std::shared_ptr<Forwarded> open = {};
    };

    asio::awaitable<void> nudge() {
        if (stalled_ != 0) co_await connection_.send(stalled_, "", false);
    }
    asio::awaitable<void> open(spdy::Frame frame);
    asio::awaitable<void> take(spdy::Frame frame);
    void drop(std::uint32_t stream);
    static asio::awaitable<void> serve(std::shared_ptr<PortForward> self, Pair pair);
    asio::awaitable<void> connect(Pair pair);
    asio::awaitable<void> copy_out(std::shared_ptr<Forwarded> open, std::uint32_t stream);

    SpdyConnection connection_;
    ForwardTarget target_;
    std::map<std::string, Pair> waiting_;                          // by request
    std::map<std::uint32_t, std::shared_ptr<Forwarded>> by_data_;  // by data stream
    std::size_t streams_ = 0;
    std::uint32_t stalled_ = 0;  // the stream whose pod is waited for; 0: none
    Tasks tasks_;
};

// A request's id is missing from very old clients, whose data stream follows its error stream.
std::string request_of(const spdy::Frame& frame, bool data) {
    const std::string_view given = spdy::header(frame.headers, "requestid");
    return given.empty() ? "stream " + std::to_string(frame.stream - (data ? 2 : 0))
                         : std::string(given);
}

asio::awaitable<void> PortForward::open(spdy::Frame frame) {
    const std::string_view type = spdy::header(frame.headers, "streamtype");
    const auto port = port_of(spdy::header(frame.headers, "port"));
    const bool data = type == "data";
    if ((!data && type != "error") || !port || streams_ >= forwarded_streams_max) {
        co_await connection_.reset(frame.stream, spdy::refused_stream);
        co_return;
    }
    ++streams_;
    const std::string request = request_of(frame, data);
    Pair& pair = waiting_[request];
    (data ? pair.data : pair.error) = frame.stream;
    pair.port = *port;
    if (data) {
        pair.open = std::make_shared<Forwarded>(tasks_.executor());
        by_data_[frame.stream] = pair.open;
        if (frame.fin) pair.open->end();
    }
    co_await connection_.accept(frame.stream);
    if (pair.data == 0 || pair.error == 0) co_return;
    const Pair whole = pair;
    waiting_.erase(request);
    tasks_.spawn("port-forward", serve(shared_from_this(), whole));
}

asio::awaitable<void> PortForward::take(spdy::Frame frame) {
    const auto found = by_data_.find(frame.stream);
    if (found == by_data_.end()) co_return;
    const std::shared_ptr<Forwarded> open = found->second;
    // As with a kubelet, one connection that is stuck holds up the others of the same client.
    stalled_ = frame.stream;
    while (open->full() && !connection_.peer_closed())
        co_await open->wait_for_room(look_for_client_every);
    stalled_ = 0;
    open->put(std::move(frame.data));
    if (frame.fin) open->end();
}

void PortForward::drop(std::uint32_t stream) {
    if (const auto found = by_data_.find(stream); found != by_data_.end()) found->second->close();
}

asio::awaitable<void> PortForward::serve(std::shared_ptr<PortForward> self, Pair pair) {
    co_await self->connect(pair);
    self->by_data_.erase(pair.data);
    self->streams_ -= 2;
}

asio::awaitable<void> PortForward::connect(Pair pair) {
    using namespace asio::experimental::awaitable_operators;
    const auto socket = co_await target_.dial(pair.port);
    std::string why;
    if (socket) {
        pair.open->connected(*socket);
        co_await (copy_out(pair.open, pair.data) && pair.open->to_pod());
    } else {
        why = forward_failure(target_, pair.port, socket.error());
        co_await connection_.send(pair.data, "", true);
    }
    pair.open->close();
    co_await connection_.send(pair.error, why, true);
}

asio::awaitable<void> PortForward::copy_out(std::shared_ptr<Forwarded> open, std::uint32_t stream) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::array<char, 32 * 1024> buffer;
    for (;;) {
        const std::size_t size = co_await open->from_pod(buffer.data(), buffer.size());
        if (open->closed()) co_return;
        const bool sent =
            co_await connection_.send(stream, std::string_view(buffer.data(), size), size == 0);
        if (!sent) open->close();
        if (!sent || size == 0) co_return;
    }
}

asio::awaitable<void> run_port_forward(std::shared_ptr<ByteStream> bytes, ForwardTarget target) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto all = std::make_shared<PortForward>(executor, std::move(bytes), std::move(target));
    struct Stop {
        PortForward& all;
        ~Stop() { all.stop(); }
    } stop{*all};
    co_await all->run();
}

asio::awaitable<void> serve_websocket(const HttpRequest& request, HttpReply& reply, Upgrade upgrade,
                                      ForwardTarget target) {
    const bool tunnelled = std::find(upgrade.protocols.begin(), upgrade.protocols.end(),
                                     tunnel_protocol) != upgrade.protocols.end();
    if (!tunnelled) {
        co_await serve_port_channels(request, reply, std::move(upgrade.protocols),
                                     std::move(target));
        co_return;
    }
    std::string protocol(tunnel_protocol);
    const auto socket = co_await reply.accept_websocket(request, std::move(protocol));
    if (socket) co_await run_port_forward(bytes_in_messages(socket), std::move(target));
}

}  // namespace

}  // namespace streams

asio::awaitable<void> serve_port_forward(const HttpRequest& request, HttpReply& reply,
                                         ForwardTarget target) {
    using namespace streams;
    Upgrade upgrade = upgrade_of(request);
    if (upgrade.kind == Upgrade::Kind::none) {
        HttpResponse refusal = upgrade_required();
        co_await reply.send(std::move(refusal));
    } else if (upgrade.kind == Upgrade::Kind::websocket) {
        co_await serve_websocket(request, reply, std::move(upgrade), std::move(target));
    } else if (const auto protocol = choose_protocol(upgrade.protocols, spdy_protocols);
               !protocol) {
        HttpResponse refusal = no_common_protocol(upgrade.protocols, spdy_protocols);
        co_await reply.send(std::move(refusal));
    } else {
        HttpResponse head = switch_to_spdy(*protocol);
        const auto bytes = co_await reply.upgrade(std::move(head));
        if (bytes) co_await run_port_forward(bytes, std::move(target));
    }
}

}  // namespace shed
