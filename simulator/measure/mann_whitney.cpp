// The rank test of Mann and Whitney: exact by counting arrangements, or by its normal
// approximation.
#include "simulator/measure/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <utility>

namespace shed::measure {

namespace {

constexpr std::size_t exact_max =
    30;  // counts up to C(60, 30) = 1.2e17: rounding is far below any p of interest

struct Ranked {
    double u = 0;         // of the first sample
    double tie_term = 0;  // sum of t^3 - t over groups of t equal values
    bool ties = false;
};

Ranked rank(std::span<const double> x, std::span<const double> y) {
    std::vector<std::pair<double, bool>> all;  // value, is it of x
    for (const double value : x) all.emplace_back(value, true);
    for (const double value : y) all.emplace_back(value, false);
    std::sort(all.begin(), all.end());
    Ranked out;
    double rank_sum = 0;
    for (std::size_t first = 0; first < all.size();) {
        std::size_t end = first;
        double of_x = 0;
        for (; end < all.size() && all[end].first == all[first].first; ++end)
            of_x += all[end].second;
        const double count = static_cast<double>(end - first);
        rank_sum += of_x * (static_cast<double>(first + 1 + end) /
                            2);  // ranks start at 1; equal values share one
        out.tie_term += count * count * count - count;
        out.ties = out.ties || count > 1;
        first = end;
    }
    const double n = static_cast<double>(x.size());
    out.u = rank_sum - n * (n + 1) / 2;
    return out;
}

// P(U >= u) without ties. The number of arrangements with each U is a coefficient of the Gaussian
// binomial (n + m choose n) in q, built as a product of (1 - q^(m + i)) / (1 - q^i).
double exact_tail(std::size_t n, std::size_t m, double u) {
    std::vector<double> ways(n * m + 1, 0.0);
    ways[0] = 1;
    for (std::size_t i = 1; i <= n; ++i) {
        for (std::size_t k = ways.size(); k-- > m + i;) ways[k] -= ways[k - m - i];
        for (std::size_t k = i; k < ways.size(); ++k) ways[k] += ways[k - i];
    }
    double all = 0, tail = 0;
    for (std::size_t k = 0; k < ways.size(); ++k) {
        all += ways[k];
        if (static_cast<double>(k) >= u) tail += ways[k];
    }
    return tail / all;
}

double approximate_tail(double n, double m, const Ranked& ranked, double u) {
    const double all = n + m;
    const double variance = n * m / 12 * (all + 1 - ranked.tie_term / (all * (all - 1)));
    if (variance <= 0) return 1;
    const double z = (u - n * m / 2 - 0.5) / std::sqrt(variance);
    return boost::math::cdf(boost::math::complement(boost::math::normal(), z));
}

}  // namespace

MannWhitney mann_whitney(std::span<const double> x, std::span<const double> y) {
    MannWhitney out;
    if (x.empty() || y.empty()) return out;
    const Ranked ranked = rank(x, y);
    const double n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
    const double larger = std::max(ranked.u, n * m - ranked.u);
    out.u = ranked.u;
    out.exact = !ranked.ties && std::max(x.size(), y.size()) <= exact_max;
    const double tail =
        out.exact ? exact_tail(x.size(), y.size(), larger) : approximate_tail(n, m, ranked, larger);
    out.p = std::min(1.0, 2 * tail);
    return out;
}

double smallest_p(int n) {
    double arrangements = 1;
    for (int i = 1; i <= n; ++i) arrangements = arrangements * (n + i) / i;
    return std::min(1.0, 2 / arrangements);
}

}  // namespace shed::measure
