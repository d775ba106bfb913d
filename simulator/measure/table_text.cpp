#include "simulator/measure/table_text.hpp"

#include "simulator/measure/text.hpp"

#include <algorithm>

namespace shed::measure {

namespace {

constexpr std::size_t width_max = 100;

enum class Align { left, right };

// Columns as wide as their widest cell, two spaces between.
class Table {
public:
    explicit Table(std::vector<std::pair<std::string, Align>> columns) {
        std::vector<std::string> names;
        for (auto& [name, align] : columns) {
            names.push_back(std::move(name));
            aligns_.push_back(align);
        }
        add(std::move(names));
    }

    void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }

    std::string text() const {
        std::vector<std::size_t> widths(aligns_.size(), 0);
        for (const auto& line : lines_)
            for (std::size_t i = 0; i < line.size(); ++i)
                widths[i] = std::max(widths[i], text_width(line[i]));
        std::string out;
        for (const auto& line : lines_) {
            std::string row;
            for (std::size_t i = 0; i < line.size(); ++i) {
                const std::string space(widths[i] - text_width(line[i]), ' ');
                row += (i == 0 ? "" : "  ") +
                       (aligns_[i] == Align::right ? space + line[i] : line[i] + space);
            }
            row.erase(row.find_last_not_of(' ') + 1);
            out += row + "\n";
        }
        return out;
    }

private:
    std::vector<Align> aligns_;
    std::vector<std::vector<std::string>> lines_;
};

// Breaks at spaces; further lines are indented.
std::string wrapped(const std::string& text, const std::string& first, const std::string& indent) {
    std::string out, line = first;
    bool empty = true;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string word = text.substr(at, end - at);
        if (!empty && text_width(line) + 1 + text_width(word) > width_max) {
            out += line + "\n";
            line = indent;
            empty = true;
        }
        line += (empty ? "" : " ") + word;
        empty = false;
        at = end + 1;
    }
    return out + line + "\n";
}

std::string list(const std::string& title, const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts)
        out += wrapped(printable(text), title, std::string(text_width(title), ' '));
    return out;
}

std::string runs_text(const Side& side) {
    const auto used = std::count_if(side.runs.begin(), side.runs.end(),
                                    [](const RunFigures& run) { return run.left_out.empty(); });
    return std::to_string(used) + "/" + std::to_string(side.runs.size());
}

std::string headline(const BenchResult& result) {
    const Configuration& how = result.configuration;
    std::string transports;
    for (const std::string& name : how.transports)
        transports += (transports.empty() ? "" : "+") + name;
    std::string out = how.benchmark + ", " + count_text(how.ranks, "rank") + " on " +
                      count_text(static_cast<std::int64_t>(how.ranks_per_host.size()), "host") +
                      ", " + count_text(result.machine.cores, "core") + ", " + how.dtype + " " +
                      how.op;
    if (!transports.empty()) out += ", " + transports;
    // "Open MPI v4.1.4, package: ..." by its first part.
    const std::string& mpi = result.machine.mpi;
    if (!mpi.empty()) out += ", " + mpi.substr(0, mpi.find(','));
    out += how.pacing.empty() ? ", raw" : ", paced to " + how.pacing;
    return wrapped(printable(out), "", "  ");
}

std::string ratio_interval(const ResultRow& row) {
    return figure(row.ratio_interval.low, 3) + "-" + figure(row.ratio_interval.high, 3);
}

std::string verdict_lines(Verdict verdict, const std::vector<std::string>& reasons) {
    return "verdict: " + std::string(verdict_name(verdict)) + "\n" + list("  ", reasons);
}

}  // namespace

std::string table_text(const BenchResult& result) {
    using enum Align;
    const bool bare = std::any_of(result.rows.begin(), result.rows.end(),
                                  [](const ResultRow& row) { return row.bare.has_value(); });
    std::vector<std::pair<std::string, Align>> columns{
        {"size", right}, {"runs", right}, {"flow", right}, {"MAD", right}};
    if (bare)
        columns.insert(columns.end(), {{"bare", right}, {"bare/flow", right}, {"95 %", right}});
    columns.insert(columns.end(), {{"busbw", right}, {"wrong", right}, {"verdict", left}});
    Table table(std::move(columns));
    for (const ResultRow& row : result.rows) {
        std::vector<std::string> cells{size_text(row.bytes), runs_text(row.flow),
                                       time_text(row.flow.p50_us), time_text(row.flow.mad_us)};
        if (bare && row.bare)
            cells.insert(cells.end(),
                         {time_text(row.bare->p50_us), figure(row.ratio, 3), ratio_interval(row)});
        else if (bare) cells.insert(cells.end(), {"-", "-", "-"});
        cells.insert(cells.end(), {bandwidth_text(row.flow.busbw_GBps), std::to_string(row.wrong),
                                   std::string(verdict_name(row.verdict))});
        table.add(std::move(cells));
    }
    return headline(result) + table.text() + list("note: ", result.notes) +
           verdict_lines(result.verdict, result.reasons);
}

std::string table_text(const Comparison& comparison) {
    using enum Align;
    Table table({{"name", left},
                 {"before", right},
                 {"after", right},
                 {"change", right},
                 {"95 %", right},
                 {"p", right},
                 {"verdict", left}});
    for (const ComparedRow& row : comparison.rows) {
        const Judgement& judged = row.judgement;
        table.add({printable(row.name), time_text(judged.reference_us),
                   time_text(judged.measured_us), signed_percent_text(judged.change),
                   signed_percent_text(judged.change_interval.low) + " " +
                       signed_percent_text(judged.change_interval.high),
                   p_text(judged.p_adjusted), std::string(verdict_name(judged.verdict))});
    }
    return table.text() + list("warning: ", comparison.warnings) +
           verdict_lines(comparison.verdict, comparison.reasons);
}

}  // namespace shed::measure
