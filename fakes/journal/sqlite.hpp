#pragma once
// SQLite as this module uses it: a connection and prepared statements that close themselves, and
// its errors as values.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace shed {

class Statement {
public:
    Statement& bind(int place,
                    std::string_view text);  // places count from 1; the text must live until run()
    Statement& bind(int place, std::int64_t number);
    // The next row: true; the end: false, and the statement can be bound again.
    Result<bool> step();
    Result<void> run();                       // one that gives no rows
    std::int64_t number(int column) const;    // columns count from 0
    std::string_view text(int column) const;  // valid until the next step

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
public:
    // Makes the file where there is none. `vfs`: the name of a registered sqlite3_vfs, "" for the
    // system's.
    static Result<Database> open(const std::string& path, const std::string& vfs);
    Result<void> execute(const std::string& sql);
    Result<Statement> prepare(std::string_view sql);
    Result<std::int64_t> number(std::string_view sql);  // the first column of the first row
    Result<std::string> text(std::string_view sql);
    // Whether the last error says that there is no room (SQLITE_FULL, or ENOSPC beneath another
    // error).
    bool is_full() const;
    bool in_transaction() const;
    // Moves the write-ahead log's pages into the file and cuts the log to nothing.
    Result<void> checkpoint();

private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    explicit Database(sqlite3* connection) : connection_(connection) {}
    std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace shed
