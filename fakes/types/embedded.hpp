#pragma once
// The data files of this folder, built into the program by embed.cmake.
#include <string_view>

namespace shed::embedded {

extern const std::string_view table_txt;
extern const std::string_view crd_schemas_json;
extern const std::string_view go_structs_txt;

}  // namespace shed::embedded
