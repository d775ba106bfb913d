#include "fakes/journal/store_file.hpp"

#include "fakes/base/rng.hpp"
#include "fakes/journal/wal_scan.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::int64_t application_id = 0x54534844;  // "TSHD"
constexpr std::int64_t format = 1;

constexpr const char* sum_sql = "INSERT OR REPLACE INTO totals VALUES(1, ?1, ?2, ?3, ?4)";
constexpr const char* schema =
    "CREATE TABLE objects(kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, checksum "
    "INTEGER NOT NULL,"
    " object TEXT NOT NULL, PRIMARY KEY(kind, ns, name));"
    "CREATE TABLE totals(id INTEGER PRIMARY KEY CHECK(id = 1), version INTEGER NOT NULL, objects "
    "INTEGER NOT NULL,"
    " digest INTEGER NOT NULL, checksum INTEGER NOT NULL);"
    "CREATE TABLE kept(name TEXT PRIMARY KEY, checksum INTEGER NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE mended(id INTEGER PRIMARY KEY CHECK(id = 1), times INTEGER NOT NULL);"
    "INSERT INTO mended VALUES(1, 0);";

std::string kind_text(const Kind& kind) {
    return kind.api_version() + "/" + std::string(kind.kind);
}

std::int64_t as_signed(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

std::uint64_t checksum_of(const StoreFile::Totals& totals) {
    return hash_text(std::to_string(totals.version) + " " + std::to_string(totals.objects) + " " +
                     std::to_string(totals.digest));
}

Error corrupt(const std::string& path, const std::string& where) {
    return {Reason::environment,
            "store corrupt at " + where + " of " + path + "; run trainshed store repair " + path};
}

Result<void> check_owner(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        return Error{Reason::environment,
                     "cannot open the store " + path + ": " + std::strerror(errno)};
    if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid())
        return Error{Reason::environment,
                     path + " is not a file owned by uid " + std::to_string(::geteuid())};
    return {};
}

// The pages that this machine holds of the file are dropped, so that the next read asks the disk.
void forget_cached(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return;
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
}

Result<void> check_log(const std::string& path, std::string* warning) {
    std::ifstream in(path + "-wal", std::ios::binary);
    const std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const WalScan scan = scan_wal(log);
    if (scan.header_damaged) return corrupt(path, "offset 0 of the write-ahead log");
    const std::string offset = "offset " + std::to_string(scan.intact) + " of the write-ahead log";
    if (scan.lost > 1) return corrupt(path, offset);
    if (scan.lost == 1 && warning != nullptr)
        *warning = "the last write to " + path + " was torn at " + offset +
                   ": the state before it is used";
    return {};
}

Result<void> configure(Database& database) {
    // Exclusive before WAL: then the index of the log is in memory, and no third file is needed.
    for (const char* setting : {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",
                                "PRAGMA synchronous = FULL", "PRAGMA cell_size_check = ON"})
        if (auto set = database.execute(setting); !set) return set.error();
    return {};
}

Result<void> check_format(Database& database, const std::string& path) {
    const auto id = database.number("PRAGMA application_id");
    if (!id) return corrupt(path, "its first page (" + id.error().message + ")");
    const auto found = database.number("PRAGMA user_version");
    if (!found) return corrupt(path, "its first page (" + found.error().message + ")");
    if (*id == application_id && *found == format) return {};
    if (*id == application_id)
        return Error{Reason::environment,
                     "the store " + path + " has format " + std::to_string(*found) +
                         ", this trainshed reads format " + std::to_string(format) +
                         "; use the trainshed that wrote it, or another file"};
    return Error{Reason::environment, path + " is no store of trainshed's; name another file"};
}

Result<void> write_totals(Statement& statement, const StoreFile::Totals& totals) {
    return statement.bind(1, as_signed(totals.version))
        .bind(2, totals.objects)
        .bind(3, as_signed(totals.digest))
        .bind(4, as_signed(checksum_of(totals)))
        .run();
}

Result<void> write_schema(const std::string& path) {
    auto database = Database::open(path, "");
    if (!database) return database.error();
    if (auto set = configure(*database); !set) return set.error();
    if (auto made = database->execute("BEGIN IMMEDIATE;" + std::string(schema) +
                                      "PRAGMA application_id = " + std::to_string(application_id) +
                                      ";PRAGMA user_version = " + std::to_string(format));
        !made)
        return made.error();
    auto sum = database->prepare(sum_sql);
    if (!sum) return sum.error();
    if (auto written = write_totals(*sum, {}); !written) return written.error();
    if (auto ended = database->execute("COMMIT"); !ended) return ended.error();
    return database->checkpoint();
}

}  // namespace

bool is_whole(const StoreFile::Totals& totals, std::int64_t checksum) {
    return as_signed(checksum_of(totals)) == checksum;
}

