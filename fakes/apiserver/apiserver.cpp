#include "fakes/apiserver/apiserver.hpp"

#include "fakes/apiserver/metrics.hpp"
#include "fakes/apiserver/streams.hpp"
#include "fakes/base/log.hpp"
#include "fakes/journal/durable.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr std::string_view own_prefix = "/trainshed/v1/";
constexpr auto watch_time_default = std::chrono::minutes(45);  // the real server: 30 to 60
constexpr int reads_max = 8;  // of one request, each after a change was lost
constexpr auto watch_time_max = std::chrono::hours(24 * 365);

HttpResponse to_http(Response response) {
    return {response.status, std::move(response.content_type), std::move(response.body), std::move(response.headers)};
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> parts;
    for (std::size_t end = path.find('/');; end = path.find('/')) {
        parts.emplace_back(path.substr(0, end));
        if (end == std::string_view::npos) return parts;
        path.remove_prefix(end + 1);
    }
}

HttpResponse text(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body), {}}; }

std::string bearer(const HttpRequest& request) {
    const std::string_view header = request.header("authorization");
    if (header.size() < 7) return "";
    std::string scheme(header.substr(0, 7));
    for (char& c : scheme) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return scheme == "bearer " ? std::string(header.substr(7)) : "";
}

bool is_health(const std::string& path) {
    return path == "/healthz" || path == "/livez" || path == "/readyz" || path.starts_with("/healthz/") ||
           path.starts_with("/livez/") || path.starts_with("/readyz/");
}

// What the real server's defaults show to everyone: system:public-info-viewer.
bool is_public(const std::string& path) { return is_health(path) || path == "/version" || path == "/version/"; }

std::string health_text(const Target& target) {
    if (target.query.count("verbose") == 0) return "ok";
    return "[+]ping ok\n[+]log ok\n[+]etcd ok\n" + target.path.substr(1) + " check passed\n";
}

// What the stream has next; "" at its end, or when `left` is cancelled meanwhile.
asio::awaitable<std::string> next_bytes(PodLogs::Stream& stream, asio::steady_timer& left) {
    using namespace asio::experimental::awaitable_operators;
    auto first = co_await (stream.read() || left.async_wait(asio::as_tuple(asio::use_awaitable)));
    auto* read = std::get_if<0>(&first);
    co_return read != nullptr && *read ? std::move(**read) : std::string();
}

}  // namespace

std::chrono::seconds watch_time(std::string_view timeout_seconds) {
    std::int64_t seconds = 0;
    const auto [end, error] =
        std::from_chars(timeout_seconds.data(), timeout_seconds.data() + timeout_seconds.size(), seconds);
    (void)end;
    if (error == std::errc::result_out_of_range) return watch_time_max;
    return seconds > 0 ? std::min<std::chrono::seconds>(std::chrono::seconds(seconds), watch_time_max)
                       : std::chrono::seconds(watch_time_default);
}

// Requests that are under way share it: they end only when the loop goes on, perhaps after the server has gone.
struct ApiServer::Impl {
    Impl(asio::any_io_executor e, Api& a, Clock& c, PodLogs& l, ApiServerOptions o)
        : executor(e), api(a), clock(c), logs(l), options(std::move(o)) {}

    static asio::awaitable<void> answer(std::shared_ptr<Impl> self, HttpRequest request, HttpReply& reply);
    asio::awaitable<void> handle(HttpRequest request, HttpReply& reply);
    asio::awaitable<void> route(HttpRequest request, Target target, std::string user, HttpReply& reply);
    asio::awaitable<Response> once_durable(Request request, Response response);
    asio::awaitable<void> serve_watch(Request request, HttpReply& reply);
    asio::awaitable<void> serve_log(Request request, HttpReply& reply);
    asio::awaitable<void> stream_log(PodLogs::Query query, HttpReply& reply);
    asio::awaitable<void> serve_kept(Target target, HttpReply& reply);
    std::optional<Response> discovery(const HttpRequest& http, const std::string& path) const;
    std::optional<HttpResponse> refusal(const HttpRequest& request) const;
    std::string user_of(const HttpRequest& request) const;

    asio::any_io_executor executor;
    Api& api;
    Clock& clock;
    PodLogs& logs;
    ApiServerOptions options;
    std::optional<HttpServer> server;
};

asio::awaitable<void> ApiServer::Impl::answer(std::shared_ptr<Impl> self, HttpRequest request, HttpReply& reply) {
    if (self) co_await self->handle(std::move(request), reply);
}

std::optional<HttpResponse> ApiServer::Impl::refusal(const HttpRequest& request) const {
    // Before anything else, and for every method: a page in a browser must not reach us by a name of its own.
    if (!is_own_host(request.header("host")))
        return to_http(response_of({Reason::forbidden, "this server does not answer to the host \"" +
                                                           std::string(request.header("host")) + "\""}));
    if (!is_own_origin(request.header("origin")))
        return to_http(response_of({Reason::forbidden, "requests from the origin \"" +
                                                           std::string(request.header("origin")) +
                                                           "\" are refused"}));
    return std::nullopt;
}

