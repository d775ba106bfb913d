#pragma once
// port-forward by channels over WebSocket. For this module only.
#include "fakes/streams/streams.hpp"

namespace shed::streams {

boost::asio::awaitable<void> serve_port_channels(const HttpRequest& request, HttpReply& reply,
                                                 std::vector<std::string> offered,
                                                 ForwardTarget target);

}  // namespace shed::streams
