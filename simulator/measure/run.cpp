// The JSON lines of a benchmark run: "run", then any "row" and "samples", then "end".
#include "simulator/measure/run.hpp"

#include "simulator/measure/fields.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

namespace shed::measure {

namespace {

constexpr std::int64_t schema = 1;
constexpr double any = -std::numeric_limits<double>::infinity();

RunFacts read_facts(Fields& from) {
    RunFacts facts;
    facts.ranks = from.count("ranks", 1);
    for (const Json& host : from.array("hosts")) {
        Fields fields(host, from.where() + ": hosts");
        facts.hosts.push_back({fields.text("name"), fields.count("ranks", 1)});
        if (fields.error()) from.refuse_as(*fields.error());
    }
    facts.backend = from.text("backend");
    facts.dtype = from.text("dtype");
    facts.op = from.text("op");
    facts.in_place = from.boolean("in_place");
    facts.timing = from.text("timing");
    facts.mpi = from.text("mpi");
    facts.transports = from.texts("transports");
    facts.yield_when_idle = from.boolean("yield_when_idle");
    facts.binding = from.text("binding");
    for (const Json& setting : from.array("mca")) {
        Fields fields(setting, from.where() + ": mca");
        facts.mca.push_back(
            {fields.text("name"), fields.text_or("value", ""), fields.text_or("source", "")});
        if (fields.error()) from.refuse_as(*fields.error());
    }
    facts.cores = from.count("cores", 1);
    facts.single_copy = from.text_or("single_copy", "");
    facts.algorithm = from.text_or("algorithm", "");
    facts.link = from.text_or("link", "");
    facts.delay_percent = from.number_or("delay_percent", 0);
    facts.unix_s = from.number("unix_s", any);
    facts.mpi_init_s = from.number("mpi_init_s");
    facts.init_done_unix_s = from.number("init_done_unix_s", any);
    facts.first_collective_s = from.number("first_collective_s");
    return facts;
}

RunRow read_row(Fields& from) {
    RunRow row;
    row.bytes = static_cast<std::uint64_t>(from.whole("bytes"));
    row.count = static_cast<std::uint64_t>(from.whole("count"));
    row.dtype = from.text("dtype");
    row.op = from.text("op");
    row.in_place = from.boolean("in_place");
    row.iterations = from.whole("iterations", 1);
    row.wrong = from.whole("wrong");
    row.infeasible_share = from.number("infeasible");
    if (row.infeasible_share > 1) from.refuse("\"infeasible\" is not a share of calls, at most 1");
    row.target_us = from.number_or("target_us", 0);
    row.algbw_GBps = from.number("algbw_GBps");
    row.busbw_GBps = from.number("busbw_GBps");
    row.other_cpu_share = from.number("other_cpu_share");
    Fields us(from.object("us"), from.where() + ": us");
    row.min_us = us.number("min");
    row.p50_us = us.number("p50");
    row.p95_us = us.number("p95");
    row.p99_us = us.number("p99");
    row.mad_us = us.number("mad");
    row.mean_us = us.number("mean");
    // Ratios and logarithms of it follow; a clock too coarse for the size must be said, not divided
    // by.
    if (!us.error() && row.p50_us <= 0) us.refuse("\"p50\" must be above 0");
    if (us.error()) from.refuse_as(*us.error());
    return row;
}

class Reader {
public:
    explicit Reader(std::string_view name) : name_(name) {}

    std::optional<Error> line(std::string_view text, std::size_t number) {
        const std::string where = name_ + ":" + std::to_string(number);
        const auto json = parse_json(text);
        if (!json) return Error{Reason::bad_request, where + ": not JSON: " + json.error().message};
        Fields fields(*json, where);
        const std::string what = fields.text("allreduce");
        if (what == "run") start(fields);
        else if (!started_) fields.refuse("\"" + what + "\" before \"run\"");
        else if (ended_) fields.refuse("\"" + what + "\" after \"end\"");
        else if (what == "row") row(fields);
        else if (what == "samples") samples(fields);
        else if (what == "end") end(fields);
        else fields.refuse("unknown record \"" + what + "\"");
        return fields.error();
    }

    Result<Run> finish() {
        if (!started_) return Error{Reason::not_found, name_ + ": no all-reduce run in this text"};
        if (!ended_)
            return Error{Reason::bad_request,
                         name_ + ": the run is incomplete: it has no \"end\" after " +
                             std::to_string(run_.rows.size()) + " sizes"};
        for (const auto& [bytes, us] : run_.samples_us)
            if (!sizes_.contains(bytes))
                return Error{Reason::bad_request, name_ + ": samples of " + std::to_string(bytes) +
                                                      " bytes without a row"};
        std::sort(run_.rows.begin(), run_.rows.end(),
                  [](const RunRow& a, const RunRow& b) { return a.bytes < b.bytes; });
        return std::move(run_);
    }

private:
    void start(Fields& fields) {
        if (started_) return fields.refuse("a second \"run\": pass one run's output at a time");
        if (const auto found = fields.whole("schema"); !fields.error() && found != schema)
            return fields.refuse("schema " + std::to_string(found) + ", this version reads " +
                                 std::to_string(schema));
        run_.facts = read_facts(fields);
        started_ = true;
    }

    void row(Fields& fields) {
        RunRow row = read_row(fields);
        if (!fields.error() && !sizes_.insert(row.bytes).second)
            return fields.refuse("a second row of " + std::to_string(row.bytes) + " bytes");
        run_.rows.push_back(std::move(row));
    }

    void samples(Fields& fields) {
        const auto bytes = static_cast<std::uint64_t>(fields.whole("bytes"));
        const auto first = static_cast<std::size_t>(fields.whole("first"));
        const std::vector<double> more = fields.numbers("us");
        if (fields.error()) return;
        std::vector<double>& all = run_.samples_us[bytes];
        if (first != all.size())
            return fields.refuse("samples start at " + std::to_string(first) + ", expected " +
                                 std::to_string(all.size()) + ": some are lost");
        all.insert(all.end(), more.begin(), more.end());
    }

    void end(Fields& fields) {
        run_.wrong = fields.whole("wrong");
        run_.seconds = fields.number("seconds");
        ended_ = true;
    }

    std::string name_;
    Run run_;
    std::set<std::uint64_t> sizes_;
    bool started_ = false;
    bool ended_ = false;
};

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

Result<Run> parse_run(std::string_view text, std::string_view name) {
    Reader reader(name);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (!line.starts_with("{\"allreduce\"")) continue;
        if (const auto error = reader.line(line, number)) return *error;
    }
    return reader.finish();
}

double algbw_GBps(std::uint64_t bytes, double us) {
    return us > 0 ? static_cast<double>(bytes) / us / 1000 : 0;
}

double busbw_GBps(double algbw_GBps, int ranks) {
    return ranks > 1 ? algbw_GBps * 2 * (ranks - 1) / ranks : 0;
}

}  // namespace shed::measure
