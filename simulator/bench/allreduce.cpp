// `bench allreduce`: measure on a cluster of its own, summarise, compare, and write what was asked for.
#include "simulator/bench/bench.hpp"
#include "simulator/bench/host.hpp"
#include "simulator/bench/outcome.hpp"
#include "simulator/bench/runs.hpp"
#include "simulator/owner.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>

namespace shed::bench {

namespace {

void add(std::vector<std::string>& words, const char* name, const std::string& value) {
    words.insert(words.end(), {name, value});
}

std::vector<std::string> program_options(const AllReduceOptions& options) {
    std::vector<std::string> words;
    if (!options.sizes.empty()) add(words, "--sizes", options.sizes);
    else {
        add(words, "--min", options.min);
        add(words, "--max", options.max);
        add(words, "--factor", std::to_string(options.factor));
    }
    add(words, "--dtype", options.dtype);
    add(words, "--op", options.op);
    add(words, "--timing", options.timing);
    add(words, "--budget", std::to_string(options.budget_s));
    if (options.iterations) add(words, "--iterations", std::to_string(*options.iterations));
    if (options.warmup) add(words, "--warmup", std::to_string(*options.warmup));
    if (options.in_place) words.emplace_back("--in-place");
    words.emplace_back("--quiet");
    return words;
}

AllReducePlan plan_of(const AllReduceOptions& options) {
    AllReducePlan plan;
    plan.nodes = options.nodes;
    plan.slots = options.slots;
    plan.backend = options.backend;
    plan.transport = options.transport;
    plan.program_options = program_options(options);
    plan.flow_delay_percent = options.flow_delay_percent;
    plan.link = std::filesystem::path(options.link).filename().string();
    return plan;
}

// Ranks share cores and memory by design: what nodes advertise must not stand in the way.
UpOptions cluster_options(const AllReduceOptions& options) {
    UpOptions up;
    up.common = options.common;
    up.share_caches = false;
    return up;
}

class Bench {
public:
    Bench(const AllReduceOptions& options, HostSide side, Given given)
        : options_(options),
          given_(std::move(given)),
          terminal_(options.common.plain, options.common.quiet),
          plan_(plan_of(options)),
          side_(std::move(side)) {}

    int run(const ClusterPaths& paths);

private:
    boost::asio::awaitable<void> measure(Cluster& cluster, std::string parameters);
    Result<measure::BenchResult> summarise();
    void tell(int repeat, double flow_s, double bare_s) const;

    const AllReduceOptions& options_;
    Given given_;
    Terminal terminal_;
    AllReducePlan plan_;
    HostSide side_;
    measure::MachineFacts machine_ = machine_facts();
    std::string isolation_;
    std::vector<std::string> bare_words_;
    std::optional<Result<Measured>> measured_;
};

void Bench::tell(int repeat, double flow_s, double bare_s) const {
    char text[96];
    if (options_.floor) std::snprintf(text, sizeof text, "flow %.1f s, bare %.1f s", flow_s, bare_s);
    else std::snprintf(text, sizeof text, "%.1f s", flow_s);
    terminal_.ok("run " + std::to_string(repeat) + "/" + std::to_string(options_.repeats), text);
}

boost::asio::awaitable<void> Bench::measure(Cluster& cluster, std::string parameters) {
    FlowSide flow(cluster, plan_);
    BareSide bare(plan_, side_.places, side_.script, std::move(parameters));
    bare_words_ = bare.words();
    const auto prepared = co_await flow.prepare();
    if (!prepared) {
        measured_.emplace(prepared.error());
        co_return;
    }
    RunPlan runs;
    runs.repeats = options_.repeats;
    runs.floor = options_.floor;
    runs.limit = std::chrono::seconds(static_cast<std::int64_t>(options_.timeout_s) + 1);
    runs.progress = [this](int repeat, double flow_s, double bare_s) { tell(repeat, flow_s, bare_s); };
    measured_.emplace(co_await measure_runs(flow, bare, runs));
}

Result<measure::BenchResult> Bench::summarise() {
    Measured& all = **measured_;
    const measure::Thresholds thresholds;
    const auto pairs = [&] {
        std::vector<measure::Pair> out;
        for (std::size_t i = 0; i < all.bare.size(); ++i) out.push_back({all.flow[i], all.bare[i]});
        return out;
    };
    auto result =
        options_.floor ? measure::summarise(pairs(), thresholds) : measure::summarise(all.flow, thresholds);
    if (!result) return result;
    machine_.mpi = all.flow.front().facts.mpi;
    machine_.load_after = load_average();
    result->machine = machine_;
    result->version = SHED_VERSION;
    result->unix_s = all.flow.front().facts.unix_s;
    result->launch.push_back(measure::median_launch(all.flow_launch));
    if (options_.floor) result->launch.push_back(measure::median_launch(all.bare_launch));
    describe(*result, plan_, bare_words_, isolation_, all.flow.front().facts,
             options_.floor ? &all.bare.front().facts : nullptr);
    return result;
}

int Bench::run(const ClusterPaths& paths) {
    OwnedCluster owned(cluster_options(options_), paths, side_.mounts);
    const auto started =
        owned.start([&](const std::string& stage, const std::string& text) { terminal_.ok(stage, text); });
    if (!started) return owned.signal_number() != 0 ? exit_interrupted : report(terminal_, started.error());
    isolation_ = started->isolation;
    const std::string parameters = paths.directory + "/openmpi-mca-params.conf";
    if (auto written = write_file(parameters, side_.mca_parameters, 0644); !written)
        return report(terminal_, written.error());
    const bool ran = owned.run(measure(owned.cluster(), parameters));
    if (!ran) terminal_.note("interrupted; ending the cluster");
    owned.stop();
    if (!ran || !measured_) return exit_interrupted;
    if (!*measured_) return report(terminal_, measured_->error());
    auto result = summarise();
    if (!result) return report(terminal_, result.error());
    return publish(options_, terminal_, given_, *result);
}

}  // namespace

int command_allreduce(const AllReduceOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    std::error_code ec;
    const std::string link =
        options.link.empty() ? "" : std::filesystem::absolute(options.link, ec).lexically_normal().string();
    auto given = read_given(options);
    if (!given) return report(terminal, given.error());
    auto side = host_side(plan_of(options), link);
    if (!side) return report(terminal, side.error());
    const auto paths = own_paths(options.common.name, "bench");
    if (!paths) return report(terminal, paths.error());
    Bench bench(options, std::move(*side), std::move(*given));
    return bench.run(*paths);
}

}  // namespace shed::bench
