#pragma once
// One line per event on stderr: `level event key=value ...`. info is silent unless asked for; warn means the emulation
// departs from reality and the user should look before trusting the result; error means we are about to give up.
#include <initializer_list>
#include <string_view>
#include <utility>

namespace shed {

enum class LogLevel { debug, info, warn, error };
using LogField = std::pair<std::string_view, std::string_view>;

void set_log_level(LogLevel least);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace shed
