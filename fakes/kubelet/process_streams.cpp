// What a ProcessRuntime does for clients that look into pods: commands with streams, and
// connections to what listens there.
#include "fakes/kubelet/process_runtime.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstring>

namespace shed {

namespace asio = boost::asio;

namespace {

using End = std::shared_ptr<asio::posix::stream_descriptor>;
constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_bytes = 32 * 1024;
// What a command leaves behind may hold its output open for ever.
constexpr auto output_after_exit = std::chrono::milliseconds(300);

// A command of `podinit stream`. Closing its ends is all that happens when a client goes: a command
// that reads or writes notices, and a terminal hangs up; any other goes on.
class StreamedCommand final : public RemoteCommand {
public:
    StreamedCommand(asio::any_io_executor executor,
                    std::shared_ptr<ProcessRuntime::Impl::Exec> waiting)
        : executor_(std::move(executor)), waiting_(std::move(waiting)) {}

    // In the order in which podinit gives them.
    bool take(const std::vector<int>& descriptors, CommandStreams wanted) {
        std::vector<End*> ends;
        if (wanted.tty) ends = std::vector<End*>(1, &in_);
        if (!wanted.tty && wanted.in) ends.push_back(&in_);
        if (!wanted.tty && wanted.out) ends.push_back(&out_);
        if (!wanted.tty && wanted.err) ends.push_back(&err_);
        terminal_ = wanted.tty;
        if (ends.size() != descriptors.size()) return false;
        for (std::size_t i = 0; i < ends.size(); ++i) {
            *ends[i] = std::make_shared<asio::posix::stream_descriptor>(executor_, descriptors[i]);
            (*ends[i])->non_blocking(true);
        }
        if (wanted.tty) out_ = in_;
        return true;
    }

    asio::awaitable<std::string> read(Output which) override {
        const End end = which == Output::out ? out_ : err_;
        std::string bytes(piece_bytes, '\0');
        while (end && !closed_) {
            const ssize_t count = ::read(end->native_handle(), bytes.data(), bytes.size());
            if (count > 0) {
                bytes.resize(static_cast<std::size_t>(count));
                co_return bytes;
            }
            // A terminal whose last user has gone says EIO.
            if (count == 0 || (errno != EAGAIN && errno != EINTR)) break;
            if (!co_await wait_for_more(end)) break;
        }
        co_return std::string();
    }

    asio::awaitable<bool> write(std::string_view input) override {
        const End end = in_;
        if (!end || closed_) co_return false;
        auto [error, count] = co_await asio::async_write(*end, asio::buffer(input), nothrow);
        static_cast<void>(count);
        co_return !error;
    }

    // Unlike containerd nobody presses Ctrl-D either: a terminal has no end of input.
    void end_input() override {
        if (!terminal_) close(in_);
    }

    void resize(TerminalSize size) override {
        struct winsize wanted = {size.height, size.width, 0, 0};
        if (terminal_ && in_ && !closed_) ::ioctl(in_->native_handle(), TIOCSWINSZ, &wanted);
    }

    asio::awaitable<Result<int>> exit_code() override {
        while (!waiting_->code && !waiting_->lost && !closed_)
            co_await waiting_->woken.async_wait(nothrow);
        exited_ = true;
        // Those who wait for more now do so for a while only.
        boost::system::error_code ignored;
        if (out_ && !closed_) out_->cancel(ignored);
        if (err_ && !closed_) err_->cancel(ignored);
        if (waiting_->code) co_return *waiting_->code;
        co_return Error{Reason::unavailable, "the command was given up"};
    }

    void close() override {
        closed_ = true;
        for (End* end : {&in_, &out_, &err_}) close(*end);
        waiting_->woken.cancel();
    }

private:
    static void close(const End& end) {
        boost::system::error_code ignored;
        if (end) end->close(ignored);
    }

    asio::awaitable<bool> wait_for_more(End end) {
        using namespace asio::experimental::awaitable_operators;
        if (!exited_) {
            co_await end->async_wait(asio::posix::stream_descriptor::wait_read, nothrow);
            co_return true;
        }
        asio::steady_timer limit(executor_, output_after_exit);
        const auto first =
            co_await (end->async_wait(asio::posix::stream_descriptor::wait_read, nothrow) ||
                      limit.async_wait(nothrow));
        co_return first.index() == 0;
    }

