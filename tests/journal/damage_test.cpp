// Files that were cut short or changed: each is a state that was committed, or is refused.
#include "fakes/journal/repair.hpp"
#include "fakes/journal/store_file.hpp"
#include "fakes/journal/wal_scan.hpp"
#include "tests/journal/fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace shed {
namespace {

using ::testing::HasSubstr;

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

using State = std::map<std::string, std::string>;  // name: the object's text

State state_of(const Store& store) {
    State state;
    for (const ObjectPtr& object : store.list(kind_of("v1", "ConfigMap")))
        state[object->name()] = object->bytes();
    return state;
}

// A store after a number of commits, as a process that was killed leaves it, and all states it had.
struct Killed {
    std::string database, log;
    std::vector<State> states;
};

// The journal that hands each event on at once.
class Direct final : public Journal {
public:
    explicit Direct(StoreFile& file) : file_(file) {}
    void append(const StoreEvent& event) override {
        ASSERT_TRUE(file_.commit({event}, event.version()).has_value());
    }

private:
    StoreFile& file_;
};

Killed killed_store(int commits) {
    const Folder folder;
    auto file = StoreFile::open(folder.file());
    EXPECT_TRUE(file.has_value());
    Direct journal(*file);
    Store store;
    store.begin_with({}, 0, journal);
    Killed killed;
    killed.states.push_back({});
    for (int i = 0; i < commits; ++i) {
        if (i % 7 == 6) store.remove(config_map_key("n" + std::to_string((i - 1) % 50)));
        else store.put(config_map("n" + std::to_string(i % 50), std::string(200, 'x')));
        killed.states.push_back(state_of(store));
    }
    killed.database = bytes_of(folder.file());
    killed.log = bytes_of(folder.file() + "-wal");
    return killed;
}

// What is found in such files: the state's number, or -1 when they are refused.
int opened(const Killed& killed, const std::string& database, const std::string& log,
           std::string* why = nullptr) {
    const Folder folder;
    write_bytes(folder.file(), database);
    write_bytes(folder.file() + "-wal", log);
    auto file = StoreFile::open(folder.file());
    auto state = file ? file->load() : Result<StoredState>(file.error());
    if (!state) {
        if (why != nullptr) *why = state.error().message;
        return -1;
    }
    State found;
    for (const ObjectPtr& object : state->objects) found[object->name()] = object->bytes();
    // Each commit took one version.
    if (state->version < killed.states.size() && found == killed.states[state->version])
        return static_cast<int>(state->version);
    ADD_FAILURE() << "a state that never was";
    return -2;
}

TEST(Damage, AKilledProcessLosesNothing) {
    const Killed killed = killed_store(60);
    EXPECT_EQ(opened(killed, killed.database, killed.log), 60);
}

TEST(Damage, AFlippedBitInTheDatabaseIsRefused) {
    Killed killed = killed_store(60);
    // All in the database, nothing in the log.
    const Folder folder;
    write_bytes(folder.file(), killed.database);
    write_bytes(folder.file() + "-wal", killed.log);
    ASSERT_TRUE(StoreFile::open(folder.file()).has_value());
    const std::string whole = bytes_of(folder.file());
    ASSERT_EQ(opened(killed, whole, ""), 60);
    int refused = 0;
    for (std::size_t at = 0; at < whole.size(); at += 1024) {
        for (const std::size_t place : {at, at + 37, at + 511}) {
            std::string damaged = whole;
            damaged[place] = static_cast<char>(damaged[place] ^ (1 << (at / 1024 % 8)));
            std::string why;
            const int found = opened(killed, damaged, "", &why);
            EXPECT_TRUE(found == 60 || found == -1) << "at " << place << ": state " << found;
            if (found != -1) continue;
            ++refused;
            EXPECT_THAT(why, ::testing::AnyOf(HasSubstr("corrupt"), HasSubstr("no store of"),
                                              HasSubstr("has format")));
        }
    }
    EXPECT_GT(refused, 20);
}

TEST(Damage, ACutDatabaseIsRefused) {
    const Killed killed = killed_store(60);
    const Folder folder;
    write_bytes(folder.file(), killed.database);
    write_bytes(folder.file() + "-wal", killed.log);
    ASSERT_TRUE(StoreFile::open(folder.file()).has_value());
    const std::string whole = bytes_of(folder.file());
    for (std::size_t size = 0; size < whole.size(); size += 1000)
        EXPECT_EQ(opened(killed, whole.substr(0, size), ""), -1) << size;
}

TEST(Damage, ACutLogIsAnEarlierState) {
    const Killed killed = killed_store(60);
    int last = 0;
    for (std::size_t size = 0; size < killed.log.size(); size += 5 * 1021) {
        const int found = opened(killed, killed.database, killed.log.substr(0, size));
        EXPECT_GE(found, last) << size;
        last = found;
    }
    EXPECT_GE(last, 59);
}

TEST(Damage, AFlippedBitInTheLogIsRefusedUnlessItIsTheLastWrite) {
    const Killed killed = killed_store(60);
    for (std::size_t at = 0; at < killed.log.size(); at += 5 * 1021) {
        std::string damaged = killed.log;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        std::string why;
        const int found = opened(killed, killed.database, damaged, &why);
        EXPECT_TRUE(found == -1 || found >= 59) << "at " << at << ": state " << found;
        if (found == -1) {
            EXPECT_THAT(why, HasSubstr("trainshed store repair"));
        }
    }
}

TEST(Damage, ALogWithoutItsDatabaseIsRefused) {
    const Folder folder;
    write_bytes(folder.file() + "-wal", killed_store(3).log);
    EXPECT_FALSE(StoreFile::open(folder.file()).has_value());
}

TEST(Damage, AFileOfAnotherFormatIsRefused) {
    const Folder folder;
    ASSERT_TRUE(StoreFile::open(folder.file()).has_value());
    {
        auto database = Database::open(folder.file(), "");
        ASSERT_TRUE(database && database->execute("PRAGMA user_version = 7"));
    }
    const auto file = StoreFile::open(folder.file());
    ASSERT_FALSE(file.has_value());
    EXPECT_THAT(file.error().message, HasSubstr("has format 7, this trainshed reads format 1"));
}

TEST(Damage, AFileOfSomebodyElsesIsNotTouched) {
    const Folder folder;
    write_bytes(folder.file(), "notes of mine\n");
    EXPECT_FALSE(StoreFile::open(folder.file()).has_value());
    EXPECT_EQ(bytes_of(folder.file()), "notes of mine\n");
}

TEST(Damage, AFlippedBitInAKeptTextIsRefusedAndRepaired) {
    const Folder folder;
    {
        auto file = StoreFile::open(folder.file());
        ASSERT_TRUE(file && file->keep("identity", "the text that is kept"));
    }
    std::string bytes = bytes_of(folder.file());
    const auto at = bytes.find("the text that is kept");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'T';
    write_bytes(folder.file(), bytes);
    const auto file = StoreFile::open(folder.file());
    ASSERT_FALSE(file.has_value());
    EXPECT_THAT(file.error().message, HasSubstr("corrupt at \"identity\""));
    EXPECT_TRUE(repair_store(folder.file()).has_value());
    EXPECT_TRUE(StoreFile::open(folder.file()).has_value());
}

TEST(Damage, ARepairKeepsEveryWholeObjectAndGoesOnAbove) {
    const Folder folder;
    {
        auto file = StoreFile::open(folder.file());
        ASSERT_TRUE(file.has_value());
        Direct journal(*file);
        Store store;
        store.begin_with({}, 0, journal);
        for (int i = 0; i < 40; ++i)
            store.put(config_map("n" + std::to_string(i), std::string(300, 'x')));
    }
    std::string bytes = bytes_of(folder.file());
    const auto text = bytes.find("\"name\":\"n20\"");
    ASSERT_NE(text, std::string::npos);
    bytes[text + 9] = 'm';
    write_bytes(folder.file(), bytes);
    ASSERT_FALSE(StoreFile::open(folder.file()).has_value());

    const auto repaired = repair_store(folder.file());
    ASSERT_TRUE(repaired.has_value()) << repaired.error().message;
    EXPECT_EQ(repaired->kept, 39u);
    EXPECT_EQ(repaired->damaged, 1u);
    auto file = StoreFile::open(folder.file());
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->load()->objects.size(), 39u);
    EXPECT_GT(file->version(), 40u);
    EXPECT_EQ(bytes_of(repaired->aside), bytes);
    EXPECT_FALSE(repair_store(folder.file()).has_value()) << "the first damaged file would go";
}

}  // namespace
}  // namespace shed
