#include "simulator/measure/fields.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace shed::measure {

namespace {

const Json no_array = Json::array();
const Json no_object = Json::object();

bool finite_number(const Json& value) {
    return value.is_number() && std::isfinite(value.get<double>());
}

std::string at_least(std::string_view kind, double least) {
    std::string expected(kind);
    if (std::isfinite(least)) expected += " of at least " + dump_json(Json(least));
    return expected;
}

}  // namespace

Fields::Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) refuse("expected a JSON object");
}

bool Fields::has(std::string_view name) const { return !member(object_, name).is_null(); }

void Fields::refuse(std::string_view why) {
    refuse_as({Reason::bad_request, where_ + ": " + std::string(why)});
}

void Fields::refuse_as(const Error& error) {
    if (!error_) error_ = error;
}

void Fields::wrong(std::string_view name, std::string_view expected) {
    const char* what = has(name) ? "is not " : "is missing: expected ";
    refuse("\"" + std::string(name) + "\" " + what + std::string(expected));
}

std::string Fields::text(std::string_view name) {
    const Json& value = member(object_, name);
    if (value.is_string()) return value.get<std::string>();
    wrong(name, "a string");
    return "";
}

std::string Fields::text_or(std::string_view name, std::string otherwise) {
    return has(name) ? text(name) : std::move(otherwise);
}

bool Fields::boolean(std::string_view name) {
    const Json& value = member(object_, name);
    if (value.is_boolean()) return value.get<bool>();
    wrong(name, "true or false");
    return false;
}

double Fields::number(std::string_view name, double least) {
    const Json& value = member(object_, name);
    if (finite_number(value) && value.get<double>() >= least) return value.get<double>();
    wrong(name, at_least("a number", least));
    return 0;
}

double Fields::number_or(std::string_view name, double otherwise) {
    return has(name) ? number(name, -INFINITY) : otherwise;
}

// An unsigned value beyond int64 would wrap to a negative one, which every caller's `least`
// refuses.
std::int64_t Fields::whole(std::string_view name, std::int64_t least) {
    const Json& value = member(object_, name);
    if (value.is_number_integer() && value.get<std::int64_t>() >= least)
        return value.get<std::int64_t>();
    wrong(name, at_least("a whole number", static_cast<double>(least)));
    return 0;
}

int Fields::count(std::string_view name, int least) {
    const std::int64_t value = whole(name, least);
    if (value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
    wrong(name, "a number that small");
    return 0;
}

std::vector<double> Fields::numbers(std::string_view name, double least) {
    std::vector<double> values;
    for (const Json& value : array(name)) {
        if (!finite_number(value) || value.get<double>() < least) {
            wrong(name, at_least("a list of numbers, each", least));
            return {};
        }
        values.push_back(value.get<double>());
    }
    return values;
}

std::vector<std::string> Fields::texts(std::string_view name) {
    std::vector<std::string> values;
    for (const Json& value : array(name)) {
        if (!value.is_string()) {
            wrong(name, "a list of strings");
            return {};
        }
        values.push_back(value.get<std::string>());
    }
    return values;
}

const Json& Fields::array(std::string_view name) {
    const Json& value = member(object_, name);
    if (value.is_array()) return value;
    wrong(name, "a list");
    return no_array;
}

const Json& Fields::object(std::string_view name) {
    const Json& value = member(object_, name);
    if (value.is_object()) return value;
    wrong(name, "an object");
    return no_object;
}

}  // namespace shed::measure
