// The durable store: what is acknowledged, what is undone, and what a new process finds.
#include "fakes/journal/sqlite_journal.hpp"
#include "tests/journal/faulty_vfs.hpp"
#include "tests/journal/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>

namespace asio = boost::asio;

namespace shed {
namespace {

using ::testing::HasSubstr;

// A store with its journal, and the loop they meet on.
class Served {
public:
    explicit Served(JournalOptions options) {
        options.post = [this](std::function<void()> what) { asio::post(io, std::move(what)); };
        options.reserve_retry = std::chrono::milliseconds(1);
        auto opened = SqliteJournal::open(std::move(options));
        if (!opened) throw std::runtime_error(opened.error().message);
        journal = std::move(*opened);
        if (auto served = journal->serve(store); !served)
            throw std::runtime_error(served.error().message);
    }

    // Runs the loop until what the store has is durable or lost.
    std::optional<Error> settled() {
        if (store.all_durable()) return std::nullopt;
        std::optional<Error> lost;
        bool done = false;
        const Store::Wait wait =
            store.when_settled(store.version(), [&](const std::optional<Error>& why) {
                lost = why;
                done = true;
            });
        run_until([&] { return done; });
        return lost;
    }

    template <class Condition>
    void run_until(Condition condition) {
        const auto work = asio::make_work_guard(io);
        io.restart();
        while (!condition()) io.run_one();
    }

