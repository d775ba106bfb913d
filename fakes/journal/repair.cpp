#include "fakes/journal/repair.hpp"

#include "fakes/base/rng.hpp"
#include "fakes/journal/store_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// More writes than a torn log can have hidden.
constexpr ResourceVersion margin = 1'000'000;

// A row's object, or nullptr when it is not what was written.
ObjectPtr whole_object(std::string_view text, std::int64_t checksum) {
    if (static_cast<std::int64_t>(hash_text(text)) != checksum) return nullptr;
    auto dom = parse_json(text);
    if (!dom || string_at(*dom, "metadata.name").empty()) return nullptr;
    if (find_kind_by_name(string_at(*dom, "apiVersion"), string_at(*dom, "kind")) == nullptr)
        return nullptr;
    return Object::make(std::move(*dom));
}

// From both ends, each until a page cannot be read.
void collect(Database& database, std::map<Key, ObjectPtr>& whole, std::size_t& damaged) {
    for (const char* order : {"ASC", "DESC"}) {
        auto rows = database.prepare("SELECT checksum, object FROM objects ORDER BY rowid " +
                                     std::string(order));
        bool ended = !rows;
        while (!ended) {
            const auto row = rows->step();
            if (!row || !*row) {
                if (row) return;  // the other end was reached
                break;
            }
            const ObjectPtr object = whole_object(rows->text(1), rows->number(0));
            if (object) whole.emplace(object->key(), object);
            else ++damaged;
        }
    }
}

ResourceVersion stated_version(Database& database) {
    auto row = database.prepare("SELECT version, objects, digest, checksum FROM totals");
    if (!row) return 0;
    const auto found = row->step();
    if (!found || !*found) return 0;
    StoreFile::Totals totals;
    totals.version = static_cast<ResourceVersion>(row->number(0));
    totals.objects = row->number(1);
    totals.digest = static_cast<std::uint64_t>(row->number(2));
    return is_whole(totals, row->number(3)) ? totals.version : 0;
}

Result<void> move_aside(const std::string& path, const std::string& aside) {
    for (const char* suffix : {"-wal", ""}) {
        const std::string from = path + suffix, to = aside + suffix;
        if (::access(to.c_str(), F_OK) == 0)
            return Error{Reason::conflict, to + " is there already; move it away first"};
        if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT)
            return Error{Reason::environment,
                         "cannot rename " + from + ": " + std::strerror(errno)};
    }
    return {};
}

}  // namespace

Result<Repaired> repair_store(const std::string& path) {
    Repaired repaired;
    repaired.aside = path + ".damaged";
    if (auto moved = move_aside(path, repaired.aside); !moved) return moved.error();
    std::map<Key, ObjectPtr> whole;
    {
        auto old = Database::open(repaired.aside, "");
        if (!old) return old.error();
        static_cast<void>(old->execute("PRAGMA locking_mode = EXCLUSIVE"));
        collect(*old, whole, repaired.damaged);
        repaired.version = stated_version(*old);
    }
    std::vector<StoreEvent> batch;
    for (const auto& [key, object] : whole) {
        repaired.version = std::max(repaired.version, object->resource_version());
        batch.push_back({StoreEvent::Type::added, object, nullptr});
    }
    repaired.version += margin;
    repaired.kept = batch.size();
    auto fresh = StoreFile::open(path);
    if (!fresh) return fresh.error();
    if (auto written = fresh->commit(batch, repaired.version); !written) return written.error();
    return repaired;
}

}  // namespace shed