    asio::any_io_executor executor_;
    std::shared_ptr<ProcessRuntime::Impl::Exec> waiting_;
    End in_, out_, err_;
    bool terminal_ = false, exited_ = false, closed_ = false;
};

Spec with_streams(Spec spec, CommandStreams wanted) {
    const auto add = [&](const char* word) { spec.push_back(SpecRecord(1, word)); };
    if (wanted.tty) add("tty");
    if (!wanted.tty && wanted.in) add("stdin");
    if (!wanted.tty && wanted.out) add("stdout");
    if (!wanted.tty && wanted.err) add("stderr");
    return spec;
}

}  // namespace

asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> ProcessRuntime::exec_stream(
    ExecRequest request, CommandStreams wanted) {
    const std::string id = "x" + std::to_string(++impl_->serial), key = request.pod_uid + " " + id;
    const auto waiting = std::make_shared<Impl::Exec>(impl_->executor);
    impl_->execs[key] = waiting;
    const kubelet::OpenGroups joined = impl_->groups.open(request.pod_uid, request.container);
    std::vector<int> descriptors = joined.descriptors();
    auto reply = co_await impl_->with_spec(
        "stream " + request.pod_uid + " " + request.container + " " + id,
        with_streams(std::move(request.spec), wanted), std::move(descriptors));
    if (!reply) {
        impl_->execs.erase(key);
        co_return reply.error();
    }
    const auto command = std::make_shared<StreamedCommand>(impl_->executor, waiting);
    if (command->take(reply->descriptors, wanted)) co_return command;
    for (const int extra : reply->descriptors) ::close(extra);
    co_return Error{Reason::internal, "podinit's holder sent other streams than asked for"};
}

asio::awaitable<Result<PodSocket>> ProcessRuntime::container_input(std::string pod_uid,
                                                                   std::string container) {
    const auto made = co_await impl_->descriptor_of("input " + pod_uid + " " + container);
    if (!made) co_return made.error();
    co_return std::make_shared<asio::posix::stream_descriptor>(impl_->executor, *made);
}

asio::awaitable<void> ProcessRuntime::end_container_input(std::string pod_uid,
                                                          std::string container) {
    if (impl_->channel == nullptr) co_return;
    // Where it has ended already there is nothing to do.
    static_cast<void>(co_await impl_->channel->command("end-input " + pod_uid + " " + container));
}

asio::awaitable<Result<PodSocket>> ProcessRuntime::Impl::dial(std::string pod_uid, int port,
                                                              bool ipv6) {
    const auto made = co_await descriptor_of("dial " + pod_uid + " " + std::to_string(port) +
                                             (ipv6 ? " 6" : " 4"));
    std::string why = made ? "" : made.error().message;
    if (made) {
        const auto socket = std::make_shared<asio::posix::stream_descriptor>(executor, *made);
        const auto [ec] =
            co_await socket->async_wait(asio::posix::stream_descriptor::wait_write, nothrow);
        int trouble = ec ? ETIMEDOUT : 0;
        socklen_t size = sizeof trouble;
        if (!ec) ::getsockopt(socket->native_handle(), SOL_SOCKET, SO_ERROR, &trouble, &size);
        if (trouble == 0) co_return socket;
        why = std::strerror(trouble);
        for (char& c : why) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    const std::string where = ipv6 ? "dial tcp6 [::1]:" : "dial tcp4 127.0.0.1:";
    co_return Error{Reason::unavailable, where + std::to_string(port) + ": connect: " + why};
}

// IPv4 first, then IPv6, as containerd does.
asio::awaitable<Result<PodSocket>> ProcessRuntime::dial(std::string pod_uid, int port) {
    const auto first = co_await impl_->dial(pod_uid, port, false);
    if (first) co_return *first;
    const auto second = co_await impl_->dial(pod_uid, port, true);
    if (second) co_return *second;
    co_return Error{Reason::unavailable,
                    "IPv4: " + first.error().message + " IPv6 " + second.error().message};
}

}  // namespace shed
