#pragma once
// Results for a terminal: fits 100 columns, needs no colour.
#include "simulator/measure/compare.hpp"

#include <string>

namespace shed::measure {

// What was measured, one line per size, then why the verdict is what it is. Ends with a line break.
std::string table_text(const BenchResult& result);
std::string table_text(const Comparison& comparison);

}  // namespace shed::measure
