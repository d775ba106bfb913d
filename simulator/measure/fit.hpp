#pragma once
// A curve through measured times: t(S) = a + b S + c sqrt(S), or with c = 0 the straight line of
// LogGP.
//
// a is start-up, b the time per byte; the square root stands for pipelining over chunks of a size
// that grows with S, whose fill costs sqrt (Sanders, Speck, Traeff, "Two-tree algorithms for full
// bandwidth broadcast, reduction and scan", Parallel Computing 35(12), 2009). a + b S is LogGP's
// long message at fixed ranks (Alexandrov, Ionescu, Schauser, Scheiman, SPAA 1995). Between 64 KiB
// and GiBs the root halves the error of the straight line.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace shed::measure {

struct Point {
    std::uint64_t bytes = 0;
    double us = 0;
};

enum class Curve { line, root };  // a + b S; a + b S + c sqrt(S)

// Shares of the measured time: |predicted / measured - 1|.
struct FitError {
    double median = 0, p90 = 0, max = 0;
    std::size_t points = 0;
};

struct Fit {
    double a_us = 0;           // never negative, nor are b and c: more data takes no less time
    double b_us_per_byte = 0;  // 1 / (1000 b) is the bandwidth in GB/s at large sizes
    double c_us_per_root_byte = 0;
    std::uint64_t bytes_min = 0, bytes_max = 0;  // of the points it was fitted to
    FitError error;                              // at those points: residuals, not a promise

    double at(std::uint64_t bytes) const;  // us, also outside bytes_min..bytes_max
    // Error invalid: outside the sizes that were measured. Protocols and algorithms switch with
    // size, so a curve says nothing there.
    Result<double> predict(std::uint64_t bytes) const;
};

// Least squares of the relative residuals (weights 1 / t^2), so that small sizes count as much as
// large ones, with non-negative coefficients. Error invalid: fewer different sizes than
// coefficients, or a time not above 0.
Result<Fit> fit_curve(const std::vector<Point>& points, Curve curve);

struct HoldOut {
    Fit fit;            // to every third size, from the first
    FitError held_out;  // at the others: what to expect of a prediction
};

// Only sizes of at least bytes_min: below, latencies of several protocols mix.
Result<HoldOut> hold_out(std::vector<Point> points, Curve curve, std::uint64_t bytes_min = 65536);

// Sizes at which the time falls by more than `share` although the size grows: another algorithm or
// protocol took over there, and one curve over it is a compromise.
std::vector<std::uint64_t> algorithm_switches(std::vector<Point> points, double share = 0.05);

}  // namespace shed::measure
