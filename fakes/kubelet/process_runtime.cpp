#include "fakes/kubelet/process_runtime.hpp"

#include "fakes/base/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <filesystem>

namespace shed {

namespace asio = boost::asio;
using kubelet::HolderReply;

namespace {

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        if (end > at) words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

// A field that is empty and last is left out: podinit reads a missing last field as empty.
std::string encode(const Spec& spec) {
    std::string bytes;
    for (const SpecRecord& record : spec) {
        for (const std::string& field : record) bytes.append(field).push_back('\0');
        if (!record.empty() && record.back().empty()) continue;
        bytes.push_back('\0');
    }
    return bytes;
}

}  // namespace

ProcessRuntime::Impl::Exec::Exec(const asio::any_io_executor& on)
    : woken(on, asio::steady_timer::time_point::max()) {}

ProcessRuntime::Impl::~Impl() {
    if (process.lifeline >= 0) ::close(process.lifeline);
    if (process.ready >= 0) ::close(process.ready);
    // The holder ends by itself now; it is reaped here so that no zombie outlives its owner's
    // interest in it.
    if (process.pid > 0) ::waitpid(process.pid, nullptr, WNOHANG);
}

ProcessRuntime::ProcessRuntime(asio::any_io_executor executor, HolderOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options))) {
    if (impl_->options.podinit.empty()) impl_->options.podinit = kubelet::default_podinit();
}
ProcessRuntime::~ProcessRuntime() = default;

void ProcessRuntime::on_exit(ExitHandler handler) { impl_->exited = std::move(handler); }
void ProcessRuntime::on_sandbox_lost(std::function<void(const std::string&)> handler) {
    impl_->sandbox_lost = std::move(handler);
}
void ProcessRuntime::on_lost(std::function<void()> handler) { impl_->lost = std::move(handler); }
std::string ProcessRuntime::identity_map() const { return impl_->map; }
bool ProcessRuntime::single_identity() const { return impl_->map == "single"; }
std::string ProcessRuntime::unenforced(std::string_view resource) const {
    return impl_->groups.unenforced(resource);
}
std::vector<ContainerReading> ProcessRuntime::read_usage() const {
    return impl_->groups.read(impl_->process.pid);
}

asio::awaitable<Result<void>> ProcessRuntime::start() { return impl_->start(); }

asio::awaitable<Result<void>> ProcessRuntime::Impl::start() {
    if (auto made = make_directories(); !made) co_return made.error();
    auto spawned = kubelet::spawn_holder(options);
    if (!spawned) co_return spawned.error();
    process = *spawned;
    auto line = co_await ready_line();
    if (!line) co_return line.error();
    for (const std::string& word : split(*line)) {
        if (word.starts_with("map=")) map = word.substr(4);
        if (word.starts_with("base=")) base = std::atol(word.c_str() + 5);
    }
    if (auto given = give_directories(); !given) co_return given.error();
    const auto socket = kubelet::connect_holder(options.directory + "/holder.sock");
    if (!socket) co_return socket.error();
    channel = std::make_unique<kubelet::HolderChannel>(executor, *socket);
    channel->on_event([this](const std::string& words) { handle_event(words); });
    tasks.spawn("podinit holder", read_channel());
    co_return Result<void>{};
}

asio::awaitable<Result<std::string>> ProcessRuntime::Impl::ready_line() {
    asio::posix::stream_descriptor stream(executor, std::exchange(process.ready, -1));
    std::string output;
    static_cast<void>(co_await asio::async_read_until(stream, asio::dynamic_buffer(output, 4096),
                                                      '\n', asio::as_tuple(asio::use_awaitable)));
    const std::string line = output.substr(0, output.find('\n'));
    if (line.starts_with("ready")) co_return line;
    if (line.starts_with("failed ")) co_return Error{Reason::environment, line.substr(7)};
    co_return Error{Reason::environment, "podinit's holder ended before it was ready"};
}

