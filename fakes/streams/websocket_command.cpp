// remotecommand's channels over WebSocket: the first byte of a message names the stream
// (k8s.io/streaming's wsstream).
#include "fakes/base/base64.hpp"
#include "fakes/kube/kube.hpp"
#include "fakes/net/tls.hpp"
#include "fakes/streams/client.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace asio = boost::asio;

namespace shed {

std::optional<TerminalSize> parse_terminal_size(std::string_view json) {
    const auto parsed = parse_json(std::string(json));
    if (!parsed || !parsed->is_object()) return std::nullopt;
    const auto width = int_at(*parsed, "Width", -1), height = int_at(*parsed, "Height", -1);
    if (width < 0 || width > 0xffff || height < 0 || height > 0xffff) return std::nullopt;
    TerminalSize size;
    size.width = static_cast<std::uint16_t>(width);
    size.height = static_cast<std::uint16_t>(height);
    return size;
}

namespace streams {

namespace {

constexpr std::string_view protocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io",
                                          "v4.base64.channel.k8s.io", "channel.k8s.io",
                                          "base64.channel.k8s.io"};

enum Channel : unsigned char {
    channel_in,
    channel_out,
    channel_err,
    channel_status,
    channel_resize,
    channel_end = 255
};

constexpr std::size_t piece_bytes = 32 * 1024;
constexpr std::size_t held_bytes_max =
    1024 * 1024;  // of messages that are needed whole: base64, sizes

class WebSocketClient final : public CommandClient {
public:
    WebSocketClient(std::shared_ptr<WebSocket> socket, const std::string& protocol)
        : socket_(std::move(socket)),
          base64_(protocol.find("base64.") != std::string::npos),
          json_status_(protocol.starts_with("v")) {}

    asio::awaitable<Said> read() override {
        for (;;) {
            const WebSocket::Piece piece =
                co_await socket_->read_some(buffer_.data(), buffer_.size());
            if (piece.gone) co_return Said{};
            if (auto said = take(piece)) co_return std::move(*said);
            if (broken_) co_return Said{};
        }
    }

    asio::awaitable<bool> write(RemoteCommand::Output which, std::string_view bytes) override {
        return send(which == RemoteCommand::Output::out ? channel_out : channel_err, bytes);
    }

    asio::awaitable<void> finish(std::string status) override {
        const std::string text = json_status_ ? status : old_status_text(status);
        if (!text.empty()) co_await send(channel_status, text);
        co_await socket_->shut("");
    }

    asio::awaitable<bool> send(Channel channel, std::string_view bytes) {
        std::string message(
            1, base64_ ? static_cast<char>('0' + channel) : static_cast<char>(channel));
        if (base64_) {
            message += encode_base64(bytes);
            co_return co_await socket_->write_text(message);
        }
        message.append(bytes);
        co_return co_await socket_->write(message);
    }

    bool peer_closed() const override { return socket_->peer_closed(); }
    void close() override { socket_->close(); }

private:
    std::optional<Said> take(const WebSocket::Piece& piece) {
        std::string_view bytes(buffer_.data(), piece.size);
        if (piece.first) named_ = false;
        if (!named_ && !bytes.empty()) {
            named_ = true;
            channel_ = static_cast<unsigned char>(bytes[0]);
            if (base64_) channel_ = static_cast<unsigned char>(channel_ - '0');
            held_.clear();
            bytes.remove_prefix(1);
        }
        if (!named_) return std::nullopt;
        if (channel_ == channel_in && !base64_) return input(std::string(bytes));
        if (held_.size() + bytes.size() > held_bytes_max) broken_ = true;
        else held_.append(bytes);
        return piece.last && !broken_ ? take_whole() : std::nullopt;
    }

    static std::optional<Said> input(std::string bytes) {
        if (bytes.empty()) return std::nullopt;
        return Said{Said::Kind::input, std::move(bytes), {}};
    }

    std::optional<Said> take_whole() {
        if (base64_) held_ = decode_base64(held_);
        if (channel_ == channel_in) return input(std::move(held_));
        if (channel_ == channel_end && held_ == std::string(1, '\0'))
            return Said{Said::Kind::end_of_input, {}, {}};
        if (channel_ != channel_resize) return std::nullopt;
        const auto size = parse_terminal_size(held_);
        return size ? std::optional(Said{Said::Kind::resize, {}, *size}) : std::nullopt;
    }

    std::shared_ptr<WebSocket> socket_;
    bool base64_, json_status_;
    std::array<char, piece_bytes> buffer_;
    std::string held_;
    unsigned char channel_ = 0;
    bool named_ = false, broken_ = false;
};

}  // namespace

std::span<const std::string_view> websocket_command_protocols() { return protocols; }

std::shared_ptr<CommandClient> websocket_client(std::shared_ptr<WebSocket> socket,
                                                const std::string& protocol) {
    return std::make_shared<WebSocketClient>(std::move(socket), protocol);
}

}  // namespace streams
}  // namespace shed
