// remotecommand over SPDY/3.1: one stream for each of error, stdin, stdout, stderr, resize, opened
// by the client.
#include "fakes/streams/client.hpp"
#include "fakes/streams/spdy_connection.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>

namespace asio = boost::asio;

namespace shed::streams {

namespace {

constexpr std::string_view protocols[] = {"v4.channel.k8s.io", "v3.channel.k8s.io",
                                          "v2.channel.k8s.io", "channel.k8s.io"};
constexpr auto streams_time = std::chrono::seconds(30);  // a kubelet's DefaultStreamCreationTimeout
constexpr std::size_t size_bytes_max = 4096;

class SpdyClient final : public CommandClient {
public:
    SpdyClient(std::shared_ptr<ByteStream> bytes, const std::string& protocol)
        : connection_(std::move(bytes)), json_status_(protocol == "v4.channel.k8s.io") {}

    // True when every one of `names` was opened.
    asio::awaitable<bool> open(std::vector<std::string> names);

    asio::awaitable<Said> read() override {
        for (;;) {
            if (ended_input_) {
                ended_input_ = false;
                co_return Said{Said::Kind::end_of_input, {}, {}};
            }
            auto frame = co_await connection_.read();
            if (!frame) co_return Said{};
            if (auto said = take(*frame)) co_return std::move(*said);
        }
    }

    asio::awaitable<bool> write(RemoteCommand::Output which, std::string_view bytes) override {
        return connection_.send(streams_[which == RemoteCommand::Output::out ? "stdout" : "stderr"],
                                bytes, false);
    }

    asio::awaitable<void> finish(std::string status) override {
        const std::string text = json_status_ ? status : old_status_text(status);
        for (const auto& [name, stream] : streams_)
            if (name == "stdout" || name == "stderr") co_await connection_.send(stream, "", true);
        co_await connection_.send(streams_["error"], text, true);
    }

    bool peer_closed() const override { return connection_.peer_closed(); }
    void close() override { connection_.close(); }

private:
    std::optional<Said> take(const spdy::Frame& frame);

    SpdyConnection connection_;
    bool json_status_;
    std::map<std::string, std::uint32_t> streams_;  // by streamtype
    std::string sizes_;                             // of the terminal, not yet whole
    bool ended_input_ = false;
};

asio::awaitable<bool> SpdyClient::open(std::vector<std::string> names) {
    while (streams_.size() < names.size()) {
        const auto frame = co_await connection_.read();
        if (!frame) co_return false;
        if (frame->type != spdy::Type::syn_stream) continue;
        const std::string name(spdy::header(frame->headers, "streamtype"));
        const bool wanted =
            std::find(names.begin(), names.end(), name) != names.end() && !streams_.contains(name);
        if (!wanted) {
            co_await connection_.reset(frame->stream, spdy::refused_stream);
            continue;
        }
        streams_[name] = frame->stream;
        if (!co_await connection_.accept(frame->stream)) co_return false;
    }
    co_return true;
}

std::optional<CommandClient::Said> SpdyClient::take(const spdy::Frame& frame) {
    const auto is = [&](const char* name) {
        const auto stream = streams_.find(name);
        return stream != streams_.end() && stream->second == frame.stream;
    };
    const bool data = frame.type == spdy::Type::data;
    if (is("stdin") && (data || frame.type == spdy::Type::rst_stream)) {
        ended_input_ = frame.fin || !data;
        if (frame.data.empty()) return std::nullopt;
        return Said{Said::Kind::input, frame.data, {}};
    }
    if (!is("resize") || !data) return std::nullopt;
    // One JSON object after the other.
    sizes_ += frame.data;
    const auto end = sizes_.find('}');
    if (end == std::string::npos) {
        if (sizes_.size() > size_bytes_max) sizes_.clear();
        return std::nullopt;
    }
    const auto last = sizes_.rfind('}'), before = sizes_.rfind('}', last - 1);
    const auto from = last == end || before == std::string::npos ? 0 : before + 1;
    const auto size = parse_terminal_size(std::string_view(sizes_).substr(from, last + 1 - from));
    sizes_.erase(0, last + 1);
    return size ? std::optional(Said{Said::Kind::resize, {}, *size}) : std::nullopt;
}

}  // namespace

std::span<const std::string_view> spdy_command_protocols() { return protocols; }

asio::awaitable<std::shared_ptr<CommandClient>> spdy_client(std::shared_ptr<ByteStream> bytes,
                                                            std::string protocol,
                                                            CommandStreams wanted) {
    std::vector<std::string> names(1, "error");
    if (wanted.in) names.push_back("stdin");
    if (wanted.out) names.push_back("stdout");
    if (wanted.err && !wanted.tty) names.push_back("stderr");
    const bool resizes = protocol.starts_with("v4") || protocol.starts_with("v3");
    if (wanted.tty && resizes) names.push_back("resize");
    const auto client = std::make_shared<SpdyClient>(bytes, protocol);
    asio::steady_timer limit(co_await asio::this_coro::executor, streams_time);
    limit.async_wait([bytes](boost::system::error_code stopped) {
        if (!stopped) bytes->close();
    });
    const bool opened = co_await client->open(std::move(names));
    limit.cancel();
    if (!opened) co_return nullptr;
    co_return client;
}

}  // namespace shed::streams