Result<void> make_store(const std::string& path) {
    const std::string fresh = path + "-new";
    const auto failed = [&](const std::string& why) {
        return Error{Reason::environment, "cannot make the store " + path + ": " + why};
    };
    if (::access((path + "-wal").c_str(), F_OK) == 0)
        return failed("its write-ahead log " + path +
                      "-wal is there without it; remove that to begin anew");
    ::unlink(fresh.c_str());
    ::unlink((fresh + "-wal").c_str());
    const int descriptor =
        ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return failed(std::strerror(errno));
    ::close(descriptor);
    if (auto made = write_schema(fresh); !made) return failed(made.error().message);
    if (::rename(fresh.c_str(), path.c_str()) != 0) return failed(std::strerror(errno));
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0) ::close(directory);
    if (!synced) return failed(std::strerror(errno));
    return {};
}

Result<StoreFile> StoreFile::open(const std::string& path, const std::string& vfs,
                                  std::string* warning) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
        if (auto made = make_store(path); !made) return made.error();
    if (auto ours = check_owner(path); !ours) return ours.error();
    if (auto checked = check_log(path, warning); !checked) return checked.error();
    StoreFile file(path, vfs);
    if (auto connected = file.connect(); !connected) return connected.error();
    // The log is whole up to here; what is behind that must not be taken for a part of it later.
    if (auto moved = file.database_->checkpoint(); !moved && !file.database_->is_full())
        return Error{Reason::environment, "cannot write to " + path + ": " + moved.error().message};
    return file;
}

Result<void> StoreFile::connect() {
    auto database = Database::open(path_, vfs_);
    if (!database)
        return Error{Reason::environment, "cannot open " + path_ + ": " + database.error().message};
    database_.emplace(std::move(*database));
    // A database's first page may itself be damaged: SQLite then calls the file none of its own.
    if (auto set = configure(*database_); !set)
        return corrupt(path_, "its first page (" + set.error().message + ")");
    if (auto known = check_format(*database_, path_); !known) return known.error();
    return prepare();
}

Result<void> StoreFile::prepare() {
    const auto found = database_->text("PRAGMA integrity_check(1)");
    if (!found) return corrupt(path_, "an unreadable page (" + found.error().message + ")");
    if (*found != "ok") return corrupt(path_, *found);
    if (auto checked = check_kept(); !checked) return checked.error();
    const auto rows = check_rows();
    if (!rows) return rows.error();
    totals_ = *rows;
    const std::pair<std::optional<Statement>*, const char*> statements[] = {
        {&begin_, "BEGIN IMMEDIATE"},
        {&put_,
         "INSERT INTO objects(kind, ns, name, checksum, object) VALUES(?1, ?2, ?3, ?4, ?5)"
         " ON CONFLICT(kind, ns, name) DO UPDATE SET checksum = ?4, object = ?5"},
        {&remove_, "DELETE FROM objects WHERE kind = ?1 AND ns = ?2 AND name = ?3"},
        {&sum_, sum_sql},
        {&commit_, "COMMIT"}};
    for (const auto& [place, sql] : statements) {
        auto prepared = database_->prepare(sql);
        if (!prepared) return prepared.error();
        place->emplace(std::move(*prepared));
    }
    return {};
}

Result<void> StoreFile::check_kept() {
    auto rows = database_->prepare("SELECT name, checksum, text FROM kept");
    if (!rows) return corrupt(path_, "its tables");
    for (;;) {
        const auto row = rows->step();
        if (!row) return corrupt(path_, "an unreadable page (" + row.error().message + ")");
        if (!*row) return {};
        if (as_signed(hash_text(rows->text(2))) != rows->number(1))
            return corrupt(path_, "\"" + std::string(rows->text(0)) + "\"");
    }
}

Result<StoreFile::Totals> StoreFile::check_rows() {
    auto rows = database_->prepare("SELECT kind, ns, name, checksum, object FROM objects");
    auto totals = database_->prepare("SELECT version, objects, digest, checksum FROM totals");
    if (!rows || !totals) return corrupt(path_, "its tables");
    Totals counted, stated;
    for (;;) {
        const auto row = rows->step();
        if (!row) return corrupt(path_, "an unreadable page (" + row.error().message + ")");
        if (!*row) break;
        const std::uint64_t sum = hash_text(rows->text(4));
        if (as_signed(sum) != rows->number(3))
            return corrupt(path_, std::string(rows->text(0)) + " " + std::string(rows->text(1)) +
                                      "/" + std::string(rows->text(2)));
        counted.digest ^= sum;
        ++counted.objects;
    }
    const auto row = totals->step();
    if (!row || !*row) return corrupt(path_, "its totals");
    stated = {static_cast<ResourceVersion>(totals->number(0)), totals->number(1),
              static_cast<std::uint64_t>(totals->number(2))};
    counted.version = stated.version;
    if (!is_whole(stated, totals->number(3)) || !(counted == stated))
        return corrupt(path_, "its totals (" + std::to_string(counted.objects) +
                                  " objects are there, " + std::to_string(stated.objects) +
                                  " should be)");
    return stated;
}