std::string ApiServer::Impl::user_of(const HttpRequest& request) const {
    const std::string token = bearer(request);
    if (token.empty()) return "";
    for (const auto& [known, user] : options.tokens)
        if (equal_constant_time(known, token)) return user;
    return options.service_account ? options.service_account(token) : "";
}

asio::awaitable<void> ApiServer::Impl::handle(HttpRequest request, HttpReply& reply) {
    std::optional<HttpResponse> early = refusal(request);
    auto target = early ? std::nullopt : parse_target(request.target);
    if (!early && !target) early = to_http(response_of({Reason::bad_request, "malformed request target"}));
    std::string user = user_of(request);
    if (!early && user.empty() && !is_public(target->path))
        early = to_http(response_of({Reason::unauthorized, "Unauthorized"}));
    if (!early && is_health(target->path)) early = text(200, health_text(*target));
    if (early) {
        co_await reply.send(std::move(*early));
        co_return;
    }
    bool failed = false;
    try {
        co_await route(std::move(request), std::move(*target), std::move(user), reply);
    } catch (const boost::system::system_error&) {
        throw;  // Cancelled.
    } catch (const std::exception& e) {
        log(LogLevel::error, "apiserver.request_failed", {{"why", e.what()}});
        failed = true;
    }
    if (!failed) co_return;
    HttpResponse broken = to_http(response_of({Reason::internal, "an error on the server has prevented the request "
                                                                 "from succeeding"}));
    co_await reply.send(std::move(broken));
}

std::optional<Response> ApiServer::Impl::discovery(const HttpRequest& http, const std::string& path) const {
    const bool extended = options.metrics != nullptr && (path == "/apis" || path == "/apis/");
    auto found = api.discovery(path, http.header("accept"), extended ? "" : http.header("if-none-match"));
    if (found && extended) return with_metrics_group(std::move(*found), http.header("if-none-match"));
    return found;
}

asio::awaitable<void> ApiServer::Impl::route(HttpRequest http, Target target, std::string user, HttpReply& reply) {
    if (http.method == "GET" || http.method == "HEAD") {
        auto found = discovery(http, target.path);
        if (found) {
            HttpResponse answer = to_http(std::move(*found));
            co_await reply.send(std::move(answer));
            co_return;
        }
    }
    if (http.method == "GET" && target.path.starts_with(own_prefix)) {
        co_await serve_kept(std::move(target), reply);
        co_return;
    }
    auto measured = options.metrics == nullptr
                        ? std::nullopt
                        : answer_metrics(api.store(), *options.metrics, http.method, target, clock.now());
    if (measured) {
        HttpResponse answer = to_http(std::move(*measured));
        co_await reply.send(std::move(answer));
        co_return;
    }
    auto parsed = parse_path(http.method, target.path, std::move(target.query));
    if (!parsed) {
        HttpResponse answer = to_http(response_of(parsed.error()));
        co_await reply.send(std::move(answer));
        co_return;
    }
    Request request = std::move(*parsed);
    request.content_type = std::string(http.header("content-type"));
    request.accept = std::string(http.header("accept"));
    request.user_agent = std::string(http.header("user-agent"));
    request.user = std::move(user);
    request.body = std::move(http.body);
    if (request.verb == Verb::watch) {
        co_await serve_watch(std::move(request), reply);
    } else if (request.subresource == "log") {
        co_await serve_log(std::move(request), reply);
    } else if (is_streamed(request)) {
        co_await serve_streams(api.store(), options.streams, std::move(request), http, reply);
    } else {
        Response response = api.answer(request, clock.now());
        if (!api.store().all_durable()) response = co_await once_durable(std::move(request), std::move(response));
        HttpResponse answer = to_http(std::move(response));
        co_await reply.send(std::move(answer));
    }
}

// What a write answers and what a read shows waits until a crash cannot take it back. A read that showed what was then
// lost is made again.
asio::awaitable<Response> ApiServer::Impl::once_durable(Request request, Response response) {
    const bool reads = request.verb == Verb::get || request.verb == Verb::list;
    for (int attempt = 1; !api.store().all_durable(); ++attempt) {
        auto lost = co_await until_durable(api.store(), executor);
        if (!lost) break;
        if (!reads || attempt == reads_max) co_return response_of(*lost);
        response = api.answer(request, clock.now());
    }
    co_return response;
}

