// `logs JOB`: a step's output, from a cluster that runs in another process.
#include "fakes/net/http_client.hpp"
#include "fakes/yaml/yaml.hpp"
#include "simulator/commands.hpp"
#include "simulator/paths.hpp"
#include "simulator/steps.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

std::string from_base64(const std::string& text) {
    std::string out;
    unsigned bits = 0, value = 0;
    for (const char c : text) {
        static constexpr std::string_view alphabet =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) break;
        value = (value << 6) | static_cast<unsigned>(digit);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<char>((value >> bits) & 0xff));
    }
    return out;
}

Result<HttpsTarget> target_of(const ClusterPaths& paths) {
    if (const auto cluster = read_cluster(paths); !cluster) return cluster.error();
    const auto text = read_file(paths.kubeconfig);
    if (!text) return text.error();
    const auto config = parse_yaml(*text);
    if (!config || member(*config, "clusters").empty() || member(*config, "users").empty())
        return Error{Reason::environment, paths.kubeconfig + " is damaged"};
    const Json& cluster = (*config)["clusters"][0]["cluster"];
    HttpsTarget target;
    const std::string server = string_at(cluster, "server");
    target.port = static_cast<std::uint16_t>(
        std::strtol(server.substr(server.rfind(':') + 1).c_str(), nullptr, 10));
    target.ca_pem = from_base64(string_at(cluster, "certificate-authority-data"));
    target.token = string_at((*config)["users"][0], "user.token");
    return target;
}

struct Reading {
    const LogsOptions& options;
    const Terminal& terminal;
    HttpClient& client;
    asio::io_context& io;
    int code = exit_ok;

    asio::awaitable<void> go();
    asio::awaitable<Result<std::vector<ObjectPtr>>> pods_with(std::string label);
    asio::awaitable<Result<ObjectPtr>> find_pod();
    asio::awaitable<Result<ObjectPtr>> find_started_pod();
    std::string path_of(const Object& pod) const;
};

asio::awaitable<Result<std::vector<ObjectPtr>>> Reading::pods_with(std::string label) {
    std::string path = "/api/v1/namespaces/" + percent_encode(options.ns) +
                       "/pods?labelSelector=" + percent_encode(label + "=" + options.job);
    auto response = co_await client.request("GET", std::move(path), "", "");
    if (!response) co_return response.error();
    auto list = parse_json(response->body);
    if (!list) co_return list.error();
    if (response->status != 200) co_return error_of(response->status, *list);
    std::vector<ObjectPtr> pods;
    for (Json pod : member(*list, "items")) {
        pod["apiVersion"] = "v1";
        pod["kind"] = "Pod";
        pods.push_back(Object::make(std::move(pod)));
    }
    co_return pods;
}

asio::awaitable<Result<ObjectPtr>> Reading::find_pod() {
    std::vector<ObjectPtr> pods;
    for (const char* label : {"jobset.sigs.k8s.io/jobset-name", "job-name"}) {
        auto found = co_await pods_with(label);
        if (!found) co_return found.error();
        pods = std::move(*found);
        if (!pods.empty()) break;
    }
    if (pods.empty())
        co_return Error{Reason::not_found, "no pods of a job \"" + options.job +
                                               "\" in namespace " + options.ns +
                                               "; kubectl get trainjobs -A lists the jobs"};
    std::string known;
    for (const Step& step : steps_of(pods)) {
        if (step.name == options.step) co_return step.pod;
        known += (known.empty() ? "" : ", ") + step.name;
    }
    co_return Error{Reason::bad_request, "job \"" + options.job + "\" has no step \"" +
                                             options.step + "\"; it has " + known};
}

// With --follow a pod that has not started yet is waited for.
asio::awaitable<Result<ObjectPtr>> Reading::find_started_pod() {
    constexpr auto again = std::chrono::milliseconds(100);
    for (;;) {
        auto pod = co_await find_pod();
        if (!pod || !options.follow || has_started(**pod, main_container(**pod))) co_return pod;
        asio::steady_timer timer(io, again);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

std::string Reading::path_of(const Object& pod) const {
    std::string path = "/api/v1/namespaces/" + percent_encode(pod.ns()) + "/pods/" +
                       percent_encode(pod.name()) +
                       "/log?container=" + percent_encode(main_container(pod));
    if (options.follow) path += "&follow=true";
    if (options.previous) path += "&previous=true";
    if (options.timestamps) path += "&timestamps=true";
    if (options.tail) path += "&tailLines=" + std::to_string(*options.tail);
    return path;
}

asio::awaitable<void> Reading::go() {
    const auto pod = co_await find_started_pod();
    if (!pod) {
        code = report(terminal, pod.error());
        co_return;
    }
    std::string path = path_of(**pod);
    std::function<void(std::string_view)> show = [](std::string_view chunk) {
        std::cout << chunk << std::flush;
    };
    auto response = co_await client.stream(std::move(path), std::move(show));
    if (!response) {
        code = report(terminal, response.error());
    } else if (response->status >= 400) {
        const auto status = parse_json(response->body);
        code = report(terminal, error_of(response->status, status ? *status : Json()));
    }
}

}  // namespace

int command_logs(const LogsOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const auto paths = paths_of(options.common.name);
    if (!paths) return report(terminal, paths.error());
    const auto target = target_of(*paths);
    if (!target) return report(terminal, target.error());
    asio::io_context io(1);
    HttpClient client(io.get_executor(), *target);
    Reading reading{options, terminal, client, io};
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& ec, int) {
        if (ec) return;
        reading.code = exit_interrupted;
        io.stop();
    });
    asio::co_spawn(io, reading.go(), [&](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
        io.stop();
    });
    io.run();
    return reading.code;
}

}  // namespace shed
