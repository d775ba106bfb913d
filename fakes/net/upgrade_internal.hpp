#pragma once
// How a server session becomes what upgrade.hpp describes. The stream's pointer keeps its session
// alive.
#include "fakes/net/http_read.hpp"
#include "fakes/net/http_server.hpp"
#include "fakes/net/upgrade.hpp"

namespace shed {

// `early`: what the peer sent with its request.
std::shared_ptr<ByteStream> make_byte_stream(std::shared_ptr<TlsStream> stream, std::string early);
// Answers the request's handshake; nullptr when the peer did not take it. `protocol` may be empty.
boost::asio::awaitable<std::shared_ptr<WebSocket>> make_websocket(std::shared_ptr<TlsStream> stream,
                                                                  const HttpRequest& request,
                                                                  std::string protocol);

}  // namespace shed
