// Open MPI's parameters as this process sees them, and where each came from.
//
// MPI_T control variables have values but no sources, so this asks Open MPI's own mca_base_var_dump
// (libopen-pal, the function behind ompi_info, 4.x and 5.x), found by dlsym in the MPI that is
// loaded. Without it there is nothing to say.
#pragma once

#include "bench/allreduce/row.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace allreduce {

// Of a line "name=value (source)", the form that mca_base_var_dump calls simple.
std::optional<McaParameter> parse_mca(std::string_view line);

// Did mpirun set it for its own use, such as the daemon's address?
bool is_runtime_own(std::string_view name);

// The names after --mca and its like in a command line whose words end in NUL (/proc/PID/cmdline);
// none when it is not mpirun's.
std::vector<std::string> names_on_command_line(std::string_view command_line);

// Those that someone set: no defaults, nothing of the runtime's own. mpirun hands --mca down by the
// environment; its command line, where this process is its child, tells which came from there.
std::vector<McaParameter> set_parameters(std::vector<McaParameter> all,
                                         const std::vector<std::string>& by_command_line);

// All of this process's; after MPI_Init.
std::vector<McaParameter> mca_parameters();
std::vector<McaParameter> mca_parameters_set();
// "" when there is no such parameter.
std::string mca_value(const std::vector<McaParameter>& parameters, std::string_view name);

}  // namespace allreduce
