// A controller that throws goes on with its other keys, and comes back to this one later.
#include "fakes/manager/manager.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <stdexcept>

namespace shed {
namespace {

// Controllers are plain functions: what these saw is kept beside them.
struct Seen {
    int bad = 0, good = 0, throws = 0;
    bool keys_throw = false;
} seen;

const Kind& config_maps() { return kind_of("v1", "ConfigMap"); }

std::vector<Key> no_keys(const Snapshot&, const Object&) {
    if (seen.keys_throw) throw std::runtime_error("no keys");
    return {};
}

Plan reconcile(const Snapshot&, const Key& key, const Inputs&) {
    if (key.name == "good") ++seen.good;
    if (key.name == "bad" && ++seen.bad <= seen.throws) throw std::runtime_error("bad object");
    return {};
}

class ManagerTest : public ::testing::Test {
protected:
    void SetUp() override {
        seen = Seen();
        Manager::Options options;
        options.known = {Controller{"test", "test", &config_maps(), {&config_maps()}, no_keys, reconcile}};
        manager = std::make_unique<Manager>(io.get_executor(), *client, clock, std::move(options));
        manager->start();
        settle();
    }
    void TearDown() override {
        manager->stop();
        settle();
    }
    void settle() {
        io.restart();
        while (io.poll() > 0) continue;
    }
    void put(const std::string& name) {
        store.put({{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", rng.uuid()}}}});
        settle();
    }

    boost::asio::io_context io{1};
    Store store;
    Rng rng{7};
    Api api{store, rng};
    ManualClock clock{*parse_time("2026-11-23T06:05:10Z")};
    std::unique_ptr<Client> client = local_client(api, clock, io.get_executor(), "test");
    std::unique_ptr<Manager> manager;
};

TEST_F(ManagerTest, RetriesAKeyThatThrewAndGoesOnWithOthers) {
    seen.throws = 3;
    put("bad");
    put("good");
    EXPECT_EQ(seen.bad, 1);
    EXPECT_EQ(seen.good, 1);
    // 5, 10 and 20 ms later, and then no more.
    for (int more = 0; more < 6; ++more) {
        clock.advance(std::chrono::milliseconds(20));
        settle();
    }
    EXPECT_EQ(seen.bad, 4);
}

TEST_F(ManagerTest, GoesOnWatchingWhenNoKeysCanBeFound) {
    seen.keys_throw = true;
    put("bad");
    put("good");
    EXPECT_EQ(seen.bad, 1);
    EXPECT_EQ(seen.good, 1);
}

}  // namespace
}  // namespace shed