    asio::io_context io;
    Store store;
    std::unique_ptr<SqliteJournal> journal;
};

JournalOptions options_for(const Folder& folder, std::string vfs = "") {
    JournalOptions options;
    options.file = folder.file();
    options.vfs = std::move(vfs);
    options.reserve_bytes = 4096;
    return options;
}

std::string value_of(const Store& store, const std::string& name) {
    const ObjectPtr found = store.find(config_map_key(name));
    return found ? string_at(found->dom(), "data.a") : "absent";
}

TEST(SqliteJournal, ANewProcessGoesOnWhereTheLastOneWas) {
    const Folder folder;
    {
        Served first(options_for(folder));
        first.store.put(config_map("a", "1"));
        first.store.put(config_map("b", "1"));
        first.store.put(config_map("a", "2"));
        first.store.remove(config_map_key("b"));
        EXPECT_FALSE(first.settled().has_value());
    }
    Served second(options_for(folder));
    EXPECT_EQ(second.store.size(), 1u);
    EXPECT_EQ(value_of(second.store, "a"), "2");
    EXPECT_EQ(second.store.find(config_map_key("a"))->resource_version(), 3u);
    EXPECT_EQ(second.store.find_by_uid("uid-a"), second.store.find(config_map_key("a")));
    // The version of the deletion is not given again, though no object bears it.
    EXPECT_EQ(second.store.version(), 4u);
    EXPECT_EQ(second.store.put(config_map("b", "3"))->resource_version(), 5u);
}

TEST(SqliteJournal, WatchesFromBeforeTheRestartAreTooOld) {
    const Folder folder;
    const Kind& config_maps = kind_of("v1", "ConfigMap");
    {
        Served first(options_for(folder));
        for (const char* value : {"1", "2", "3"}) first.store.put(config_map("a", value));
        EXPECT_FALSE(first.settled().has_value());
    }
    Served second(options_for(folder));
    EXPECT_TRUE(second.store.events_since(config_maps, 2, 10).too_old);
    EXPECT_FALSE(second.store.events_since(config_maps, 3, 10).too_old);
    second.store.put(config_map("a", "4"));
    EXPECT_EQ(second.store.events_since(config_maps, 3, 10).events.size(), 1u);
}

// Holds up the journal's fsyncs, until they are let go. Outlives the journal.
class HeldSync {
public:
    void hold(FaultyVfs& vfs) {
        vfs.before_sync = [this, gate = opened_.get_future().share()] {
            if (first_.exchange(false)) reached_.set_value();
            gate.wait();
        };
    }
    void until_reached() { reached_.get_future().wait(); }
    void let_go() { opened_.set_value(); }

private:
    std::promise<void> reached_, opened_;
    std::atomic<bool> first_ = true;
};

TEST(SqliteJournal, NothingIsDurableBeforeItsFsync) {
    const Folder folder;
    FaultyVfs vfs;
    HeldSync sync;
    Served served(options_for(folder, "faulty"));
    sync.hold(vfs);
    served.store.put(config_map("a", "1"));
    sync.until_reached();
    served.io.restart();
    served.io.poll();
    EXPECT_EQ(served.store.durable(), 0u);
    EXPECT_FALSE(served.store.all_durable());
    sync.let_go();
    EXPECT_FALSE(served.settled().has_value());
    EXPECT_TRUE(served.store.all_durable());
}

TEST(SqliteJournal, WhatComesDuringACommitIsOneCommitMore) {
    const Folder folder;
    FaultyVfs vfs;
    HeldSync sync;
    Served served(options_for(folder, "faulty"));
    sync.hold(vfs);
    served.store.put(config_map("first", "1"));
    sync.until_reached();
    const int before = vfs.syncs;
    for (int i = 0; i < 100; ++i) served.store.put(config_map("n" + std::to_string(i), "1"));
    sync.let_go();
    EXPECT_FALSE(served.settled().has_value());
    // The rest of the first commit, and one more.
    EXPECT_LE(vfs.syncs - before, 3);
}

TEST(SqliteJournal, AFailedFsyncIsAnErrorAndIsUndone) {
    const Folder folder;
    FaultyVfs vfs;
    {
        Served served(options_for(folder, "faulty"));
        served.store.put(config_map("kept", "1"));
        served.store.put(config_map("gone", "1"));
        EXPECT_FALSE(served.settled().has_value());

        vfs.syncs_to_fail = 1;
        served.store.put(config_map("kept", "2"));
        served.store.remove(config_map_key("gone"));
        served.store.put(config_map("new", "1"));
        const auto lost = served.settled();
        ASSERT_TRUE(lost.has_value());
        EXPECT_EQ(lost->reason, Reason::internal);
        EXPECT_THAT(lost->message, HasSubstr("is undone"));
        EXPECT_EQ(value_of(served.store, "kept"), "1");
        EXPECT_EQ(value_of(served.store, "gone"), "1");
        EXPECT_EQ(value_of(served.store, "new"), "absent");
        EXPECT_EQ(served.store.find_by_uid("uid-new"), nullptr);
        EXPECT_EQ(served.store.find_by_uid("uid-gone")->name(), "gone");
        EXPECT_TRUE(served.store.events_since(kind_of("v1", "ConfigMap"), 2, 10).events.empty());

        // It recovers by itself.
        served.store.put(config_map("later", "1"));
        EXPECT_FALSE(served.settled().has_value());
    }
    Served again(options_for(folder));
    EXPECT_EQ(value_of(again.store, "kept"), "1");
    EXPECT_EQ(value_of(again.store, "gone"), "1");
    EXPECT_EQ(value_of(again.store, "new"), "absent");
    EXPECT_EQ(value_of(again.store, "later"), "1");
}

TEST(SqliteJournal, AsLongAsTheDiskFailsEachWriteIsAnError) {
    const Folder folder;
    FaultyVfs vfs;
    Served served(options_for(folder, "faulty"));
    served.store.put(config_map("a", "1"));
    EXPECT_FALSE(served.settled().has_value());
    vfs.syncs_to_fail = 1'000'000;
    for (int i = 0; i < 5; ++i) {
        served.store.put(config_map("a", "2"));
        EXPECT_TRUE(served.settled().has_value());
        EXPECT_EQ(value_of(served.store, "a"), "1");
        EXPECT_TRUE(served.store.all_durable());
    }
    vfs.syncs_to_fail = 0;
    served.store.put(config_map("a", "3"));
    EXPECT_FALSE(served.settled().has_value());
}

TEST(SqliteJournal, WithAFullDiskTheReserveTakesWhatIsUnderWayAndThenDeletions) {
    const Folder folder;
    FaultyVfs vfs;
    std::atomic<bool> full = false;
    Served served(options_for(folder, "faulty"));
    // A test cannot fill the disk: there is no room for as long as the reserve is there, and then a
    // folder in its place keeps it from being taken again.
    const std::string reserve = folder.file() + "-reserve";
    vfs.full = [&] {
        if (!full) return false;
        if (std::filesystem::is_regular_file(reserve)) return true;
        std::filesystem::create_directory(reserve);
        full = false;
        return false;
    };
    served.store.put(config_map("a", "1"));
    EXPECT_FALSE(served.settled().has_value());
    EXPECT_FALSE(served.store.full().has_value());

    full = true;
    served.store.put(config_map("b", "1"));
    EXPECT_FALSE(served.settled().has_value());
    served.run_until([&] { return served.store.full().has_value(); });
    EXPECT_THAT(served.store.full()->message, HasSubstr("only deletions"));
    served.store.remove(config_map_key("b"));
    EXPECT_FALSE(served.settled().has_value());

    std::filesystem::remove(reserve);
    served.run_until([&] { return !served.store.full().has_value(); });
}

TEST(SqliteJournal, TwoProcessesCannotHaveOneFile) {
    const Folder folder;
    const Served served(options_for(folder));
    const auto second = SqliteJournal::open(options_for(folder));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().reason, Reason::conflict);
    EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
}

TEST(SqliteJournal, KeepsSmallTextsBesideTheObjects) {
    const Folder folder;
    {
        auto journal = SqliteJournal::open(options_for(folder));
        ASSERT_TRUE(journal.has_value());
        EXPECT_EQ(*(*journal)->kept("identity"), std::nullopt);
        ASSERT_TRUE((*journal)->keep("identity", "secret").has_value());
    }
    auto journal = SqliteJournal::open(options_for(folder));
    ASSERT_TRUE(journal.has_value());
    EXPECT_EQ(*(*journal)->kept("identity"), "secret");
    const auto mode = std::filesystem::status(folder.file()).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace shed
