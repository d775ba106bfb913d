// The store and what is served from it: writes, reads, lists, and one change seen by many watchers.
#include "fakes/api/api.hpp"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

// About the size of a pod of a real TrainJob.
Json pod_of_9_kb(const std::string& name) {
    Json containers = Json::array();
    for (int i = 0; i < 4; ++i) {
        Json env = Json::array();
        for (int j = 0; j < 16; ++j)
            env.push_back({{"name", "VARIABLE_" + std::to_string(j)}, {"value", std::string(60, 'v')}});
        containers.push_back({{"name", "c" + std::to_string(i)}, {"image", "example.com/image:1"}, {"env", env}});
    }
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata",
             {{"name", name}, {"namespace", "default"}, {"uid", "uid-" + name},
              {"labels", {{"jobset.sigs.k8s.io/jobset-name", "train"}, {"index", name}}},
              {"creationTimestamp", "2026-11-23T06:05:10Z"}}},
            {"spec", {{"containers", containers}, {"nodeName", "node-a"}}},
            {"status", {{"phase", "Running"}}}};
}

void fill(Store& store, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) store.put(pod_of_9_kb("pod-" + std::to_string(i)));
}

Request request_for(Verb verb, std::multimap<std::string, std::string> query = {}) {
    Request request;
    request.verb = verb;
    request.kind = &kind_of("v1", "Pod");
    request.ns = "default";
    request.query = std::move(query);
    return request;
}

void put(benchmark::State& state) {
    Store store(1'000);
    fill(store, 1'000);
    const Json pod = pod_of_9_kb("pod-7");
    for (auto _ : state) benchmark::DoNotOptimize(store.put(pod));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(put);

void get(benchmark::State& state) {
    Store store;
    Rng rng(1);
    Api api(store, rng);
    fill(store, 1'000);
    Request request = request_for(Verb::get);
    request.name = "pod-500";
    for (auto _ : state) benchmark::DoNotOptimize(api.answer(request, Time{}));
}
BENCHMARK(get);

void list(benchmark::State& state) {
    Store store;
    Rng rng(1);
    Api api(store, rng);
    fill(store, state.range(0));
    const Request request = request_for(Verb::list);
    std::size_t bytes = 0;
    for (auto _ : state) bytes += api.answer(request, Time{}).body.size();
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(list)->Arg(10)->Arg(1'000);

void list_by_label(benchmark::State& state) {
    Store store;
    Rng rng(1);
    Api api(store, rng);
    fill(store, 1'000);
    const Request request = request_for(Verb::list, {{"labelSelector", "index=pod-3"}});
    for (auto _ : state) benchmark::DoNotOptimize(api.answer(request, Time{}));
}
BENCHMARK(list_by_label);

// One change, told to many watchers in their own frames.
void watch_fan_out(benchmark::State& state) {
    Store store(1'000);
    Rng rng(1);
    Api api(store, rng);
    fill(store, 10);
    const Request request = request_for(
        Verb::watch, {{"watch", "1"}, {"resourceVersion", std::to_string(store.version())}});
    std::vector<std::unique_ptr<Watch>> watches;
    for (std::int64_t i = 0; i < state.range(0); ++i)
        watches.push_back(std::move(*api.watch(request, Time{})));
    const Json pod = pod_of_9_kb("pod-7");
    std::size_t bytes = 0;
    for (auto _ : state) {
        store.put(pod);
        for (auto& watch : watches)
            for (const std::string& frame : watch->poll_frames(Time{})) bytes += frame.size();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(watch_fan_out)->Arg(1)->Arg(100);

}  // namespace
}  // namespace shed

BENCHMARK_MAIN();
