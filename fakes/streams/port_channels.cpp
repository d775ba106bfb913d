// port-forward by channels over WebSocket, as the Python client does it: for the i-th port of the
// query 2i carries data and 2i+1 an error's text, and the first message of each is the port's
// number, two bytes, the lower one first. Each port is one connection, made at once; a channel
// cannot be half closed.
#include "fakes/streams/port_channels.hpp"

#include "fakes/net/tasks.hpp"
#include "fakes/streams/forwarded.hpp"
#include "fakes/streams/negotiate.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <array>

namespace asio = boost::asio;

namespace shed::streams {

namespace {

constexpr std::string_view protocols[] = {"v4.channel.k8s.io"};
constexpr auto look_for_client_every = std::chrono::seconds(1);
constexpr std::size_t ports_max = 127;  // a channel's number is one byte

class PortChannels : public std::enable_shared_from_this<PortChannels> {
public:
    PortChannels(asio::any_io_executor executor, std::shared_ptr<WebSocket> socket,
                 ForwardTarget target)
        : socket_(std::move(socket)),
          target_(std::move(target)),
          tasks_(executor),
          left_(target_.ports.size()) {
        for (std::size_t i = 0; i < target_.ports.size(); ++i)
            open_.push_back(std::make_shared<Forwarded>(executor));
    }

    asio::awaitable<void> run() {
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const int port = target_.ports[i];
            const std::string number = {static_cast<char>(port & 0xff),
                                        static_cast<char>(port >> 8)};
            co_await send(2 * i, number);
            co_await send(2 * i + 1, number);
            tasks_.spawn("port-forward", serve(shared_from_this(), i));
        }
        tasks_.spawn("port-forward watch", keep_looking_for_client([self = shared_from_this()] {
                         return self->nudge();
                     }));
        std::array<char, 32 * 1024> buffer;
        std::optional<unsigned char> channel;
        for (;;) {
            const WebSocket::Piece piece =
                co_await socket_->read_some(buffer.data(), buffer.size());
            if (piece.gone) break;
            std::string_view bytes(buffer.data(), piece.size);
            if (piece.first) channel.reset();
            if (!channel && !bytes.empty()) {
                channel = static_cast<unsigned char>(bytes[0]);
                bytes.remove_prefix(1);
            }
            if (channel && *channel % 2 == 0 && *channel / 2u < open_.size())
                co_await take(*channel / 2u, std::string(bytes));
        }
    }

    void stop() {
        for (const auto& open : open_) open->close();
        socket_->close();
        tasks_.cancel();
    }

private:
    asio::awaitable<bool> send(std::size_t channel, std::string_view bytes) {
        std::string message(1, static_cast<char>(channel));
        message.append(bytes);
        co_return co_await socket_->write(message);
    }

    asio::awaitable<void> take(std::size_t index, std::string bytes) {
        const std::shared_ptr<Forwarded> open = open_[index];
        stalled_ = index;
        while (open->full() && !socket_->peer_closed())
            co_await open->wait_for_room(look_for_client_every);
        stalled_.reset();
        open->put(std::move(bytes));
    }

    asio::awaitable<void> nudge() {
        if (stalled_) co_await send(2 * *stalled_, "");
    }

    static asio::awaitable<void> serve(std::shared_ptr<PortChannels> self, std::size_t index) {
        using namespace asio::experimental::awaitable_operators;
        const std::shared_ptr<Forwarded> open = self->open_[index];
        const int port = self->target_.ports[index];
        const auto socket = co_await self->target_.dial(port);
        if (socket) {
            open->connected(*socket);
            co_await (self->copy_out(open, 2 * index) && open->to_pod());
        } else {
            const std::string why = forward_failure(self->target_, port, socket.error());
            co_await self->send(2 * index + 1, why);
        }
        open->close();
        if (--self->left_ == 0) co_await self->socket_->shut("");
    }

    asio::awaitable<void> copy_out(std::shared_ptr<Forwarded> open, std::size_t channel) {
        co_await asio::this_coro::throw_if_cancelled(false);
        std::array<char, 32 * 1024> buffer;
        for (;;) {
            const std::size_t size = co_await open->from_pod(buffer.data(), buffer.size());
            if (size == 0 || !co_await send(channel, std::string_view(buffer.data(), size))) break;
        }
        open->close();
    }

    std::shared_ptr<WebSocket> socket_;
    ForwardTarget target_;
    std::vector<std::shared_ptr<Forwarded>> open_;
    Tasks tasks_;
    std::size_t left_;
    std::optional<std::size_t> stalled_ = {};  // the connection whose pod is waited for
};

HttpResponse bad_ports() {
    return refusal_text(Error{Reason::bad_request, "query parameter \"port\" is required"});
}

}  // namespace

asio::awaitable<void> serve_port_channels(const HttpRequest& request, HttpReply& reply,
                                          std::vector<std::string> offered, ForwardTarget target) {
    const auto protocol = choose_protocol(offered, protocols);
    if (!protocol || target.ports.empty() || target.ports.size() > ports_max) {
        HttpResponse refusal = protocol ? bad_ports() : no_common_protocol(offered, protocols);
        co_await reply.send(std::move(refusal));
        co_return;
    }
    const auto socket = co_await reply.accept_websocket(request, *protocol);
    if (!socket) co_return;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto all = std::make_shared<PortChannels>(executor, socket, std::move(target));
    struct Stop {
        PortChannels& all;
        ~Stop() { all.stop(); }
    } stop{*all};
    co_await all->run();
}

}  // namespace shed::streams