Result<void> ProcessRuntime::Impl::make_directories() const {
    std::error_code ec;
    for (const char* part : {"", "/pods", "/specs", "/claims"}) {
        std::filesystem::create_directories(options.directory + part, ec);
        if (ec)
            return Error{Reason::environment,
                         "cannot make " + options.directory + part + ": " + ec.message()};
    }
    // Pods' uids must be able to pass, nobody else to look.
    ::chmod(options.directory.c_str(), 0711);
    ::chmod((options.directory + "/specs").c_str(), 0700);
    return {};
}

// Started by root the holder works as an ordinary uid, which must own what it writes below and may
// read the specs.
Result<void> ProcessRuntime::Impl::give_directories() const {
    if (map != "root") return {};
    for (const char* part : {"/pods", "/specs", "/claims"}) {
        const std::string path = options.directory + part;
        if (::chown(path.c_str(), static_cast<uid_t>(base), static_cast<gid_t>(base)) != 0) {
            return Error{Reason::environment, "cannot give " + path + " to the pods' uid range: " +
                                                  std::strerror(errno)};
        }
    }
    return {};
}

asio::awaitable<void> ProcessRuntime::Impl::read_channel() {
    co_await channel->read_all();
    for (auto& [id, exec] : execs) {
        exec->lost = true;
        exec->woken.cancel();
    }
    if (lost) lost();
}

asio::awaitable<void> ProcessRuntime::quit() {
    if (impl_->channel == nullptr) co_return;
    impl_->lost = {};
    if (!impl_->channel->closed()) {
        std::string line = "quit";
        static_cast<void>(co_await impl_->channel->command(std::move(line)));
    }
    if (impl_->process.lifeline >= 0) ::close(std::exchange(impl_->process.lifeline, -1));
    asio::steady_timer pause(impl_->executor);
    while (impl_->process.pid > 0 && ::waitpid(impl_->process.pid, nullptr, WNOHANG) == 0) {
        pause.expires_after(std::chrono::milliseconds(5));
        co_await pause.async_wait(asio::use_awaitable);
    }
    impl_->process.pid = -1;
}

Result<void> ProcessRuntime::Impl::write_file(const std::string& path,
                                              const std::string& content) const {
    const std::string draft = path + ".new";
    const int fd =
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return Error{Reason::environment, "cannot write " + draft + ": " + std::strerror(errno)};
    std::size_t written = 0;
    bool good =
        map != "root" || ::fchown(fd, static_cast<uid_t>(base), static_cast<gid_t>(base)) == 0;
    while (good && written < content.size()) {
        const ssize_t count = ::write(fd, content.data() + written, content.size() - written);
        good = count > 0;
        if (good) written += static_cast<std::size_t>(count);
    }
    ::close(fd);
    if (good && ::rename(draft.c_str(), path.c_str()) == 0) return {};
    return Error{Reason::environment, "cannot write " + path + ": " + std::strerror(errno)};
}

Result<std::string> ProcessRuntime::Impl::write_spec(const Spec& spec) {
    std::string path = options.directory + "/specs/" + std::to_string(++serial);
    if (auto done = write_file(path, encode(spec)); !done) return done.error();
    return path;
}

asio::awaitable<Result<HolderReply>> ProcessRuntime::Impl::with_spec(std::string head, Spec spec,
                                                                     std::vector<int> descriptors) {
    if (channel == nullptr) co_return Error{Reason::unavailable, "podinit's holder is not running"};
    const auto path = write_spec(spec);
    if (!path) co_return path.error();
    auto reply = co_await channel->command(head + " " + *path, std::move(descriptors));
    ::unlink(path->c_str());
    co_return reply;
}

