#pragma once
// The file of a durable store: an SQLite database in WAL mode. One row per object with a checksum,
// and one row with the highest resourceVersion and a sum over all rows, so that a row that is
// missing or old is found, too. No threads.
#include "fakes/journal/sqlite.hpp"
#include "fakes/store/store.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shed {

struct StoredState {
    std::vector<ObjectPtr> objects;
    ResourceVersion version = 0;
};

class StoreFile {
public:
    // Makes a new file (0600) or checks the one that is there as a whole. Errors (environment): of
    // another format, or corrupt, which names the place and `trainshed store repair`. `warning`, if
    // given, is told when the end of the last write was torn and the state before it is used.
    static Result<StoreFile> open(const std::string& path, const std::string& vfs = "",
                                  std::string* warning = nullptr);

    Result<StoredState> load();
    // One transaction: all events in order, or none; `version` is the highest that was given out.
    // After an error is_full() says whether room was lacking, and only then may it simply be tried
    // again; else the file needs to be mended.
    Result<void> commit(const std::vector<StoreEvent>& batch, ResourceVersion version);
    bool is_full() const { return full_; }
    ResourceVersion version() const { return totals_.version; }  // the last committed one
    // After a commit that failed: its pages may be in the log although their fsync failed. Writes
    // over them, moves the log into the file, opens the file anew and reads all of it back from
    // the disk. After an error it can be tried again.
    Result<void> mend();
    // Keeps the log short: with little room it must not grow.
    Result<void> checkpoint() { return database_->checkpoint(); }

    // Small texts beside the objects: the cluster's certificates and token.
    Result<std::optional<std::string>> kept(const std::string& name);
    Result<void> keep(const std::string& name, const std::string& text);

    struct Totals {
        ResourceVersion version = 0;
        std::int64_t objects = 0;
        std::uint64_t digest = 0;  // the exclusive or of the rows' checksums
        bool operator==(const Totals&) const = default;
    };

private:
    StoreFile(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}
    Result<void> connect();
    void close();
    Result<void> prepare();
    Result<void> check_kept();
    Result<Totals> check_rows();
    Result<void> write(const std::vector<StoreEvent>& batch, Totals& totals);

    std::string path_, vfs_;
    std::optional<Database> database_;  // before the statements, which go first
    std::optional<Statement> begin_, put_, remove_, sum_, commit_;
    Totals totals_;
    bool full_ = false;
};

// Creates a store that is empty, under another name first: a file at `path` is always a whole one.
Result<void> make_store(const std::string& path);

bool is_whole(const StoreFile::Totals& totals, std::int64_t checksum);

}  // namespace shed
