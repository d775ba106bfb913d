#pragma once
// Asks a gRPC server for its health, as a kubelet's grpc probe does: one call of
// grpc.health.v1.Health/Check over HTTP/2 without TLS (RFC 9113 with prior knowledge; the framing
// is that of "gRPC over HTTP2", the answer's words are those of health.proto).
#include "fakes/base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace shed {

// HealthCheckResponse.ServingStatus
enum class ServingStatus { unknown, serving, not_serving, service_unknown };
std::string_view serving_status_name(int status);  // "SERVING"

// On a connected socket; an empty `service` asks for the server as a whole. The answered status as
// a number, or why there is none: conflict, in a kubelet's words, when the call failed;
// unavailable when the peer does not speak HTTP/2 or has gone.
boost::asio::awaitable<Result<int>> grpc_health(boost::asio::ip::tcp::socket& socket,
                                                std::string authority, std::string service);

}  // namespace shed
