#include "simulator/measure/history.hpp"

#include "simulator/measure/fields.hpp"

#include <algorithm>
#include <limits>

namespace shed::measure {

namespace {

constexpr double any = std::numeric_limits<double>::lowest();
constexpr std::size_t look_back_min = 5;
constexpr double normal_deviations = 1.4826;  // of one MAD, for normally distributed values

Verdict read_verdict(Fields& from) {
    const std::string name = from.text("verdict");
    const auto verdict = verdict_of(name);
    if (!verdict) from.refuse("unknown verdict \"" + name + "\"");
    return verdict.value_or(Verdict::ok);
}

HistoryRow read_row(const Json& json, Fields& owner) {
    Fields from(json, owner.where() + ": rows");
    HistoryRow row;
    row.bytes = static_cast<std::uint64_t>(from.whole("bytes"));
    row.flow_p50_us = from.number("flow_p50_us");
    row.bare_p50_us = from.number_or("bare_p50_us", 0);
    row.ratio = from.number_or("ratio", 0);
    row.verdict = read_verdict(from);
    if (row.flow_p50_us <= 0) from.refuse("\"flow_p50_us\" must be above 0");
    if (from.error()) owner.refuse_as(*from.error());
    return row;
}

Result<HistoryEntry> read_entry(std::string_view line, const std::string& where) {
    const auto json = parse_json(line);
    if (!json) return Error{Reason::bad_request, where + ": not JSON: " + json.error().message};
    Fields from(*json, where);
    HistoryEntry entry;
    if (const std::string schema = from.text("schema"); !from.error() && schema != history_schema)
        from.refuse("schema \"" + schema + "\", this version reads \"" +
                    std::string(history_schema) + "\"");
    entry.unix_s = from.number("unix_s", any);
    entry.version = from.text("version");
    entry.fingerprint = from.text("fingerprint");
    entry.configuration = from.text("configuration");
    entry.verdict = read_verdict(from);
    for (const Json& row : from.array("rows")) entry.rows.push_back(read_row(row, from));
    if (from.error()) return *from.error();
    return entry;
}

double last_deviations(const std::vector<double>& us) {
    if (us.size() <= look_back_min) return 0;
    const std::span<const double> before(us.data(), us.size() - 1);
    const double deviation = normal_deviations * median_absolute_deviation(before);
    return deviation > 0 ? (us.back() - median(before)) / deviation : 0;
}

}  // namespace

HistoryEntry history_entry(const BenchResult& result) {
    HistoryEntry entry{result.unix_s,
                       result.version,
                       fingerprint(result.machine),
                       configuration_key(result.configuration),
                       result.verdict,
                       {}};
    for (const ResultRow& row : result.rows)
        entry.rows.push_back(
            {row.bytes, row.flow.p50_us, row.bare ? row.bare->p50_us : 0, row.ratio, row.verdict});
    return entry;
}

std::string history_line(const HistoryEntry& entry) {
    Json rows = Json::array();
    for (const HistoryRow& row : entry.rows) {
        rows.push_back({{"bytes", row.bytes},
                        {"flow_p50_us", row.flow_p50_us},
                        {"verdict", verdict_name(row.verdict)}});
        if (row.bare_p50_us > 0) {
            rows.back()["bare_p50_us"] = row.bare_p50_us;
            rows.back()["ratio"] = row.ratio;
        }
    }
    return dump_json({{"schema", history_schema},
                      {"unix_s", entry.unix_s},
                      {"version", entry.version},
                      {"fingerprint", entry.fingerprint},
                      {"configuration", entry.configuration},
                      {"verdict", verdict_name(entry.verdict)},
                      {"rows", std::move(rows)}}) +
           "\n";
}

Result<std::vector<HistoryEntry>> load_history(std::string_view text, std::string_view name) {
    std::vector<HistoryEntry> entries;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto entry = read_entry(line, std::string(name) + ":" + std::to_string(number));
        if (!entry) return entry.error();
        entries.push_back(std::move(*entry));
    }
    return entries;
}

std::vector<HistoryEntry> select(const std::vector<HistoryEntry>& entries,
                                 std::string_view fingerprint, std::string_view configuration) {
    std::vector<HistoryEntry> out;
    for (const HistoryEntry& entry : entries)
        if (entry.fingerprint == fingerprint && entry.configuration == configuration)
            out.push_back(entry);
    std::stable_sort(out.begin(), out.end(), [](const HistoryEntry& a, const HistoryEntry& b) {
        return a.unix_s < b.unix_s;
    });
    return out;
}

Trend trend(const std::vector<HistoryEntry>& entries, std::uint64_t bytes) {
    Trend out;
    out.bytes = bytes;
    std::vector<double> us, index;
    for (const HistoryEntry& entry : entries)
        for (const HistoryRow& row : entry.rows) {
            if (row.bytes != bytes) continue;
            out.points.push_back(
                {entry.unix_s, row.flow_p50_us, row.ratio, row.verdict, entry.version});
            index.push_back(static_cast<double>(us.size()));
            us.push_back(row.flow_p50_us);
        }
    if (us.size() > 1) out.slope_per_entry = theil_sen_slope(index, us) / median(us);
    out.last_deviations = last_deviations(us);
    return out;
}

}  // namespace shed::measure
