#include "bench/allreduce/lines.hpp"

#include <cmath>

namespace allreduce {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t sample_line_bytes_max = 4000;

// Nanoseconds are the clock's resolution.
double rounded(double value) { return std::round(value * 1e3) / 1e3; }

double significant(double value) {
    if (value == 0 || !std::isfinite(value)) return 0;
    const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
    return std::round(value * scale) / scale;
}

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json hosts_json(const std::vector<Host>& hosts) {
    Json list = Json::array();
    for (const Host& host : hosts) list.push_back({{"name", host.name}, {"ranks", host.ranks}});
    return list;
}

Json mca_json(const std::vector<McaParameter>& parameters) {
    Json list = Json::array();
    for (const McaParameter& parameter : parameters)
        list.push_back(
            {{"name", parameter.name}, {"value", parameter.value}, {"source", parameter.source}});
    return list;
}

// Drops entries from the longest of the lists, and says how many, until the line is short enough.
std::string shortened(Json line) {
    std::string text = dumped(line);
    while (text.size() > line_bytes_max) {
        std::string longest;
        std::size_t most = 0;
        for (const char* key : {"mca", "hosts", "argv"}) {
            const std::size_t size = dumped(line[key]).size();
            if (!line[key].empty() && size > most) longest = key, most = size;
        }
        if (longest.empty()) break;
        Json& list = line[longest];
        list.erase(list.size() - 1);
        const std::string left_out = longest + "_left_out";
        line[left_out] = line.value(left_out, 0) + 1;
        text = dumped(line);
    }
    return text;
}

}  // namespace

std::string run_line(const Options& options, const RunFacts& facts) {
    Json line = {{"allreduce", "run"}, {"schema", 1}, {"ranks", facts.ranks}};
    line["hosts"] = hosts_json(facts.hosts);
    line["backend"] = name(options.backend);
    line["dtype"] = allreduce::facts(options.dtype).name;
    line["op"] = name(options.op);
    line["in_place"] = options.in_place;
    line["timing"] = name(options.timing);
    line["warmup"] = options.warmup;
    line["iterations"] = options.iterations;
    line["budget_s"] = options.budget_s;
    line["delay_percent"] = options.delay_percent;
    line["mpi"] = facts.mpi;
    line["transports"] = facts.transports;
    line["single_copy"] = facts.single_copy;
    line["yield_when_idle"] = facts.yield_when_idle;
    line["binding"] = facts.binding;
    line["mca"] = mca_json(facts.mca);
    line["cores"] = facts.cores;
    line["cpus_allowed"] = facts.cpus_allowed;
    line["algorithm"] = facts.algorithm;
    line["unix_s"] = facts.unix_s;
    line["mpi_init_s"] = facts.mpi_init_s;
    line["init_done_unix_s"] = facts.init_done_unix_s;
    line["first_collective_s"] = facts.first_collective_s;
    line["argv"] = facts.argv;
    line.update(facts.extra);
    return shortened(std::move(line));
}

std::string row_line(const Row& row) {
    const Summary us = row.summary();
    const Bandwidth speed =
        bandwidth(static_cast<double>(row.problem.bytes()), row.time_us(), row.problem.ranks);
    Json line = {
        {"allreduce", "row"}, {"bytes", row.problem.bytes()}, {"count", row.problem.count}};
    line["dtype"] = facts(row.problem.dtype).name;
    line["op"] = name(row.problem.op);
    line["in_place"] = row.problem.in_place;
    line["iterations"] = row.samples_us.size();
    line["wrong"] = row.wrong;
    line["us"] = {{"min", rounded(us.min)}, {"p50", rounded(us.p50)}, {"p95", rounded(us.p95)},
                  {"p99", rounded(us.p99)}, {"mad", rounded(us.mad)}, {"mean", rounded(us.mean)}};
    line["algbw_GBps"] = significant(speed.algorithm);
    line["busbw_GBps"] = significant(speed.bus);
    line["other_cpu_share"] = rounded(row.other_cpu_share);
    line["infeasible"] = significant(row.infeasible);
    if (row.target_us) line["target_us"] = rounded(*row.target_us);
    line.update(row.extra);
    return dumped(line);
}

std::vector<std::string> sample_lines(const Row& row) {
    std::vector<std::string> lines;
    std::string open;
    for (std::size_t i = 0; i < row.samples_us.size(); ++i) {
        const std::string number = Json(rounded(row.samples_us[i])).dump();
        if (!open.empty() && open.size() + number.size() + 3 > sample_line_bytes_max) {
            lines.push_back(open + "]}");
            open.clear();
        }
        if (open.empty()) {
            const Json head = {
                {"allreduce", "samples"}, {"bytes", row.problem.bytes()}, {"first", i}};
            open = head.dump();
            open.back() = ',';
            open += "\"us\":[" + number;
        } else {
            open += "," + number;
        }
    }
    if (!open.empty()) lines.push_back(open + "]}");
    return lines;
}

std::string end_line(std::size_t wrong, double seconds) {
    const Json line = {{"allreduce", "end"}, {"wrong", wrong}, {"seconds", rounded(seconds)}};
    return line.dump();
}

}  // namespace allreduce
