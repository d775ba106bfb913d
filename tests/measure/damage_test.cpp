// Text that was cut, doubled or flipped, and text that never was any: every reader answers or says
// what is wrong, naming the file, and whatever it took can be reported.
#include "fakes/base/rng.hpp"
#include "simulator/measure/google_benchmark.hpp"
#include "simulator/measure/history.hpp"
#include "simulator/measure/junit.hpp"
#include "simulator/measure/paired.hpp"
#include "simulator/measure/report_html.hpp"
#include "simulator/measure/table_text.hpp"
#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::measure {
namespace {

using testing::StartsWith;

constexpr int rounds = 500;

const std::string run_text =
    R"({"allreduce":"run","schema":1,"ranks":4,"hosts":[{"name":"a","ranks":4}],"backend":"mpi",)"
    R"("dtype":"float32","op":"sum","in_place":false,"timing":"slowest","mpi":"x","transports":["tcp"],)"
    R"("yield_when_idle":true,"binding":"none","mca":[],"cores":2,"unix_s":1.5,"mpi_init_s":0.21,)"
    R"("init_done_unix_s":1.0,"first_collective_s":0.004})"
    "\n"
    R"({"allreduce":"row","bytes":4,"count":1,"dtype":"float32","op":"sum","in_place":false,"iterations":200,)"
    R"("wrong":0,"us":{"min":1,"p50":2,"p95":3,"p99":4,"mad":0.5,"mean":2},"algbw_GBps":0.002,)"
    R"("busbw_GBps":0.003,"other_cpu_share":0.03,"infeasible":0})"
    "\n"
    R"({"allreduce":"samples","bytes":4,"first":0,"us":[1,2,3]})"
    "\n"
    R"({"allreduce":"end","wrong":0,"seconds":1.5})"
    "\n";

BenchResult result() {
    const auto time = [](std::uint64_t bytes) { return 10 + static_cast<double>(bytes); };
    return *summarise(
        std::vector<Pair>(9, {samples::run({4, 8}, time), samples::run({4, 8}, time)}), {});
}

std::string random_bytes(Rng& rng, std::uint64_t most) {
    std::string bytes;
    for (std::uint64_t n = rng.below(most); n > 0; --n) bytes += static_cast<char>(rng.below(256));
    return bytes;
}

std::string damaged(std::string text, Rng& rng) {
    for (std::uint64_t edits = 1 + rng.below(4); edits > 0 && !text.empty(); --edits) {
        const auto at = static_cast<std::size_t>(rng.below(text.size()));
        switch (rng.below(4)) {
            case 0:
                text[at] = static_cast<char>(rng.below(256));
                break;
            case 1:
                text.erase(at, 1 + rng.below(20));
                break;
            case 2:
                text[at] = "0123456789-e.{}[]\",:"[rng.below(21)];
                break;
            default:
                text.insert(at, text.substr(rng.below(text.size()), rng.below(60)));
        }
    }
    return text;
}

// Returns how many of the texts were refused.
template <class Read, class Use>
int feed(const std::string& good, Read read, Use use) {
    Rng rng(11);
    int refused = 0;
    EXPECT_TRUE(read(good)) << read(good).error().message;
    for (int round = 0; round < rounds; ++round) {
        const std::string text = round % 10 == 0 ? random_bytes(rng, 300) : damaged(good, rng);
        const auto answer = read(text);
        if (answer) {
            use(*answer);
            continue;
        }
        ++refused;
        EXPECT_THAT(answer.error().message, StartsWith("name:"));
    }
    return refused;
}

TEST(DamagedText, OfRuns) {
    const int refused = feed(
        run_text, [](const std::string& text) { return parse_run(text, "name"); },
        [](const measure::Run& run) {
            if (const auto summary = summarise(std::vector<measure::Run>{run}, {}))
                report_html({*summary, {}, {}, {}, {}});
        });
    EXPECT_GT(refused, rounds / 3);
}

TEST(DamagedText, OfResults) {
    const BenchResult good = result();
    const int refused = feed(
        result_text(good), [](const std::string& text) { return parse_result(text, "name"); },
        [&good](const BenchResult& read) {
            static_cast<void>(compare(good, read, CompareOptions()));
            report_html({read, good, {}, {history_entry(read)}, fitted_models(read)});
            table_text(read);
            to_junit(read);
            to_google_benchmark(read).dump(-1, ' ', false,
                                           nlohmann::json::error_handler_t::replace);
        });
    EXPECT_GT(refused, rounds / 3);
}

TEST(DamagedText, OfHistories) {
    const std::string line = history_line(history_entry(result()));
    const int refused = feed(
        line + line, [](const std::string& text) { return load_history(text, "name"); },
        [](const std::vector<HistoryEntry>& entries) { trend(entries, 4); });
    EXPECT_GT(refused, rounds / 3);
}

TEST(DamagedText, OfGoogleBenchmark) {
    const int refused = feed(
        to_google_benchmark(result()).dump(),
        [](const std::string& text) { return parse_google_benchmark(text, "name"); },
        [](const std::vector<Series>& all) { static_cast<void>(compare(all, all, Thresholds())); });
    EXPECT_GT(refused, rounds / 3);
}

}  // namespace
}  // namespace shed::measure
