#include "simulator/measure/google_benchmark.hpp"

#include "simulator/measure/fields.hpp"
#include "simulator/measure/text.hpp"

#include <array>
#include <cmath>
#include <map>
#include <numeric>

namespace shed::measure {

namespace {

constexpr int json_schema_version = 1;

struct Unit {
    std::string_view name;
    double us;
};
constexpr std::array units{Unit{"ns", 1e-3}, Unit{"us", 1}, Unit{"ms", 1e3}, Unit{"s", 1e6}};

struct Aggregate {
    const char* name;
    const char* unit;
    double value;
};

std::vector<Aggregate> aggregates(const std::vector<double>& us) {
    const auto n = static_cast<double>(us.size());
    const double mean = std::accumulate(us.begin(), us.end(), 0.0) / n;
    double squares = 0;
    for (const double value : us) squares += (value - mean) * (value - mean);
    const double deviation =
        us.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;  // as src/statistics.cc: of a sample
    return {{"mean", "time", mean},
            {"median", "time", median(us)},
            {"stddev", "time", deviation},
            {"cv", "percentage", deviation / mean}};
}

struct Family {
    std::string name;
    int index = 0;
    std::uint64_t bytes = 0;
};

Json entry(const Family& family, std::size_t repetitions, const char* type, double real_time) {
    return {{"name", family.name},
            {"family_index", family.index},
            {"per_family_instance_index", 0},
            {"run_name", family.name},
            {"run_type", type},
            {"repetitions", repetitions},
            {"threads", 1},
            {"real_time", real_time},
            {"cpu_time", 0.0},
            {"time_unit", "us"}};
}

void add_side(Json& out, const Family& family, const Side& side) {
    std::vector<double> us;
    for (const RunFigures& run : side.runs)
        if (run.left_out.empty()) us.push_back(run.p50_us);
    std::size_t index = 0;
    for (const RunFigures& run : side.runs) {
        if (!run.left_out.empty()) continue;
        Json repetition = entry(family, us.size(), "iteration", run.p50_us);
        repetition["repetition_index"] = index++;
        repetition["iterations"] = run.iterations;
        repetition["bytes_per_second"] = static_cast<double>(family.bytes) / run.p50_us * 1e6;
        out.push_back(std::move(repetition));
    }
    if (us.empty()) return;
    for (const Aggregate& aggregate : aggregates(us)) {
        Json line = entry(family, us.size(), "aggregate", aggregate.value);
        line["name"] = family.name + "_" + aggregate.name;
        line["aggregate_name"] = aggregate.name;
        line["aggregate_unit"] = aggregate.unit;
        line["iterations"] = us.size();
        out.push_back(std::move(line));
    }
}

Json context(const BenchResult& result) {
    Json out = {{"date", utc_text(result.unix_s)},
                {"executable", result.command},
                {"num_cpus", result.machine.cores},
                {"load_avg", {result.machine.load_before}},
                {"json_schema_version", json_schema_version},
                {"library_version", "trainshed " + result.version},
                {"cpu_model", result.machine.cpu_model},
                {"fingerprint", fingerprint(result.machine)}};
    for (const auto& [name, text] : fields_of(result.configuration)) out[name] = text;
    return out;
}

// What a file says of one benchmark before it is known whether it has repetitions.
struct Found {
    std::vector<double> repetitions;
    std::map<std::string, double> aggregates;
};

double read_us(Fields& from) {
    const double time = from.number("real_time");
    const std::string unit = from.text_or("time_unit", "ns");
    for (const Unit& known : units)
        if (unit == known.name) return time * known.us;
    from.refuse("unknown time_unit \"" + unit + "\"");
    return 0;
}

void read_entry(Fields& from, std::vector<std::string>& order,
                std::map<std::string, Found>& found) {
    if (from.has("error_occurred") || from.has("skipped") || from.has("big_o") || from.has("rms"))
        return;
    const std::string type = from.text_or("run_type", "iteration");
    const std::string name = from.has("run_name") ? from.text("run_name") : from.text("name");
    const bool aggregate = type == "aggregate";
    const std::string which = aggregate ? from.text("aggregate_name") : "";
    if (aggregate && from.text_or("aggregate_unit", "time") != "time") return;
    const double us = read_us(from);
    if (from.error() || us <= 0) return;
    if (!found.contains(name)) order.push_back(name);
    if (aggregate) found[name].aggregates[which] = us;
    else found[name].repetitions.push_back(us);
}

std::vector<double> chosen(const Found& found) {
    if (!found.repetitions.empty()) return found.repetitions;
    for (const char* name : {"median", "mean"})
        if (const auto at = found.aggregates.find(name); at != found.aggregates.end())
            return {at->second};
    return {};
}

}  // namespace

Json to_google_benchmark(const BenchResult& result) {
    Json benchmarks = Json::array();
    int index = 0;
    for (const ResultRow& row : result.rows) {
        const std::string size = std::to_string(row.bytes);
        const std::string benchmark = result.configuration.benchmark;
        add_side(benchmarks, {benchmark + "/flow/" + size, index++, row.bytes}, row.flow);
        if (row.bare)
            add_side(benchmarks, {benchmark + "/bare/" + size, index++, row.bytes}, *row.bare);
    }
    return {{"context", context(result)}, {"benchmarks", std::move(benchmarks)}};
}

Result<std::vector<Series>> parse_google_benchmark(std::string_view text, std::string_view name) {
    const std::string where(name);
    const auto json = parse_json(text);
    if (!json) return Error{Reason::bad_request, where + ": not JSON: " + json.error().message};
    Fields file(*json, where);
    Fields about(file.object("context"), where + ": context");
    if (const auto version =
            about.has("json_schema_version") ? about.whole("json_schema_version") : 1;
        version != json_schema_version)
        about.refuse("json_schema_version " + std::to_string(version) + ", this version reads 1");
    std::vector<std::string> order;
    std::map<std::string, Found> found;
    std::size_t index = 0;
    for (const Json& benchmark : file.array("benchmarks")) {
        Fields from(benchmark, where + ": benchmarks[" + std::to_string(index++) + "]");
        read_entry(from, order, found);
        if (from.error()) file.refuse_as(*from.error());
    }
    if (about.error()) return *about.error();
    if (file.error()) return *file.error();
    std::vector<Series> all;
    for (const std::string& benchmark : order)
        if (auto us = chosen(found[benchmark]); !us.empty())
            all.push_back({benchmark, std::move(us)});
    return all;
}

}  // namespace shed::measure
