#pragma once
// An API server on a port of its own, for a test's peers; its administrator's token is "token".
#include "fakes/apiserver/apiserver.hpp"
#include "tests/net/peer.hpp"

namespace shed {

class ServedApi : public ServerTest {
protected:
    void serve_api(PodLogs& logs) {
        ApiServerOptions options;
        options.identity = identity;
        options.tokens = {{"token", "admin"}};
        api_server =
            std::make_unique<ApiServer>(io.get_executor(), api, clock, logs, std::move(options));
        const auto bound = api_server->listen();
        ASSERT_TRUE(bound);
        port = *bound;
    }
    // What is under way refers to the Api and the logs, so it ends before they do.
    void TearDown() override {
        api_server.reset();
        io.restart();
        io.poll();
    }

    Store store;
    Rng rng{7};
    Api api{store, rng};
    SystemClock clock;
    std::unique_ptr<ApiServer> api_server;
};

}  // namespace shed
