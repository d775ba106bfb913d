#pragma once
// The files of data/, compiled in.
#include <string_view>

namespace shed::controllers {

extern const std::string_view cluster_yaml, runtimes_yaml;

}  // namespace shed::controllers
