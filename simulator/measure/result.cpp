#include "simulator/measure/result.hpp"

#include "simulator/measure/text.hpp"

#include <nlohmann/json.hpp>

namespace shed::measure {

namespace {

// Full precision, as JSON writes it: what is read back is what was measured.
std::string number(double value) { return nlohmann::json(value).dump(); }

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const std::string& field : fields) line += (line.empty() ? "" : ",") + csv_field(field);
    return line + "\r\n";
}

std::string side_line(const ResultRow& row, const std::string& name, const Side& side) {
    std::string runs;
    for (const RunFigures& run : side.runs) runs += (runs.empty() ? "" : " ") + number(run.p50_us);
    return csv_line({std::to_string(row.bytes), std::to_string(row.count), name,
                     std::to_string(side.runs.size()), number(side.p50_us), number(side.mad_us),
                     number(side.min_us), number(side.p10_us), number(side.p90_us),
                     number(side.algbw_GBps), number(side.busbw_GBps),
                     row.bare ? number(row.ratio) : "", std::to_string(row.wrong),
                     std::string(verdict_name(row.verdict)), runs});
}

bool same_stages(const Launch& a, const Launch& b) {
    return std::equal(a.stages.begin(), a.stages.end(), b.stages.begin(), b.stages.end(),
                      [](const Stage& x, const Stage& y) { return x.name == y.name; });
}

}  // namespace

Launch median_launch(const std::vector<Launch>& launches) {
    if (launches.empty()) return {};
    Launch out = launches[0];
    for (std::size_t i = 0; i < out.stages.size(); ++i) {
        std::vector<double> seconds;
        for (const Launch& launch : launches)
            if (same_stages(out, launch)) seconds.push_back(launch.stages[i].seconds);
        out.stages[i].seconds = median(seconds);
    }
    return out;
}

std::string to_csv(const BenchResult& result) {
    std::string out = csv_line({"bytes", "count", "side", "runs", "p50_us", "mad_us", "min_us",
                                "p10_us", "p90_us", "algbw_GBps", "busbw_GBps", "ratio", "wrong",
                                "verdict", "runs_p50_us"});
    for (const ResultRow& row : result.rows) {
        out += side_line(row, "flow", row.flow);
        if (row.bare) out += side_line(row, "bare", *row.bare);
    }
    return out;
}

}  // namespace shed::measure
