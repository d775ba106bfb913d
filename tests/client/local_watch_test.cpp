// A controller's watch over a store whose changes become durable later: it shows each, once it is.
#include "fakes/client/client.hpp"
#include "fakes/net/clock.hpp"

#include <gmock/gmock.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct SlowJournal final : Journal {
    void append(const StoreEvent&) override {}
};

class LocalWatch : public testing::Test {
protected:
    LocalWatch() {
        store.begin_with({}, 7, journal);
        ListScope scope;
        scope.kind = &kind_of("v1", "ConfigMap");
        const auto note = [this](const WatchEvent& event) { seen.push_back(event.object->name()); };
        put("Namespace", "pending");
        asio::co_spawn(io, client->watch(std::move(scope), store.version(), note),
                       asio::bind_cancellation_slot(
                           end.slot(), [](std::exception_ptr, const Error&) {}));
        run();
    }
    ~LocalWatch() override {
        end.emit(asio::cancellation_type::terminal);
        run();
    }

    void put(const std::string& kind, const std::string& name) {
        Json object = {{"apiVersion", "v1"}, {"kind", kind}};
        object["metadata"]["name"] = name;
        if (kind != "Namespace") object["metadata"]["namespace"] = "default";
        store.put(std::move(object));
    }
    void run() {
        io.restart();
        while (io.poll() > 0) continue;
    }

    asio::io_context io;
    SlowJournal journal;
    Store store;
    Rng rng{1};
    Api api{store, rng};
    ManualClock clock{*parse_time("2026-11-23T12:00:00Z")};
    std::unique_ptr<Client> client = local_client(api, clock, io.get_executor(), "test");
    std::vector<std::string> seen;
    asio::cancellation_signal end;
};

TEST_F(LocalWatch, ShowsWhatCameWhileItWaitedForAnothersChange) {
    put("ConfigMap", "a");
    run();
    EXPECT_THAT(seen, IsEmpty());
    store.settle(store.version());
    run();
    EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_F(LocalWatch, ShowsWhatComesLater) {
    store.settle(store.version());
    run();
    put("ConfigMap", "a");
    put("ConfigMap", "b");
    run();
    EXPECT_THAT(seen, IsEmpty());
    store.settle(store.version());
    run();
    EXPECT_THAT(seen, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace shed
