#pragma once
// The durable store: the in-memory Store serves, and this writes its changes to a file on a thread
// of its own. One transaction holds whatever came while the one before was written (group commit).
#include "fakes/journal/store_file.hpp"
#include "fakes/journal/store_lock.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace shed {

struct JournalOptions {
    std::string file;
    std::string vfs = {};  // of SQLite; "" for the system's
    // Runs a function on the store's thread, later.
    std::function<void(std::function<void()>)> post;
    // Room that is set aside in FILE-reserve and given back when the disk is full, so that
    // deletions still find some.
    std::size_t reserve_bytes = std::size_t{4} << 20;
    std::chrono::milliseconds reserve_retry{1000};  // how often the room is asked for again
};

class SqliteJournal final : public Journal {
public:
    // Locks and checks the file. Errors: StoreLock::take, StoreFile::open.
    static Result<std::unique_ptr<SqliteJournal>> open(JournalOptions options);
    // Writes what is queued, then lets go of the file. The store must not change any more.
    ~SqliteJournal() override;

    // ---- before serve()
    Result<std::optional<std::string>> kept(const std::string& name);
    Result<void> keep(const std::string& name, const std::string& text);

    // Fills the empty store from the file and begins to write its changes.
    // A batch that cannot be written is undone in the store (Store::roll_back); the next one is
    // tried after the file has been mended. With no room left but the reserve, Store::full() is
    // set.
    Result<void> serve(Store& store);

    void append(const StoreEvent& event) override;

private:
    struct Impl;
    explicit SqliteJournal(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace shed
