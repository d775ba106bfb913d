#include "simulator/bench/forecast.hpp"

#include "simulator/measure/text.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

namespace shed::bench {

using measure::Curve;

namespace {

constexpr std::uint64_t fitted_from = 4096;  // bytes; below, the time hardly depends on the size

std::vector<measure::Point> points_of(const measure::BenchResult& result) {
    std::vector<measure::Point> points;
    for (const measure::ResultRow& row : result.rows)
        if (row.bytes >= fitted_from) points.push_back({row.bytes, row.flow.p50_us});
    return points;
}

Result<measure::HoldOut> held_out(const measure::BenchResult& result) {
    return measure::hold_out(points_of(result), Curve::root, fitted_from);
}

nlohmann::json error_json(const measure::FitError& error) {
    return {{"median", error.median}, {"p90", error.p90}, {"max", error.max}, {"points", error.points}};
}

Error wrong(const std::string& what) {
    return {Reason::bad_request, "--predict: " + what + "; such as ranks=64,latency_us=5,bandwidth_gbps=100"};
}

}  // namespace

Result<PredictRequest> parse_predict(const std::string& text) {
    std::map<std::string, double> values;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        const std::string field = text.substr(at, end - at);
        const auto equals = field.find('=');
        const std::string name = field.substr(0, equals);
        if (equals == std::string::npos || (name != "ranks" && name != "latency_us" && name != "bandwidth_gbps"))
            return wrong("\"" + field + "\" is not known");
        char* rest = nullptr;
        const double value = std::strtod(field.c_str() + equals + 1, &rest);
        if (rest == field.c_str() + equals + 1 || *rest != '\0' || !(value >= 0 && value < 1e9))
            return wrong("\"" + field + "\" is no number from 0");
        values[name] = value;
        at = end + 1;
    }
    for (const char* name : {"ranks", "latency_us", "bandwidth_gbps"})
        if (!values.contains(name)) return wrong(std::string(name) + " is missing");
    PredictRequest request;
    request.ranks = static_cast<int>(values["ranks"]);
    if (request.ranks < 1 || request.ranks != values["ranks"]) return wrong("ranks is no whole number from 1");
    if (values["bandwidth_gbps"] <= 0) return wrong("bandwidth_gbps must be above 0");
    request.link = {values["latency_us"], values["bandwidth_gbps"] / 8, 0, "given to --predict"};
    return request;
}

std::string model_text(const measure::BenchResult& result) {
    const auto model = held_out(result);
    if (!model) return "";
    char text[256];
    std::snprintf(text, sizeof text,
                  "model: t = %.3g us + S / %.3g GB/s + %.3g us sqrt(S / KiB), from %s; other sizes were foretold "
                  "within %s (median), %s (worst)",
                  model->fit.a_us, model->fit.b_us_per_byte > 0 ? 1e-3 / model->fit.b_us_per_byte : 0.0,
                  model->fit.c_us_per_root_byte * 32, measure::size_text(fitted_from).c_str(),
                  measure::percent_text(model->held_out.median).c_str(),
                  measure::percent_text(model->held_out.max).c_str());
    return text;
}

std::string forecast_text(const measure::BenchResult& result, const PredictRequest& request) {
    using measure::Algorithm;
    char line[160];
    std::snprintf(line, sizeof line, "predicted for %d ranks, links of %.3g us and %.4g Gbit/s\n%12s", request.ranks,
                  request.link.latency_us, request.link.bandwidth_GBps * 8, "size");
    std::string text = line;
    const Algorithm algorithms[] = {Algorithm::ring, Algorithm::recursive_doubling, Algorithm::rabenseifner,
                                    Algorithm::double_tree};
    for (const Algorithm algorithm : algorithms) {
        std::snprintf(line, sizeof line, " %20s", std::string(measure::algorithm_name(algorithm)).c_str());
        text += line;
    }
    text += "\n";
    for (const measure::ResultRow& row : result.rows) {
        std::snprintf(line, sizeof line, "%12s", measure::size_text(row.bytes).c_str());
        text += line;
        for (const Algorithm algorithm : algorithms) {
            const auto foretold = measure::predict(algorithm, request.ranks, row.bytes, request.link);
            std::snprintf(line, sizeof line, " %20s", measure::time_text(foretold.us).c_str());
            text += line;
        }
        text += "\n";
    }
    for (const std::string& left_out : measure::forecast(request.ranks, 1, request.link).leaves_out)
        text += "left out: " + left_out + "\n";
    return text;
}

nlohmann::json model_json(const measure::BenchResult& result, const PredictRequest* request) {
    nlohmann::json out = nlohmann::json::object();
    if (const auto model = held_out(result))
        out["fit"] = {{"a_us", model->fit.a_us},
                      {"b_us_per_byte", model->fit.b_us_per_byte},
                      {"c_us_per_root_byte", model->fit.c_us_per_root_byte},
                      {"residuals", error_json(model->fit.error)},
                      {"held_out", error_json(model->held_out)}};
    if (request == nullptr) return out;
    nlohmann::json rows = nlohmann::json::array();
    for (const measure::ResultRow& row : result.rows) {
        nlohmann::json times = nlohmann::json::object();
        for (const auto& foretold : measure::forecast(request->ranks, row.bytes, request->link).all)
            times[std::string(measure::algorithm_name(foretold.algorithm))] = foretold.us;
        rows.push_back({{"bytes", row.bytes}, {"us", std::move(times)}});
    }
    out["forecast"] = {{"ranks", request->ranks},
                       {"latency_us", request->link.latency_us},
                       {"bandwidth_GBps", request->link.bandwidth_GBps},
                       {"rows", std::move(rows)},
                       {"leaves_out", measure::forecast(request->ranks, 1, request->link).leaves_out}};
    return out;
}

}  // namespace shed::bench
