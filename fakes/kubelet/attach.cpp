#include "fakes/kubelet/attach.hpp"

#include <sys/ioctl.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace shed::kubelet {

namespace asio = boost::asio;

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);

// Unlike containerd: what a container prints is taken from its log, so that a slow client holds up
// nobody. Without a terminal it comes line by line.
class AttachedContainer final : public RemoteCommand {
public:
    // `end_input` ends the container's input for good.
    AttachedContainer(KubeletHost::Impl& host, const AttachRequest& request, PodSocket input,
                      std::function<void()> end_input)
        : input_(std::move(input)),
          writes_(request.wanted.in),
          terminal_(request.terminal),
          end_input_(std::move(end_input)),
          ended_(host.deps.executor, asio::steady_timer::time_point::max()) {
        LogQuery query = request.log;
        query.follow = true;
        query.tail_lines = 0;  // from now on
        const auto reader = [&](const char* stream) {
            query.stream = stream;
            return std::make_shared<LogReader>(host.deps.executor, host.deps.directory, query);
        };
        out_ = reader("stdout");
        if (request.wanted.err) err_ = reader("stderr");
        left_ = (request.wanted.out ? 1 : 0) + (err_ ? 1 : 0);
    }

    asio::awaitable<std::string> read(Output which) override {
        const std::shared_ptr<LogReader> reader = which == Output::out ? out_ : err_;
        auto lines = co_await reader->read();
        if (lines && !lines->empty() && !closed_) co_return std::move(*lines);
        if (--left_ == 0) ended_.cancel();
        co_return std::string();
    }

    asio::awaitable<bool> write(std::string_view input) override {
        const PodSocket to = input_;
        if (!to || !writes_) co_return false;
        auto [error, count] = co_await asio::async_write(*to, asio::buffer(input), nothrow);
        static_cast<void>(count);
        co_return !error;
    }

    void end_input() override {
        if (terminal_ || !std::exchange(writes_, false)) return;
        close_input();
        if (end_input_) end_input_();
    }

    void resize(TerminalSize size) override {
        struct winsize wanted = {size.height, size.width, 0, 0};
        if (terminal_ && input_) ::ioctl(input_->native_handle(), TIOCSWINSZ, &wanted);
    }

    asio::awaitable<Result<int>> exit_code() override {
        while (left_ > 0 && !closed_) co_await ended_.async_wait(nothrow);
        co_return 0;
    }

    void close() override {
        closed_ = true;
        end_input();
        close_input();
        ended_.cancel();
    }

private:
    void close_input() {
        boost::system::error_code ignored;
        if (input_) input_->close(ignored);
        input_ = nullptr;
    }

    PodSocket input_;
    bool writes_, terminal_;
    std::function<void()> end_input_;
    std::shared_ptr<LogReader> out_, err_;
    int left_ = 0;
    bool closed_ = false;
    asio::steady_timer ended_;
};

}  // namespace

asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> attach(KubeletHost::Impl& host,
                                                               AttachRequest request) {
    PodSocket input;
    if (request.terminal || request.wanted.in) {
        auto given =
            co_await host.deps.runtime.container_input(request.log.pod_uid, request.log.container);
        // One that was ended by another client before: the output is still there.
        if (given) input = *given;
    }
    std::function<void()> end_input;
    if (request.input_once)
        end_input = [&host, alive = std::weak_ptr<bool>(host.alive), uid = request.log.pod_uid,
                     name = request.log.container] {
            if (alive.expired()) return;
            host.tasks.spawn("kubelet end of input",
                             host.deps.runtime.end_container_input(uid, name));
        };
    co_return std::make_shared<AttachedContainer>(host, request, std::move(input),
                                                  std::move(end_input));
}

}  // namespace shed::kubelet