asio::awaitable<void> ApiServer::Impl::serve_watch(Request request, HttpReply& reply) {
    auto opened = api.watch(request, clock.now());
    if (!opened) {
        HttpResponse answer = to_http(response_of(opened.error()));
        co_await reply.send(std::move(answer));
        co_return;
    }
    const std::unique_ptr<Watch> watch = std::move(*opened);
    std::optional<Error> lost;
    if (!api.store().all_durable()) lost = co_await until_durable(api.store(), executor);
    if (lost) {
        HttpResponse answer = to_http(response_of(*lost));
        co_await reply.send(std::move(answer));
        co_return;
    }
    HttpResponse head;
    if (!co_await reply.begin(std::move(head))) co_return;
    asio::steady_timer wake(executor);
    bool gone = false;
    reply.on_gone([&] {
        gone = true;
        wake.cancel();
    });
    bool news = false;
    const auto subscription = api.store().subscribe([&](const StoreEvent&) {
        if (!std::exchange(news, true)) wake.cancel();
    });
    const auto end = std::chrono::steady_clock::now() + watch_time(request.parameter("timeoutSeconds"));
    while (!gone) {
        news = false;
        std::string chunk;
        for (const std::string& frame : watch->poll_frames(clock.now())) chunk += frame;
        // A lost change may be behind the watch already: its client begins another where it was.
        if (!api.store().all_durable()) lost = co_await until_durable(api.store(), executor);
        if (lost) break;
        const bool wrote = !chunk.empty();
        if (wrote && !co_await reply.write(std::move(chunk))) break;
        if (watch->finished() || std::chrono::steady_clock::now() >= end) break;
        if (wrote || news) continue;
        auto until = end;
        if (const auto due = watch->next_due()) {
            const auto left = std::chrono::duration_cast<std::chrono::steady_clock::duration>(*due - clock.now());
            until = std::min(until, std::chrono::steady_clock::now() + left);
        }
        wake.expires_at(until);
        auto [ec] = co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
        (void)ec;
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) break;
    }
    reply.on_gone(nullptr);
    co_await reply.end();
}

asio::awaitable<void> ApiServer::Impl::serve_log(Request request, HttpReply& reply) {
    const Kind& pods = kind_of("v1", "Pod");
    const ObjectPtr pod = api.store().find({&pods, request.ns, request.name});
    std::optional<HttpResponse> early;
    std::optional<PodLogs::Query> query;
    if (!pod) early = to_http(response_of(not_found(pods, request.name)));
    else if (string_at(pod->dom(), "spec.nodeName").empty()) early = HttpResponse{204, "text/plain", "", {}};
    else if (auto asked = log_query(pod, request, clock.now()); asked) query = std::move(*asked);
    else early = to_http(response_of(asked.error()));
    if (early) {
        co_await reply.send(std::move(*early));
        co_return;
    }
    co_await stream_log(std::move(*query), reply);
}

asio::awaitable<void> ApiServer::Impl::stream_log(PodLogs::Query query, HttpReply& reply) {
    const std::unique_ptr<PodLogs::Stream> stream = logs.open(query);
    auto first = co_await stream->read();
    if (!first) {
        HttpResponse answer = to_http(response_of(first.error()));
        co_await reply.send(std::move(answer));
        co_return;
    }
    HttpResponse head;
    head.content_type = "text/plain";
    if (!co_await reply.begin(std::move(head))) co_return;
    // A log that says nothing would otherwise be waited for long after its reader has left.
    asio::steady_timer left(executor, asio::steady_timer::time_point::max());
    bool gone = false;
    reply.on_gone([&] {
        gone = true;
        left.cancel();
    });
    std::string bytes = std::move(*first);
    while (!bytes.empty() && !gone) {
        const bool written = co_await reply.write(std::move(bytes));
        if (!written || gone) break;
        bytes = co_await next_bytes(*stream, left);
    }
    reply.on_gone(nullptr);
    co_await reply.end();
}

// Paths below /trainshed/v1/ are ours alone: no real cluster serves them.
asio::awaitable<void> ApiServer::Impl::serve_kept(Target target, HttpReply& reply) {
    const std::vector<std::string> parts = segments_of(target.path.substr(own_prefix.size()));
    HttpResponse answer;
    if (parts.size() == 3 && parts[0] == "namespaces" && parts[2] == "attempts") {
        answer.body = dump_json(attempts_of_namespace(api.store(), logs, parts[1]));
    } else if (parts.size() == 5 && parts[0] == "namespaces" && parts[2] == "pods" && parts[4] == "log") {
        auto query = kept_log_query(api.store(), logs, parts[1], parts[3], target.query);
        if (query) {
            co_await stream_log(std::move(*query), reply);
            co_return;
        }
        answer = to_http(response_of(query.error()));
    } else {
        answer = to_http(response_of({Reason::not_found, "the server could not find the requested resource"}));
    }
    co_await reply.send(std::move(answer));
}

ApiServer::ApiServer(asio::any_io_executor executor, Api& api, Clock& clock, PodLogs& logs, ApiServerOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), api, clock, logs, std::move(options))) {
    // Weakly: the HTTP server belongs to what it would hold.
    const auto handler = [weak = std::weak_ptr<Impl>(impl_)](HttpRequest request, HttpReply& reply) {
        return Impl::answer(weak.lock(), std::move(request), reply);
    };
    impl_->server.emplace(impl_->executor, impl_->options.identity, impl_->options.limits, handler);
}

ApiServer::~ApiServer() { stop(); }

Result<std::uint16_t> ApiServer::listen() { return impl_->server->listen(impl_->options.address, impl_->options.port); }

void ApiServer::listen_on(int descriptor) { impl_->server->listen_on(descriptor); }

void ApiServer::stop() { impl_->server->stop(); }

}  // namespace shed