Result<StoredState> StoreFile::load() {
    StoredState state;
    state.version = totals_.version;
    auto rows = database_->prepare("SELECT kind, ns, name, object FROM objects");
    if (!rows) return rows.error();
    for (;;) {
        const auto row = rows->step();
        if (!row) return row.error();
        if (!*row) return state;
        const std::string name = std::string(rows->text(0)) + " " + std::string(rows->text(1)) +
                                 "/" + std::string(rows->text(2));
        auto dom = parse_json(rows->text(3));
        if (!dom) return corrupt(path_, name);
        if (find_kind_by_name(string_at(*dom, "apiVersion"), string_at(*dom, "kind")) == nullptr)
            return Error{Reason::environment,
                         "the store " + path_ + " has " + name +
                             ", a kind this trainshed does not know; use the one that wrote it"};
        if (string_at(*dom, "metadata.name").empty()) return corrupt(path_, name);
        ObjectPtr object = Object::make(std::move(*dom));
        const bool fits = kind_text(object->kind()) == rows->text(0) &&
                          object->ns() == rows->text(1) && object->name() == rows->text(2) &&
                          object->resource_version() <= state.version;
        if (!fits) return corrupt(path_, name);
        state.objects.push_back(std::move(object));
    }
}

namespace {

// What a batch does to one object: only its first and its last state matter to the file.
struct Change {
    ObjectPtr before, after;
};

std::map<Key, Change> changes_of(const std::vector<StoreEvent>& batch) {
    std::map<Key, Change> changes;
    for (const StoreEvent& event : batch) {
        const auto [change, first] = changes.try_emplace(event.object->key());
        if (first) change->second.before = event.previous;
        change->second.after = event.type == StoreEvent::Type::deleted ? nullptr : event.object;
    }
    return changes;
}

}  // namespace

Result<void> StoreFile::write(const std::vector<StoreEvent>& batch, Totals& totals) {
    for (const auto& [key, change] : changes_of(batch)) {
        const std::string kind = kind_text(*key.kind);
        if (change.before) totals.digest ^= hash_text(change.before->bytes());
        totals.objects += (change.after ? 1 : 0) - (change.before ? 1 : 0);
        Statement& statement = change.after ? *put_ : *remove_;
        statement.bind(1, kind).bind(2, key.ns).bind(3, key.name);
        if (change.after) {
            const std::uint64_t sum = hash_text(change.after->bytes());
            totals.digest ^= sum;
            statement.bind(4, as_signed(sum)).bind(5, change.after->bytes());
        }
        if (auto done = statement.run(); !done) return done.error();
    }
    return {};
}

Result<void> StoreFile::commit(const std::vector<StoreEvent>& batch, ResourceVersion version) {
    SHED_CHECK(database_.has_value());
    Totals totals = totals_;
    totals.version = version;
    Result<void> done = begin_->run();
    if (done) done = write(batch, totals);
    if (done) done = write_totals(*sum_, totals);
    if (done) done = commit_->run();
    full_ = !done && database_->is_full();
    if (done) totals_ = totals;
    else if (database_->in_transaction()) static_cast<void>(database_->execute("ROLLBACK"));
    return done;
}

Result<void> StoreFile::mend() {
    if (database_) {
        if (auto fenced = database_->execute("UPDATE mended SET times = times + 1"); !fenced)
            return fenced.error();
        if (auto moved = database_->checkpoint(); !moved) return moved.error();
        close();
    }
    forget_cached(path_);
    const Totals expected = totals_;
    auto connected = connect();
    const Totals found = std::exchange(totals_, expected);
    if (connected && !(found == expected))
        connected = corrupt(path_, "its totals (version " + std::to_string(found.version) +
                                       ", not " + std::to_string(expected.version) + ")");
    // Without the file nothing can be committed, and the next attempt opens it again.
    if (!connected) close();
    return connected;
}

void StoreFile::close() {
    for (std::optional<Statement>* statement : {&begin_, &put_, &remove_, &sum_, &commit_})
        statement->reset();
    database_.reset();
}

Result<std::optional<std::string>> StoreFile::kept(const std::string& name) {
    auto row = database_->prepare("SELECT text FROM kept WHERE name = ?1");
    if (!row) return row.error();
    row->bind(1, name);
    const auto found = row->step();
    if (!found) return found.error();
    if (!*found) return std::optional<std::string>();
    return std::optional<std::string>(std::string(row->text(0)));
}

Result<void> StoreFile::keep(const std::string& name, const std::string& text) {
    auto statement =
        database_->prepare("INSERT OR REPLACE INTO kept(name, checksum, text) VALUES(?1, ?2, ?3)");
    if (!statement) return statement.error();
    return statement->bind(1, name).bind(2, as_signed(hash_text(text))).bind(3, text).run();
}

}  // namespace shed
