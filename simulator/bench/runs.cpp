#include "simulator/bench/runs.hpp"

#include "simulator/bench/host.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

namespace shed::bench {

namespace {

class Runner {
public:
    Runner(FlowSide& flow, BareSide& bare, const RunPlan& plan) : flow_(flow), bare_(bare), plan_(plan) {}

    asio::awaitable<Result<Measured>> go() {
        for (int repeat = 1; repeat <= plan_.repeats; ++repeat) {
            const bool bare_first = plan_.floor && repeat % 2 == 0;
            Result<double> bare_s = 0.0;
            if (bare_first) bare_s = co_await run_bare(repeat);
            if (!bare_s) co_return bare_s.error();
            const auto flow_s = co_await run_flow(repeat);
            if (!flow_s) co_return flow_s.error();
            if (plan_.floor && !bare_first) bare_s = co_await run_bare(repeat);
            if (!bare_s) co_return bare_s.error();
            plan_.progress(repeat, *flow_s, *bare_s);
        }
        co_return std::move(measured_);
    }

private:
    asio::awaitable<Result<double>> run_flow(int repeat) {
        const double pressure = pressure_share();
        const double start = wall_seconds();
        const std::string name = "allreduce-" + std::to_string(repeat);
        const auto ran = co_await flow_.run(name, plan_.limit);
        if (!ran) co_return ran.error();
        auto run = measure::parse_run(ran->log, name + " log");
        if (!run) co_return run.error();
        run->pressure_share = pressure;
        measured_.flow_launch.push_back(launch_of(ran->marks, run->facts));
        measured_.flow.push_back(std::move(*run));
        co_return wall_seconds() - start;
    }
    asio::awaitable<Result<double>> run_bare(int repeat) {
        const double pressure = pressure_share();
        const double start = wall_seconds();
        const auto ran = co_await bare_.run(plan_.limit);
        if (!ran) co_return ran.error();
        auto run = measure::parse_run(*ran, "bare run " + std::to_string(repeat));
        if (!run) co_return run.error();
        run->pressure_share = pressure;
        measure::Launch launch;
        launch.label = "bare";
        launch.stages = {{"mpirun to MPI_Init", run->facts.init_done_unix_s - start},
                         {"first collective", run->facts.first_collective_s}};
        measured_.bare_launch.push_back(std::move(launch));
        measured_.bare.push_back(std::move(*run));
        co_return wall_seconds() - start;
    }

    FlowSide& flow_;
    BareSide& bare_;
    const RunPlan& plan_;
    Measured measured_;
};

}  // namespace

measure::Launch launch_of(const LaunchMarks& marks, const measure::RunFacts& facts) {
    measure::Launch launch;
    launch.label = "flow";
    double last = marks.submitted;
    const auto stage = [&](const char* name, double until) {
        if (until == 0) return;  // No such pods.
        launch.stages.push_back({name, std::max(0.0, until - last)});
        last = std::max(last, until);
    };
    stage("submit to worker pods running", marks.workers_running);
    stage("sshd ready", marks.workers_ready);
    stage("launcher running", marks.launcher_running);
    stage("mpirun to MPI_Init", facts.init_done_unix_s);
    launch.stages.push_back({"first collective", facts.first_collective_s});
    return launch;
}

asio::awaitable<Result<Measured>> measure_runs(FlowSide& flow, BareSide& bare, const RunPlan& plan) {
    Runner runner(flow, bare, plan);
    co_return co_await runner.go();
}

}  // namespace shed::bench
