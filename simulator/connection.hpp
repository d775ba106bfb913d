#pragma once
// From a command to a cluster that runs in another process: by its kubeconfig, over HTTPS, like
// any other client.
#include "fakes/client/client.hpp"
#include "fakes/net/http_client.hpp"
#include "simulator/commands.hpp"
#include "simulator/paths.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>

namespace shed {

// Where the cluster's API server is, and the administrator's token for it.
Result<HttpsTarget> https_target_of(const ClusterPaths& paths);

struct Connection {
    Connection(boost::asio::io_context& io, const HttpsTarget& target);
    boost::asio::io_context& io;
    std::unique_ptr<Client> client;
    HttpClient http;  // for what is not an object: logs
};

// Runs `task` against the cluster that `options` names; its exit code. Ctrl-C ends it with 130.
int run_connected(const CommonOptions& options,
                  const std::function<boost::asio::awaitable<int>(Connection&)>& task);

}  // namespace shed
