#pragma once
// exec, attach and portforward of pods, for this module only.
#include "fakes/apiserver/apiserver.hpp"

namespace shed {

bool is_streamed(const Request& request);
boost::asio::awaitable<void> serve_streams(const Store& store, PodStreams* streams, Request request,
                                           const HttpRequest& http, HttpReply& reply);

// The container a request means: `wanted`, or the only one. pod_log.cpp
Result<std::string> choose_container(const Json& pod, const std::string& pod_name,
                                     const std::string& wanted);

}  // namespace shed
