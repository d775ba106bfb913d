// What durability costs, beside its floor: SQLite's own commit of one row. Wall time, since it is
// spent waiting for the disk; where the file lies decides most (TMPDIR).
#include "fakes/journal/sqlite.hpp"
#include "fakes/journal/sqlite_journal.hpp"

#include <benchmark/benchmark.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

constexpr std::size_t object_bytes = 1'500;

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string file() const { return path_ + "/store"; }

private:
    std::string path_;
};

Json config_map(std::int64_t number) {
    return {
        {"apiVersion", "v1"},
        {"kind", "ConfigMap"},
        {"metadata", {{"name", "n" + std::to_string(number % 1'000)}, {"namespace", "default"}}},
        {"data", {{"a", std::string(object_bytes, 'x')}}}};
}

// The store's thread, as far as the journal sees it: runs what is posted when asked to.
class Posted {
public:
    void post(std::function<void()> what) {
        const std::lock_guard guard(mutex_);
        waiting_.push_back(std::move(what));
        news_.notify_one();
    }
    void run_one() {
        std::unique_lock guard(mutex_);
        news_.wait(guard, [this] { return !waiting_.empty(); });
        const auto batch = std::exchange(waiting_, {});
        guard.unlock();
        for (const auto& what : batch) what();
    }

private:
    std::mutex mutex_;
    std::condition_variable news_;
    std::vector<std::function<void()>> waiting_;
};

// So many writes come at once, and the next ones when all are durable: that many clients.
void write_durably(benchmark::State& state) {
    const Folder folder;
    Posted posted;
    Store store(1'000);
    JournalOptions options;
    options.file = folder.file();
    options.post = [&](std::function<void()> what) { posted.post(std::move(what)); };
    auto journal = SqliteJournal::open(std::move(options));
    if (!journal || !(*journal)->serve(store)) return state.SkipWithError("cannot open the store");
    std::int64_t number = 0;
    for (auto _ : state) {
        for (std::int64_t i = 0; i < state.range(0); ++i) store.put(config_map(number++));
        while (!store.all_durable()) posted.run_one();
    }
    state.SetItemsProcessed(number);
}
BENCHMARK(write_durably)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMicrosecond);

void floor_of_sqlite(benchmark::State& state) {
    const Folder folder;
    auto database = Database::open(folder.file(), "");
    if (!database) return state.SkipWithError("cannot open the database");
    for (const char* sql :
         {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",
          "PRAGMA synchronous = FULL", "CREATE TABLE rows(name INTEGER PRIMARY KEY, text TEXT)"})
        if (!database->execute(sql)) return state.SkipWithError(sql);
    auto put = database->prepare("INSERT OR REPLACE INTO rows VALUES(?1, ?2)");
    const std::string text(object_bytes, 'x');
    std::int64_t number = 0;
    for (auto _ : state)
        if (!put->bind(1, number++ % 1'000).bind(2, text).run())
            return state.SkipWithError("cannot write");
    state.SetItemsProcessed(number);
}
BENCHMARK(floor_of_sqlite)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace shed

BENCHMARK_MAIN();
