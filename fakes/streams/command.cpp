// exec and attach: a command's streams to a client's channels, until one of them ends.
#include "fakes/kube/kube.hpp"
#include "fakes/net/tasks.hpp"
#include "fakes/streams/client.hpp"
#include "fakes/streams/negotiate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace streams {

namespace {

using Output = RemoteCommand::Output;
using Said = CommandClient::Said;

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr auto look_for_client_every = std::chrono::seconds(1);
constexpr auto farewell_time = std::chrono::seconds(5);  // for the client to close first

// Shared by the coroutines of one client, each of which may outlive the others by a turn.
struct Session : std::enable_shared_from_this<Session> {
    Session(asio::any_io_executor executor, std::shared_ptr<CommandClient> c,
            std::shared_ptr<RemoteCommand> r)
        : client(std::move(c)), command(std::move(r)), news(executor), tasks(executor) {}

    std::shared_ptr<CommandClient> client;
    std::shared_ptr<RemoteCommand> command;
    CommandStreams wanted;
    asio::steady_timer news;  // cancelled when pumps or gone have changed
    int pumps = 0;
    bool gone = false, feeding = false;
    Tasks tasks;

    void lose_client() {
        gone = true;
        command->close();
        news.cancel();
    }
    void stop() {
        command->close();
        client->close();
        tasks.cancel();
    }
};
using Shared = std::shared_ptr<Session>;

asio::awaitable<void> pump(Shared session, Output which) {
    while (!session->gone) {
        const std::string bytes = co_await session->command->read(which);
        if (bytes.empty()) break;
        if (co_await session->client->write(which, bytes)) continue;
        session->lose_client();
    }
    --session->pumps;
    session->news.cancel();
}

asio::awaitable<void> listen(Shared session) {
    bool read_by_someone = true;
    for (;;) {
        const Said said = co_await session->client->read();
        if (said.kind == Said::Kind::gone) break;
        if (said.kind == Said::Kind::resize) session->command->resize(said.size);
        if (said.kind == Said::Kind::end_of_input) session->command->end_input();
        if (said.kind != Said::Kind::input || !read_by_someone) continue;
        session->feeding = true;
        read_by_someone = co_await session->command->write(said.input);
        session->feeding = false;
    }
    session->lose_client();
}

// While a command does not read its input, nothing is read from the client either: then only the
// kernel knows when it goes. And the kernel learns it only by sending, when the client's last words
// wait for room here.
asio::awaitable<void> watch_client(Shared session) {
    asio::steady_timer timer(session->news.get_executor());
    while (!session->gone) {
        timer.expires_after(look_for_client_every);
        co_await timer.async_wait(asio::use_awaitable);
        if (!session->feeding) continue;
        if (session->client->peer_closed()) session->lose_client();
        else co_await say_nothing(*session->client, session->wanted);
    }
}

asio::awaitable<void> wait_for_news(Session& session, std::chrono::steady_clock::time_point until) {
    session.news.expires_at(until);
    co_await session.news.async_wait(nothrow);
}

}  // namespace

asio::awaitable<void> say_nothing(CommandClient& client, CommandStreams wanted) {
    if (wanted.out) co_await client.write(RemoteCommand::Output::out, "");
    else if (wanted.err) co_await client.write(RemoteCommand::Output::err, "");
}

asio::awaitable<void> run_command(std::shared_ptr<CommandClient> client,
                                  std::shared_ptr<RemoteCommand> command, CommandStreams wanted) {
    constexpr auto never = asio::steady_timer::time_point::max();
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Shared session =
        std::make_shared<Session>(executor, std::move(client), std::move(command));
    session->wanted = wanted;
    struct Stop {
        Session& session;
        ~Stop() { session.stop(); }
    } stop{*session};
    session->tasks.spawn("stream.listen", listen(session));
    session->tasks.spawn("stream.watch", watch_client(session));
    for (const Output which : {Output::out, Output::err}) {
        const bool open = which == Output::out ? wanted.out : wanted.err && !wanted.tty;
        if (!open) continue;
        ++session->pumps;
        session->tasks.spawn("stream.pump", pump(session, which));
    }
    const auto code = co_await session->command->exit_code();
    while (session->pumps > 0 && !session->gone) co_await wait_for_news(*session, never);
    if (session->gone) co_return;
    std::string status = status_of_exit(code, "error executing command in container: ");
    co_await session->client->finish(std::move(status));
    const auto until = std::chrono::steady_clock::now() + farewell_time;
    while (!session->gone && std::chrono::steady_clock::now() < until)
        co_await wait_for_news(*session, until);
}

