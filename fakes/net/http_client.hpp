#pragma once
// HTTP/1.1 over TLS, client side, to one server that one CA vouches for. Connections are kept and reused; a stream has
// one of its own.
#include "fakes/net/http_server.hpp"

namespace shed {

struct HttpsTarget {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string ca_pem;  // trusts only this
    std::string token;   // sent as Bearer, when not empty
};

class HttpClient {
public:
    HttpClient(boost::asio::any_io_executor executor, HttpsTarget target);
    ~HttpClient();

    // The whole response. Errors are of the transport (unavailable); any HTTP status is a success here. A request is
    // sent once; only GET, HEAD and OPTIONS again when a kept connection closed before any byte of the answer.
    boost::asio::awaitable<Result<HttpResponse>> request(std::string method, std::string path, std::string body,
                                                         std::string content_type);
    // GET whose body is handed over as it arrives. A status of 400 or more is returned whole, with its body.
    boost::asio::awaitable<Result<HttpResponse>> stream(std::string path,
                                                        std::function<void(std::string_view)> chunk);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

std::string percent_encode(std::string_view text);

}  // namespace shed
