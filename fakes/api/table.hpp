#pragma once
// Inside fakes/api: what kubectl's columns are made of. One printer per kind, as pkg/printers has them.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

struct Column {
    std::string_view name;
    int priority = 0;  // 1: only with -o wide
    std::string_view format = {};
    std::string_view type = "string";
};

struct Row {
    std::vector<Json> cells;
    Json conditions = nullptr;  // Pods that ended: kubectl may hide them
};

struct Printer {
    std::vector<Column> columns;
    Row (*row)(const Object& object, Time now);
};

const Printer& printer_of(const Kind& kind);

// table_pods.cpp, table_workloads.cpp, table_core.cpp, table_other.cpp
std::optional<Printer> pod_printer(const Kind& kind);
std::optional<Printer> workload_printer(const Kind& kind);
std::optional<Printer> core_printer(const Kind& kind);
std::optional<Printer> other_printer(const Kind& kind);

// ---- cells
std::string age_of(const Object& object, Time now);
std::string since_text(const Json& timestamp, Time now);  // "<unknown>" when unset
std::string or_none(std::string text);                    // "<none>" when empty
std::string comma_list(const Json& array, std::string_view member_name);
std::string selector_text(const Json& label_selector);  // "a=b,c in (d)"; "<none>" when empty
std::string label_map_text(const Json& labels);         // "a=b,c=d"; "<none>" when empty

}  // namespace shed
