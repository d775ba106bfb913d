#include "simulator/measure/fit.hpp"

#include "simulator/measure/statistics.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

namespace shed::measure {

namespace {

constexpr std::size_t terms_max = 3;
using Terms = std::array<double, terms_max>;

Terms terms_at(std::uint64_t bytes) {
    const auto size = static_cast<double>(bytes);
    return {1, size, std::sqrt(size)};
}

// min |A x - 1| with one column per term that `used` has; columns are scaled by their largest
// value. Gram-Schmidt with the right-hand side as a last column. Nothing when columns depend on
// each other.
std::optional<Terms> solve(const std::vector<Terms>& rows, unsigned used) {
    std::vector<std::vector<double>> columns;
    std::vector<std::size_t> which;
    for (std::size_t term = 0; term < terms_max; ++term) {
        if ((used >> term & 1) == 0) continue;
        which.push_back(term);
        columns.emplace_back();
        for (const Terms& row : rows) columns.back().push_back(row[term]);
    }
    std::vector<double> target(rows.size(), 1.0);
    const auto dot = [](const std::vector<double>& x, const std::vector<double>& y) {
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
        return sum;
    };
    const std::size_t n = columns.size();
    std::array<Terms, terms_max> upper{};  // columns = orthonormal * upper
    Terms projected{};
    for (std::size_t k = 0; k < n; ++k) {
        const double before = std::sqrt(dot(columns[k], columns[k]));
        for (std::size_t j = 0; j < k; ++j) {
            upper[j][k] = dot(columns[j], columns[k]);
            for (std::size_t i = 0; i < rows.size(); ++i)
                columns[k][i] -= upper[j][k] * columns[j][i];
        }
        upper[k][k] = std::sqrt(dot(columns[k], columns[k]));
        if (upper[k][k] <= 1e-12 * before) return std::nullopt;
        for (double& value : columns[k]) value /= upper[k][k];
        projected[k] = dot(columns[k], target);
        for (std::size_t i = 0; i < rows.size(); ++i) target[i] -= projected[k] * columns[k][i];
    }
    Terms out{};
    for (std::size_t k = n; k-- > 0;) {
        double value = projected[k];
        for (std::size_t j = k + 1; j < n; ++j) value -= upper[k][j] * out[which[j]];
        out[which[k]] = value / upper[k][k];
    }
    return out;
}

double squared_residuals(const std::vector<Terms>& rows, const Terms& x) {
    double sum = 0;
    for (const Terms& row : rows) {
        const double residual = row[0] * x[0] + row[1] * x[1] + row[2] * x[2] - 1;
        sum += residual * residual;
    }
    return sum;
}

// With three coefficients, trying each subset of them as the non-zero ones finds the optimum of
// non-negative least squares exactly (Lawson and Hanson, "Solving Least Squares Problems", chapter
// 23: it is a solution on some subset).
Terms solve_non_negative(const std::vector<Terms>& rows, unsigned allowed) {
    Terms best{};
    double least = std::numeric_limits<double>::infinity();
    for (unsigned used = 1; used < (1u << terms_max); ++used) {
        if ((used & ~allowed) != 0) continue;
        const auto found = solve(rows, used);
        if (!found || std::any_of(found->begin(), found->end(), [](double x) { return x < 0; }))
            continue;
        if (const double sum = squared_residuals(rows, *found); sum < least) {
            least = sum;
            best = *found;
        }
    }
    return best;
}

FitError error_at(const Fit& fit, const std::vector<Point>& points) {
    if (points.empty()) return {};
    std::vector<double> errors;
    for (const Point& point : points)
        errors.push_back(std::abs(fit.at(point.bytes) / point.us - 1));
    return {median(errors), quantile(errors, 0.9), quantile(errors, 1), errors.size()};
}

void sort_by_size(std::vector<Point>& points) {
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.bytes < b.bytes; });
}

Error invalid(std::string why) { return {Reason::invalid, std::move(why)}; }

}  // namespace

double Fit::at(std::uint64_t bytes) const {
    const Terms terms = terms_at(bytes);
    return a_us * terms[0] + b_us_per_byte * terms[1] + c_us_per_root_byte * terms[2];
}

Result<double> Fit::predict(std::uint64_t bytes) const {
    if (bytes < bytes_min || bytes > bytes_max)
        return invalid(size_text(bytes) + " is outside of what was measured, " +
                       size_text(bytes_min) + " to " + size_text(bytes_max));
    return at(bytes);
}

Result<Fit> fit_curve(const std::vector<Point>& points, Curve curve) {
    std::set<std::uint64_t> sizes;
    std::vector<Terms> rows;
    for (const Point& point : points) {
        if (!(point.us > 0) || !std::isfinite(point.us))
            return invalid("the time of " + size_text(point.bytes) + " is not above 0");
        sizes.insert(point.bytes);
        rows.push_back(terms_at(point.bytes));
        for (double& term : rows.back()) term /= point.us;
    }
    const std::size_t needed = curve == Curve::line ? 2 : 3;
    if (sizes.size() < needed)
        return invalid(std::to_string(sizes.size()) + " sizes cannot fit " +
                       std::to_string(needed) + " coefficients");
    const Terms x = solve_non_negative(rows, curve == Curve::line ? 0b011u : 0b111u);
    Fit fit{x[0], x[1], x[2], *sizes.begin(), *sizes.rbegin(), {}};
    fit.error = error_at(fit, points);
    return fit;
}

Result<HoldOut> hold_out(std::vector<Point> points, Curve curve, std::uint64_t bytes_min) {
    sort_by_size(points);
    std::erase_if(points, [&](const Point& point) { return point.bytes < bytes_min; });
    std::vector<Point> calibration, others;
    for (std::size_t i = 0; i < points.size(); ++i)
        (i % 3 == 0 ? calibration : others).push_back(points[i]);
    const auto fit = fit_curve(calibration, curve);
    if (!fit) return fit.error();
    return HoldOut{*fit, error_at(*fit, others)};
}

std::vector<std::uint64_t> algorithm_switches(std::vector<Point> points, double share) {
    sort_by_size(points);
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 1; i < points.size(); ++i)
        if (points[i].us < points[i - 1].us * (1 - share)) sizes.push_back(points[i].bytes);
    return sizes;
}

}  // namespace shed::measure
