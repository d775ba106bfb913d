#pragma once
// When is a difference of times a regression? One rule for flow against bare and for new against
// baseline.
//
// Tiers: what is deterministic (results, calls) may not change at all; paced runs, whose calls are
// slowed to a network model, repeat to 0.6-2.5 % and have a tolerance of 3 %; raw runs on a shared
// machine vary by 1.1-4x between repetitions, so they need a rank test and a difference of 25 % or
// 3 median absolute deviations, whichever is more.
#include "simulator/measure/statistics.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shed::measure {

enum class Tier { raw, paced };
enum class Verdict { ok, improvement, regression, too_noisy };

std::string_view verdict_name(Verdict verdict);  // "ok", "improvement", "regression", "too-noisy"
std::optional<Verdict> verdict_of(std::string_view name);
std::string_view tier_name(Tier tier);  // "raw", "paced"

struct Thresholds {
    // The chance of one false alarm or more among all sizes, when nothing changed; see holm().
    double alpha = 0.01;
    double paced_tolerance = 0.03;  // of the reference's median
    double infeasible_share_max =
        0.05;  // of calls slower than their model, beyond which a paced run is void
    double raw_tolerance = 0.25;  // of the reference's median
    double raw_deviations = 3;    // median absolute deviations of the reference
    double other_cpu_share_max =
        0.15;  // of the machine, used by others; beyond it a raw run does not count
    double pressure_share_max =
        0.10;  // processor pressure before the run; beyond it a raw run does not count
    // Usable runs of each side, below which a size is too noisy. See also runs_needed().
    int raw_runs_min = 9;
    int paced_runs_min = 5;
    // The program was told how many calls to make, not for how long: counts that differ are a
    // regression.
    bool calls_fixed = false;
    Bootstrap bootstrap = {};
};

// The runs' times of one size (or one named benchmark), microseconds. Those that noise made void
// are left out by the caller, who says so in `left_out`.
struct Samples {
    std::string name;
    std::vector<double> reference_us, measured_us;
    std::string left_out = {};
    bool paired = false;  // reference_us[i] and measured_us[i] were measured one after the other
};

struct Judgement {
    double reference_us = 0, measured_us = 0;  // medians
    // measured / reference - 1, so above 0 is slower: of the medians; of pairs, the median of each
    // pair's.
    double change = 0;
    Interval change_interval;  // bootstrap, at the confidence of Thresholds::bootstrap
    double p = 1;              // two-sided Mann-Whitney
    double p_adjusted = 1;     // by Holm, over all sizes judged together
    double tolerance = 0;      // the least |change| that counts here
    Verdict verdict = Verdict::ok;
    std::string reason;  // one sentence with figures; empty when ok
};

// One judgement per element of `all`, which is one family for the chance of false alarms.
std::vector<Judgement> judge(const std::vector<Samples>& all, Tier tier,
                             const Thresholds& thresholds);

// Regression when there is any; too noisy when any size is and none regressed; improvement when any
// size improved.
Verdict overall(const std::vector<Verdict>& verdicts);

// How many runs of each side can tell a difference at all among so many sizes: the least n with
// smallest_p(n) * sizes <= alpha.
int runs_needed(std::size_t sizes, double alpha);

// 0 for ok, improvement and too noisy (with a warning: a shared machine must not fail a build), 1
// for a regression.
int exit_code(Verdict verdict);

}  // namespace shed::measure