std::string old_status_text(const std::string& status) {
    const auto parsed = parse_json(status);
    return parsed && string_at(*parsed, "status") == "Failure" ? string_at(*parsed, "message") : "";
}

namespace {

asio::awaitable<void> serve_spdy_command(HttpReply& reply, Upgrade upgrade, CommandStreams wanted,
                                         Result<StartCommand> start) {
    const auto protocol = choose_protocol(upgrade.protocols, spdy_command_protocols());
    if (!protocol || !start) {
        HttpResponse refusal = start
                                   ? no_common_protocol(upgrade.protocols, spdy_command_protocols())
                                   : refusal_text(start.error());
        co_await reply.send(std::move(refusal));
        co_return;
    }
    HttpResponse head = switch_to_spdy(*protocol);
    const auto bytes = co_await reply.upgrade(std::move(head));
    if (!bytes) co_return;
    const auto client = co_await spdy_client(bytes, *protocol, wanted);
    if (!client) co_return bytes->close();
    auto command = co_await (*start)();
    if (command) {
        co_await run_command(client, std::move(*command), wanted);
        co_return;
    }
    std::string status = status_of_exit(command.error(), "error executing command in container: ");
    co_await client->finish(std::move(status));
    co_await client->read();
    client->close();
}

// From v5 on the API server speaks WebSocket to the client and SPDY to the kubelet: its answer has
// come when the kubelet's has not. Before, it passes on what the kubelet says.
asio::awaitable<void> serve_websocket_command(const HttpRequest& request, HttpReply& reply,
                                              Upgrade upgrade, CommandStreams wanted,
                                              Result<StartCommand> start) {
    const auto protocol = choose_protocol(upgrade.protocols, websocket_command_protocols());
    const bool translated = protocol && protocol->starts_with("v5.");
    if (!protocol || (!start && !translated)) {
        HttpResponse refusal =
            start ? no_common_protocol(upgrade.protocols, websocket_command_protocols())
                  : refusal_text(start.error());
        co_await reply.send(std::move(refusal));
        co_return;
    }
    const auto socket = co_await reply.accept_websocket(request, *protocol);
    if (!socket) co_return;
    const auto client = websocket_client(socket, *protocol);
    co_await say_nothing(*client, wanted);
    if (!start) {
        std::string status = status_of_exit(start.error(), "unable to upgrade connection: ");
        co_await client->finish(std::move(status));
        co_return client->close();
    }
    auto command = co_await (*start)();
    if (command) {
        co_await run_command(client, std::move(*command), wanted);
        co_return;
    }
    std::string status = status_of_exit(command.error(), "error executing command in container: ");
    co_await client->finish(std::move(status));
    client->close();
}

}  // namespace

}  // namespace streams

std::string status_of_exit(const Result<int>& code, const std::string& doing) {
    Json status = {{"metadata", Json::object()}};
    if (code && *code == 0) {
        status["status"] = "Success";
        return dump_json(status);
    }
    status["status"] = "Failure";
    if (code) {
        const std::string number = std::to_string(*code);
        status["message"] =
            "command terminated with non-zero exit code: command terminated with exit code " +
            number;
        status["reason"] = "NonZeroExitCode";
        const Json cause = {{"reason", "ExitCode"}, {"message", number}};
        status["details"] = {{"causes", Json::array({cause})}};
        return dump_json(status);
    }
    const std::string why = doing + code.error().message;
    const Json cause = {{"message", why}};
    status["message"] = "Internal error occurred: " + why;
    status["reason"] = "InternalError";
    status["details"] = {{"causes", Json::array({cause})}};
    status["code"] = 500;
    return dump_json(status);
}

asio::awaitable<void> serve_command(const HttpRequest& request, HttpReply& reply,
                                    CommandStreams wanted, Result<StartCommand> start) {
    using namespace streams;
    Upgrade upgrade = upgrade_of(request);
    if (upgrade.kind == Upgrade::Kind::spdy) {
        co_await serve_spdy_command(reply, std::move(upgrade), wanted, std::move(start));
    } else if (upgrade.kind == Upgrade::Kind::websocket) {
        co_await serve_websocket_command(request, reply, std::move(upgrade), wanted,
                                         std::move(start));
    } else {
        HttpResponse refusal = upgrade_required();
        co_await reply.send(std::move(refusal));
    }
}

}  // namespace shed
