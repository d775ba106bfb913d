#pragma once
// The style sheet and the script of the report, compiled in.
#include <string_view>

namespace shed::measure {

extern const std::string_view report_css, report_js;

}  // namespace shed::measure
