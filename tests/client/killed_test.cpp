// A process that is killed at any moment of a load of writes: what it acknowledged is there
// afterwards, what it did not is there once or not at all, and resourceVersions never go back.
#include "fakes/client/client.hpp"
#include "fakes/journal/sqlite_journal.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

namespace asio = boost::asio;

namespace shed {
namespace {

constexpr int kills = 200, clients = 8, names = 3;

const Kind& config_maps = kind_of("v1", "ConfigMap");

Key key_of(const std::string& name) { return {&config_maps, "default", name}; }

std::unique_ptr<SqliteJournal> serve(const std::string& file, asio::io_context& io, Store& store) {
    JournalOptions options;
    options.file = file;
    options.post = [&io](std::function<void()> what) { asio::post(io, std::move(what)); };
    options.reserve_bytes = 4096;
    auto journal = SqliteJournal::open(std::move(options));
    if (!journal) ADD_FAILURE() << journal.error().message;
    if (!journal) return nullptr;
    const auto served = (*journal)->serve(store);
    EXPECT_TRUE(served) << (served ? "" : served.error().message);
    return std::move(*journal);
}

// ---- the process that is killed

struct Writer {
    Client& client;
    Store& store;
    int pipe;

    // One line in one write: the reader sees it whole, however soon this process ends.
    void tell(const std::string& line) const {
        const std::string text = line + "\n";
        if (::write(pipe, text.data(), text.size()) < 0) ::_exit(1);
    }

    asio::awaitable<void> run(int number) const {
        Rng rng(std::random_device{}());
        for (int step = 0;; ++step) {
            const std::string name =
                "c" + std::to_string(number) + "-" + std::to_string(rng.below(names));
            const std::string value = std::to_string(rng.next());
            const bool there = store.find(key_of(name)) != nullptr;
            const bool removes = there && rng.below(4) == 0;
            tell("begin " + name + " " + (removes ? "-" : value));
            Result<ObjectPtr> done;
            Json data = {{"data", {{"a", value}}}};
            if (removes) {
                done = co_await client.remove(key_of(name), Json());
            } else if (there) {
                WriteOptions options;
                done = co_await client.patch(key_of(name), PatchType::merge, std::move(data),
                                             std::move(options));
            } else {
                Json object = std::move(data);
                object["apiVersion"] = "v1";
                object["kind"] = "ConfigMap";
                object["metadata"] = {{"name", name}, {"namespace", "default"}};
                WriteOptions options;
                done = co_await client.create(std::move(object), std::move(options));
            }
            if (!done) tell("failed " + name + " " + done.error().message);
            else
                tell("done " + name + " " + std::to_string((*done)->resource_version()) + " " +
                     (*done)->uid());
        }
    }
};

[[noreturn]] void write_until_killed(const std::string& file, int pipe) {
    asio::io_context io(1);
    Store store;
    const auto journal = serve(file, io, store);
    if (!journal) ::_exit(1);
    if (!store.find({&kind_of("v1", "Namespace"), "", "default"}))
        store.put(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}});
    Rng rng(std::random_device{}());
    Api api(store, rng);
    SystemClock clock;
    const auto client = local_client(api, clock, io.get_executor(), "test");
    const Writer writer{*client, store, pipe};
    for (int i = 0; i < clients; ++i) asio::co_spawn(io, writer.run(i), asio::detached);
    io.run();
    ::_exit(1);
}

// ---- the process that looks

struct Known {
    std::string value;  // empty: it is not there
    ResourceVersion version = 0;
    std::string uid;
};

class Model {
public:
    // One line of the writer's.
    void hear(const std::string& line) {
        std::istringstream words(line);
        std::string what, name, rest;
        words >> what >> name;
        ASSERT_NE(what, "failed") << line;
        if (what == "begin") {
            words >> rest;
            pending_[name] = rest == "-" ? "" : rest;
            return;
        }
        Known& known = known_[name];
        known.value = pending_[name];
        words >> known.version >> known.uid;
        newest_ = std::max(newest_, known.version);
        pending_.erase(name);
        ++acknowledged;
    }

    void compare(const Store& store) {
        EXPECT_GE(store.version(), newest_);
        newest_ = store.version();
        for (int client = 0; client < clients; ++client)
            for (int i = 0; i < names; ++i)
                compare(store, "c" + std::to_string(client) + "-" + std::to_string(i));
        pending_.clear();
    }

    int acknowledged = 0, unknown_done = 0;

private:
    void compare(const Store& store, const std::string& name) {
        const ObjectPtr found = store.find(key_of(name));
        const std::string value = found ? string_at(found->dom(), "data.a") : "";
        Known& known = known_[name];
        const auto begun = pending_.find(name);
        if (begun != pending_.end() && value == begun->second && value != known.value) {
            ++unknown_done;  // it came to pass though nobody was told
            EXPECT_TRUE(known.value.empty() || !found || found->uid() == known.uid) << name;
        } else {
            EXPECT_EQ(value, known.value) << name;
            EXPECT_EQ(found ? found->resource_version() : known.version, known.version) << name;
            EXPECT_EQ(found ? found->uid() : known.uid, known.uid) << name;
        }
        known = {value, found ? found->resource_version() : 0, found ? found->uid() : ""};
    }

    std::map<std::string, Known> known_;
    std::map<std::string, std::string> pending_;
    ResourceVersion newest_ = 0;
};

// Kills it after so many lines, and hears all that it has said by then.
void kill_after(int lines, const std::string& file, Model& model) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        write_until_killed(file, ends[1]);
    }
    ::close(ends[1]);
    FILE* said = ::fdopen(ends[0], "r");
    char* line = nullptr;
    std::size_t size = 0;
    while (::getline(&line, &size, said) > 0) {
        model.hear(line);
        if (--lines == 0) ::kill(child, SIGKILL);
    }
    std::free(line);
    std::fclose(said);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST(Killed, NothingThatWasAcknowledgedIsLost) {
    std::string folder = (std::filesystem::temp_directory_path() / "killed-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    Model model;
    for (int i = 0; i < kills && !HasFailure(); ++i) {
        SCOPED_TRACE("kill " + std::to_string(i));
        kill_after(1 + static_cast<int>(random() % 60), folder + "/store", model);
        asio::io_context io(1);
        Store store;
        const auto journal = serve(folder + "/store", io, store);
        ASSERT_NE(journal, nullptr);
        model.compare(store);
    }
    EXPECT_GT(model.acknowledged, kills);
    EXPECT_GT(model.unknown_done, 0) << "no kill fell between a commit and its answer";
    std::printf("%d acknowledged writes, %d done without an answer\n", model.acknowledged,
                model.unknown_done);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace shed
