// What the client makes of a server that answers nonsense.
#include "fakes/client/client.hpp"

#include "tests/net/peer.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::HasSubstr;

const Key pod{&kind_of("v1", "Pod"), "default", "p"};
const std::string good_pod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"default"}})";
const std::string nonsense[] = {"", "{oops", R"({})", R"([])", R"("text")", R"(null)",
                                R"({"apiVersion":"v1","kind":"Pod"})",
                                R"({"apiVersion":"v1","kind":"Pod","metadata":"oops"})",
                                R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":7}})",
                                R"({"apiVersion":"v9","kind":"Cod","metadata":{"name":"p"}})"};

class HttpsClientTest : public ServerTest {
protected:
    void SetUp() override {
        serve({}, [this](HttpRequest, HttpReply& reply) -> asio::awaitable<void> {
            HttpResponse response;
            response.body = body;
            co_await reply.send(std::move(response));
        });
        client = https_client(io.get_executor(), HttpsEndpoint{"127.0.0.1", port, identity.ca_pem, ""}, "test");
    }
    template <class T>
    T result_of(asio::awaitable<T> task) {
        std::optional<T> result;
        run([&]() -> asio::awaitable<void> { result.emplace(co_await std::move(task)); }());
        return std::move(*result);
    }

    std::string body;
    std::unique_ptr<Client> client;
};

TEST_F(HttpsClientTest, TakesObjects) {
    body = good_pod;
    const auto got = result_of(client->get(pod));
    ASSERT_TRUE(got);
    EXPECT_EQ((*got)->name(), "p");
    body = R"({"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"p"}}]})";
    const auto listed = result_of(client->list(ListScope{pod.kind}));
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->version, 7U);
    EXPECT_EQ(listed->items.size(), 1U);
}

TEST_F(HttpsClientTest, CallsNonsenseAnError) {
    for (const std::string& text : nonsense) {
        body = text;
        EXPECT_FALSE(result_of(client->get(pod))) << text;
        EXPECT_FALSE(result_of(client->create(*parse_json(good_pod), WriteOptions()))) << text;
        EXPECT_FALSE(result_of(client->remove(pod, Json()))) << text;
    }
}

TEST_F(HttpsClientTest, CallsListsOfNonsenseAnError) {
    for (const char* item : {"7", "null", "[]", R"({})", R"({"metadata":{"name":""}})"}) {
        body = std::string(R"({"metadata":{"resourceVersion":"7"},"items":[)") + item + "]}";
        const auto listed = result_of(client->list(ListScope{pod.kind}));
        ASSERT_FALSE(listed) << item;
        EXPECT_EQ(listed.error().reason, Reason::internal);
        EXPECT_THAT(listed.error().message, HasSubstr("the server sent"));
    }
}

TEST_F(HttpsClientTest, EndsAWatchAtNonsense) {
    for (const char* line : {"{oops", R"({"type":"ADDED"})", R"({"type":"ADDED","object":[]})",
                             R"({"type":"MODIFIED","object":{"metadata":{}}})"}) {
        body = R"({"type":"ADDED","object":)" + good_pod + "}\n" + line + "\n" + R"({"type":"ADDED","object":)" +
               good_pod + "}\n";
        int events = 0;
        const Error end = result_of(client->watch(ListScope{pod.kind}, 1, [&](const WatchEvent&) { ++events; }));
        EXPECT_NE(end.reason, Reason::timeout) << line;
        EXPECT_EQ(events, 1) << line;
    }
}

}  // namespace
}  // namespace shed