asio::awaitable<Result<void>> ProcessRuntime::files(Spec operations) {
    if (operations.empty()) co_return Result<void>{};
    std::string head = "files";
    std::vector<int> none;
    const auto reply =
        co_await impl_->with_spec(std::move(head), std::move(operations), std::move(none));
    if (!reply) co_return reply.error();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ProcessRuntime::start_sandbox(SandboxRequest request) {
    if (auto added = impl_->groups.add_pod(request); !added) co_return added.error();
    std::vector<int> none;
    const auto reply = co_await impl_->with_spec("sandbox " + request.pod_uid,
                                                 std::move(request.spec), std::move(none));
    if (!reply) co_return reply.error();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ProcessRuntime::start_container(ContainerRequest request) {
    const std::string id =
        request.pod_uid + " " + request.name + " " + std::to_string(request.attempt);
    Impl::Running running;
    for (const SpecRecord& record : request.spec) {
        if (record.front() == "exit") running.exit_path = record.at(1);
    }
    const auto groups = impl_->groups.add_container(request);
    if (!groups) co_return groups.error();
    impl_->running[id] = std::move(running);
    const auto reply = co_await impl_->with_spec("container " + id, std::move(request.spec),
                                                 groups->descriptors());
    if (!reply) {
        impl_->running.erase(id);
        impl_->groups.ended(request.pod_uid, request.name);
        co_return reply.error();
    }
    impl_->groups.started(request, std::atoi(reply->words.c_str()));
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ProcessRuntime::stop_container(std::string pod_uid, std::string name,
                                                             Duration grace) {
    const auto milli = std::chrono::duration_cast<std::chrono::milliseconds>(grace).count();
    std::string line = "stop " + pod_uid + " " + name + " " + std::to_string(milli);
    const auto reply = co_await impl_->channel->command(std::move(line));
    if (!reply) co_return reply.error();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ProcessRuntime::remove_pod(std::string pod_uid) {
    std::string line = "remove " + pod_uid;
    const auto reply = co_await impl_->channel->command(std::move(line));
    std::erase_if(impl_->running,
                  [&](const auto& run) { return run.first.starts_with(pod_uid + " "); });
    impl_->groups.remove_pod(pod_uid);
    if (!reply) co_return reply.error();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ProcessRuntime::set_dns(std::string table) {
    if (auto done = impl_->write_file(impl_->options.directory + "/dns", table); !done)
        co_return done.error();
    std::string line = "dns";
    const auto reply = co_await impl_->channel->command(std::move(line));
    if (!reply) co_return reply.error();
    co_return Result<void>{};
}

void ProcessRuntime::Impl::handle_event(const std::string& words) {
    const std::vector<std::string> parts = split(words);
    if (parts.size() >= 6 && parts[0] == "exited") return container_exited(parts);
    if (parts.size() >= 5 && parts[0] == "exec") {
        const auto exec = execs.find(parts[1] + " " + parts[2]);
        if (exec == execs.end()) return;
        const int signal = std::atoi(parts[4].c_str());
        const std::shared_ptr<Exec> ended = exec->second;
        execs.erase(exec);
        ended->code = signal > 0 ? 128 + signal : std::atoi(parts[3].c_str());
        ended->woken.cancel();
        return;
    }
    if (parts.size() >= 2 && parts[0] == "sandbox" && sandbox_lost) sandbox_lost(parts[1]);
}

void ProcessRuntime::Impl::container_exited(const std::vector<std::string>& words) {
    ContainerExit exit;
    exit.pod_uid = words[1];
    exit.name = words[2];
    exit.attempt = std::atoi(words[3].c_str());
    exit.signal = std::atoi(words[5].c_str());
    exit.code = exit.signal > 0 ? 128 + exit.signal : std::atoi(words[4].c_str());
    const auto run = running.find(words[1] + " " + words[2] + " " + words[3]);
    if (run == running.end()) return;
    if (Attempt told; read_exit_file(run->second.exit_path, told)) {
        exit.started = told.started;
        exit.finished = told.finished;
    }
    running.erase(run);
    exit.oom_killed = groups.ended(exit.pod_uid, exit.name);
    if (exited) exited(exit);
}

}  // namespace shed
