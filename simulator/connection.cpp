#include "simulator/connection.hpp"

#include "fakes/base/base64.hpp"
#include "fakes/yaml/yaml.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

HttpsEndpoint endpoint_of(const HttpsTarget& target) {
    return {target.host, target.port, target.ca_pem, target.token};
}

}  // namespace

Result<HttpsTarget> https_target_of(const ClusterPaths& paths) {
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
    target.ca_pem = decode_base64(string_at(cluster, "certificate-authority-data"));
    target.token = string_at((*config)["users"][0], "user.token");
    return target;
}

Connection::Connection(asio::io_context& context, const HttpsTarget& target)
    : io(context),
      client(https_client(context.get_executor(), endpoint_of(target), "trainshed")),
      http(context.get_executor(), target) {}

int run_connected(const CommonOptions& options,
                  const std::function<asio::awaitable<int>(Connection&)>& task) {
    const Terminal terminal(options.plain, options.quiet);
    const auto paths = paths_of(options.name);
    if (!paths) return report(terminal, paths.error());
    const auto target = https_target_of(*paths);
    if (!target) return report(terminal, target.error());
    asio::io_context io(1);
    Connection connection(io, *target);
    int code = exit_ok;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& ec, int) {
        if (ec) return;
        code = exit_interrupted;
        io.stop();
    });
    asio::co_spawn(io, task(connection), [&](const std::exception_ptr& error, int result) {
        if (error) std::rethrow_exception(error);
        code = result;
        io.stop();
    });
    io.run();
    return code;
}

}  // namespace shed
