#include "simulator/measure/gate.hpp"

#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure {

namespace {

// How far the measured side may be from the reference before it counts, as a share of the
// reference's median.
double tolerance_of(const Samples& samples, double reference_us, Tier tier,
                    const Thresholds& thresholds) {
    if (tier == Tier::paced) return thresholds.paced_tolerance;
    const double spread = median_absolute_deviation(samples.reference_us) / reference_us;
    return std::max(thresholds.raw_tolerance, thresholds.raw_deviations * spread);
}

// Pairs are compared and resampled as pairs, so that a drift both share cancels.
void compare_medians(Judgement& out, const Samples& samples, const Bootstrap& bootstrap) {
    Interval ratio;
    if (samples.paired) {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < samples.measured_us.size(); ++i)
            ratios.push_back(samples.measured_us[i] / samples.reference_us[i]);
        out.change = median(ratios) - 1;
        ratio = median_interval(ratios, bootstrap);
    } else {
        out.change = out.measured_us / out.reference_us - 1;
        ratio = median_ratio_interval(samples.measured_us, samples.reference_us, bootstrap);
    }
    out.change_interval = {ratio.low - 1, ratio.high - 1};
}

Judgement measure(const Samples& samples, Tier tier, const Thresholds& thresholds) {
    Judgement out;
    if (samples.reference_us.empty() || samples.measured_us.empty()) return out;
    out.reference_us = median(samples.reference_us);
    out.measured_us = median(samples.measured_us);
    compare_medians(out, samples, thresholds.bootstrap);
    out.p = mann_whitney(samples.measured_us, samples.reference_us).p;
    out.tolerance = tolerance_of(samples, out.reference_us, tier, thresholds);
    return out;
}

std::string too_few(const Samples& samples, int needed) {
    const std::size_t usable = std::min(samples.reference_us.size(), samples.measured_us.size());
    std::string text = std::to_string(usable) + " usable runs of each side, at least " +
                       std::to_string(needed) + " are needed";
    if (!samples.left_out.empty()) text += ": " + samples.left_out;
    return text;
}

void decide(Judgement& judged, const Thresholds& thresholds) {
    const bool significant = judged.p_adjusted < thresholds.alpha;
    if (!significant || std::abs(judged.change) <= judged.tolerance) return;
    const bool slower = judged.change > 0;
    judged.verdict = slower ? Verdict::regression : Verdict::improvement;
    judged.reason = time_text(judged.reference_us) + " -> " + time_text(judged.measured_us) + ", " +
                    signed_percent_text(judged.change) + (slower ? " slower" : " (faster)") +
                    ", more than " + percent_text(judged.tolerance) + " (p " +
                    p_text(judged.p_adjusted) + ")";
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::improvement:
            return "improvement";
        case Verdict::regression:
            return "regression";
        case Verdict::too_noisy:
            return "too-noisy";
    }
    return "";
}

std::optional<Verdict> verdict_of(std::string_view name) {
    using enum Verdict;
    for (const Verdict verdict : {ok, improvement, regression, too_noisy})
        if (name == verdict_name(verdict)) return verdict;
    return std::nullopt;
}

std::string_view tier_name(Tier tier) { return tier == Tier::paced ? "paced" : "raw"; }

std::vector<Judgement> judge(const std::vector<Samples>& all, Tier tier,
                             const Thresholds& thresholds) {
    std::vector<Judgement> judged;
    std::vector<double> p_values;
    for (const Samples& samples : all) {
        judged.push_back(measure(samples, tier, thresholds));
        p_values.push_back(judged.back().p);
    }
    const std::vector<double> adjusted = holm(p_values);
    const int least = tier == Tier::paced ? thresholds.paced_runs_min : thresholds.raw_runs_min;
    const int needed = std::max(least, runs_needed(all.size(), thresholds.alpha));
    for (std::size_t i = 0; i < all.size(); ++i) {
        judged[i].p_adjusted = adjusted[i];
        const auto usable = std::min(all[i].reference_us.size(), all[i].measured_us.size());
        if (usable >= static_cast<std::size_t>(needed)) {
            decide(judged[i], thresholds);
        } else {
            judged[i].verdict = Verdict::too_noisy;
            judged[i].reason = too_few(all[i], needed);
        }
    }
    return judged;
}

Verdict overall(const std::vector<Verdict>& verdicts) {
    for (const Verdict worst : {Verdict::regression, Verdict::too_noisy, Verdict::improvement})
        if (std::find(verdicts.begin(), verdicts.end(), worst) != verdicts.end()) return worst;
    return Verdict::ok;
}

int runs_needed(std::size_t sizes, double alpha) {
    int n = 1;
    while (n < 100 && smallest_p(n) * static_cast<double>(sizes) >= alpha) ++n;
    return n;
}

int exit_code(Verdict verdict) { return verdict == Verdict::regression ? 1 : 0; }

}  // namespace shed::measure
