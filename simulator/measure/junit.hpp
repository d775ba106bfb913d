#pragma once
// JUnit XML for CI systems (the schema of Apache Ant's junitreport, as Jenkins, GitLab and GitHub's
// reporters read it).
#include "simulator/measure/compare.hpp"

#include <string>

namespace shed::measure {

// One test case per size: a regression is a failure with its figures, too noisy is skipped with the
// reason. A verdict that no size explains, such as wrong results while warming up, is a case of its
// own. Any input gives well-formed XML.
std::string to_junit(const BenchResult& result);
std::string to_junit(const Comparison& comparison, std::string_view suite);

}  // namespace shed::measure
