#include "fakes/kubelet/process_runtime.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

// What a ProcessRuntime does over sockets and pipes: commands in containers, sockets of the
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
    // It may have ended meanwhile.
    static_cast<void>(co_await channel->command("end-exec " + key));
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
