// The document trainshed.bench/v1, written and read.
#include "simulator/measure/fields.hpp"
#include "simulator/measure/result.hpp"

#include <limits>

namespace shed::measure {

namespace {

constexpr double any = std::numeric_limits<double>::lowest();

Json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

Json side_json(const Side& side) {
    Json runs = Json::array();
    for (const RunFigures& run : side.runs) {
        Json out = {{"p50_us", run.p50_us},
                    {"p95_us", run.p95_us},
                    {"iterations", run.iterations},
                    {"wrong", run.wrong},
                    {"other_cpu_share", run.other_cpu_share},
                    {"infeasible_share", run.infeasible_share}};
        if (!run.left_out.empty()) out["left_out"] = run.left_out;
        runs.push_back(std::move(out));
    }
    return {{"runs", std::move(runs)},      {"p50_us", side.p50_us},
            {"mad_us", side.mad_us},        {"min_us", side.min_us},
            {"p10_us", side.p10_us},        {"p90_us", side.p90_us},
            {"samples", side.samples},      {"algbw_GBps", side.algbw_GBps},
            {"busbw_GBps", side.busbw_GBps}};
}

// The names that scripts rely on come first; what a row repeats of the configuration is for them.
Json row_json(const ResultRow& row, const Configuration& configuration) {
    std::string transport;
    for (const std::string& name : configuration.transports)
        transport += (transport.empty() ? "" : "+") + name;
    Json out = {{"bytes", row.bytes},
                {"dtype", configuration.dtype},
                {"backend", configuration.backend},
                {"transport", transport},
                {"flow_p50_us", row.flow.p50_us},
                {"wrong", row.wrong},
                {"count", row.count},
                {"flow", side_json(row.flow)},
                {"verdict", verdict_name(row.verdict)},
                {"reason", row.reason}};
    if (row.target_us > 0) out["target_us"] = row.target_us;
    if (!row.bare) return out;
    out["bare_p50_us"] = row.bare->p50_us;
    out["bare"] = side_json(*row.bare);
    out["ratio"] = row.ratio;
    out["ratio_interval"] = interval_json(row.ratio_interval);
    out["change"] = row.change;
    out["change_interval"] = interval_json(row.change_interval);
    out["p_adjusted"] = row.p_adjusted;
    return out;
}

Json configuration_json(const Configuration& from) {
    return {{"benchmark", from.benchmark},
            {"tier", tier_name(from.tier)},
            {"ranks", from.ranks},
            {"ranks_per_host", from.ranks_per_host},
            {"backend", from.backend},
            {"dtype", from.dtype},
            {"op", from.op},
            {"in_place", from.in_place},
            {"timing", from.timing},
            {"transports", from.transports},
            {"yield_when_idle", from.yield_when_idle},
            {"binding", from.binding},
            {"single_copy", from.single_copy},
            {"algorithm", from.algorithm},
            {"pacing", from.pacing}};
}

Json machine_json(const MachineFacts& machine) {
    return {{"cpu_model", machine.cpu_model},
            {"cores", machine.cores},
            {"memory_bytes", machine.memory_bytes},
            {"kernel", machine.kernel},
            {"gpu", machine.gpu},
            {"mpi", machine.mpi},
            {"governor", machine.governor},
            {"load_before", machine.load_before},
            {"load_after", machine.load_after},
            {"fingerprint", fingerprint(machine)}};
}

Json launch_json(const std::vector<Launch>& launches) {
    Json out = Json::object();
    for (const Launch& launch : launches) {
        Json stages = Json::array();
        for (const Stage& stage : launch.stages)
            stages.push_back({{"name", stage.name}, {"seconds", stage.seconds}});
        out[launch.label] = std::move(stages);
    }
    return out;
}

Json noise_json(const std::vector<NoiseEntry>& noise) {
    Json out = Json::array();
    for (const NoiseEntry& entry : noise)
        out.push_back({{"side", entry.side},
                       {"pair", entry.pair},
                       {"unix_s", entry.unix_s},
                       {"seconds", entry.seconds},
                       {"other_cpu_share", entry.other_cpu_share},
                       {"infeasible_share", entry.infeasible_share},
                       {"pressure_share", entry.pressure_share},
                       {"sizes_left_out", entry.sizes_left_out}});
    return out;
}

Json thresholds_json(const Thresholds& from) {
    return {{"alpha", from.alpha},
            {"paced_tolerance", from.paced_tolerance},
            {"infeasible_share_max", from.infeasible_share_max},
            {"raw_tolerance", from.raw_tolerance},
            {"raw_deviations", from.raw_deviations},
            {"other_cpu_share_max", from.other_cpu_share_max},
            {"pressure_share_max", from.pressure_share_max},
            {"raw_runs_min", from.raw_runs_min},
            {"paced_runs_min", from.paced_runs_min},
            {"calls_fixed", from.calls_fixed},
            {"confidence", from.bootstrap.confidence},
            {"resamples", from.bootstrap.resamples},
            {"seed", from.bootstrap.seed}};
}

// Reads an object that is a member of `from`; its first error becomes that of `from`.
template <class Read>
auto nested(Fields& from, const Json& object, std::string_view name, Read read) {
    Fields fields(object, from.where() + ": " + std::string(name));
    auto value = read(fields);
    if (fields.error()) from.refuse_as(*fields.error());
    return value;
}

template <class Read>
auto nested_list(Fields& from, std::string_view name, Read read) {
    std::vector<decltype(read(from))> out;
    for (const Json& object : from.array(name)) {
        const std::string which = std::string(name) + "[" + std::to_string(out.size()) + "]";
        out.push_back(nested(from, object, which, read));
    }
    return out;
}

Interval read_interval(Fields& from, std::string_view name) {
    const std::vector<double> ends = from.numbers(name, any);
    if (ends.size() == 2) return {ends[0], ends[1]};
    from.refuse("\"" + std::string(name) + "\" is not a list of two numbers");
    return {};
}

Verdict read_verdict(Fields& from) {
    const std::string name = from.text("verdict");
    const auto verdict = verdict_of(name);
    if (!verdict) from.refuse("unknown verdict \"" + name + "\"");
    return verdict.value_or(Verdict::ok);
}

RunFigures read_run(Fields& from) {
    return {from.number("p50_us"),          from.number("p95_us"),
            from.whole("iterations"),       from.whole("wrong"),
            from.number("other_cpu_share"), from.number("infeasible_share"),
            from.text_or("left_out", "")};
}

Side read_side(Fields& from) {
    Side side;
    side.runs = nested_list(from, "runs", read_run);
    side.p50_us = from.number("p50_us");
    side.mad_us = from.number("mad_us");
    side.min_us = from.number("min_us");
    side.p10_us = from.number("p10_us");
    side.p90_us = from.number("p90_us");
    side.samples = static_cast<std::size_t>(from.whole("samples"));
    side.algbw_GBps = from.number("algbw_GBps");
    side.busbw_GBps = from.number("busbw_GBps");
    if (side.p50_us <= 0) from.refuse("\"p50_us\" must be above 0");
    return side;
}

ResultRow read_row(Fields& from) {
    ResultRow row;
    row.bytes = static_cast<std::uint64_t>(from.whole("bytes"));
    row.count = static_cast<std::uint64_t>(from.whole("count"));
    row.flow = nested(from, from.object("flow"), "flow", read_side);
    row.wrong = from.whole("wrong");
    row.verdict = read_verdict(from);
    row.reason = from.text_or("reason", "");
    row.target_us = from.has("target_us") ? from.number("target_us") : 0;
    if (!from.has("bare")) return row;
    row.bare = nested(from, from.object("bare"), "bare", read_side);
    row.ratio = from.number("ratio");
    row.ratio_interval = read_interval(from, "ratio_interval");
    row.change = from.number("change", any);
    row.change_interval = read_interval(from, "change_interval");
    row.p_adjusted = from.number("p_adjusted");
    return row;
}

Configuration read_configuration(Fields& from) {
    Configuration out;
    out.benchmark = from.text("benchmark");
    const std::string tier = from.text("tier");
    if (tier != tier_name(Tier::raw) && tier != tier_name(Tier::paced))
        from.refuse("unknown tier \"" + tier + "\"");
    out.tier = tier == tier_name(Tier::paced) ? Tier::paced : Tier::raw;
    out.ranks = from.count("ranks", 1);
    for (const double ranks : from.numbers("ranks_per_host", 1))
        out.ranks_per_host.push_back(static_cast<int>(std::min(ranks, 1e9)));
    out.backend = from.text("backend");
    out.dtype = from.text("dtype");
    out.op = from.text("op");
    out.in_place = from.boolean("in_place");
    out.timing = from.text("timing");
    out.transports = from.texts("transports");
    out.yield_when_idle = from.boolean("yield_when_idle");
    out.binding = from.text("binding");
    out.single_copy = from.text("single_copy");
    out.algorithm = from.text("algorithm");
    out.pacing = from.text("pacing");
    return out;
}

MachineFacts read_machine(Fields& from) {
    MachineFacts machine;
    machine.cpu_model = from.text("cpu_model");
    machine.cores = from.count("cores");
    machine.memory_bytes = static_cast<std::uint64_t>(from.whole("memory_bytes"));
    machine.kernel = from.text("kernel");
    machine.gpu = from.text("gpu");
    machine.mpi = from.text("mpi");
    machine.governor = from.text_or("governor", "");
    machine.load_before = from.number_or("load_before", 0);
    machine.load_after = from.number_or("load_after", 0);
    return machine;
}

Stage read_stage(Fields& from) { return {from.text("name"), from.number("seconds")}; }

// The flow's first, as it is measured and shown.
std::vector<Launch> read_launches(Fields& from) {
    std::vector<Launch> out;
    for (const char* label : {"flow", "bare"})
        if (from.has(label)) out.push_back({label, nested_list(from, label, read_stage)});
    return out;
}

NoiseEntry read_noise(Fields& from) {
    return {from.text("side"),
            from.count("pair"),
            from.number("unix_s", any),
            from.number("seconds"),
            from.number("other_cpu_share"),
            from.number("infeasible_share"),
            from.number("pressure_share"),
            from.count("sizes_left_out")};
}

Thresholds read_thresholds(Fields& from) {
    Thresholds out;
    out.alpha = from.number("alpha");
    out.paced_tolerance = from.number("paced_tolerance");
    out.infeasible_share_max = from.number("infeasible_share_max");
    out.raw_tolerance = from.number("raw_tolerance");
    out.raw_deviations = from.number("raw_deviations");
    out.other_cpu_share_max = from.number("other_cpu_share_max");
    out.pressure_share_max = from.number("pressure_share_max");
    out.raw_runs_min = from.count("raw_runs_min");
    out.paced_runs_min = from.count("paced_runs_min");
    out.calls_fixed = from.boolean("calls_fixed");
    out.bootstrap.confidence = from.number("confidence");
    out.bootstrap.resamples = from.count("resamples", 1);
    out.bootstrap.seed = static_cast<std::uint64_t>(from.whole("seed"));
    return out;
}

}  // namespace

Json to_json(const BenchResult& result) {
    Json rows = Json::array();
    for (const ResultRow& row : result.rows) rows.push_back(row_json(row, result.configuration));
    return {{"schema", result_schema},
            {"command", result.command},
            {"version", result.version},
            {"unix_s", result.unix_s},
            {"configuration", configuration_json(result.configuration)},
            {"machine", machine_json(result.machine)},
            {"launch", launch_json(result.launch)},
            {"rows", std::move(rows)},
            {"noise", noise_json(result.noise)},
            {"notes", result.notes},
            {"thresholds", thresholds_json(result.thresholds)},
            {"verdict", verdict_name(result.verdict)},
            {"reasons", result.reasons}};
}

std::string result_text(const BenchResult& result) {
    return to_json(result).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<BenchResult> parse_result(std::string_view text, std::string_view name) {
    const std::string where(name);
    const auto json = parse_json(text);
    if (!json) return Error{Reason::bad_request, where + ": not JSON: " + json.error().message};
    Fields from(*json, where);
    if (const std::string schema = from.text("schema"); !from.error() && schema != result_schema)
        from.refuse("schema \"" + schema + "\", this version reads \"" +
                    std::string(result_schema) + "\"");
    if (from.error()) return *from.error();
    BenchResult out;
    out.command = from.text("command");
    out.version = from.text("version");
    out.unix_s = from.number("unix_s", any);
    out.configuration =
        nested(from, from.object("configuration"), "configuration", read_configuration);
    out.machine = nested(from, from.object("machine"), "machine", read_machine);
    out.launch = nested(from, from.object("launch"), "launch", read_launches);
    out.rows = nested_list(from, "rows", read_row);
    out.noise = nested_list(from, "noise", read_noise);
    out.notes = from.texts("notes");
    out.thresholds = nested(from, from.object("thresholds"), "thresholds", read_thresholds);
    out.verdict = read_verdict(from);
    out.reasons = from.texts("reasons");
    if (from.error()) return *from.error();
    return out;
}

}  // namespace shed::measure
