// The JSON lines that a program reads: one object per line, told apart from other output by the key
// "allreduce". Schema 1; README.md lists the fields. A line is shorter than 8 KiB, so that it
// survives a container's log.
#pragma once

#include "bench/allreduce/row.hpp"

#include <string>
#include <vector>

namespace allreduce {

constexpr std::size_t line_bytes_max = 8191;

std::string run_line(const Options& options, const RunFacts& facts);
std::string row_line(const Row& row);
// As many lines as the samples of one row take; each under 4 KiB, which a pipe takes at once.
std::vector<std::string> sample_lines(const Row& row);
std::string end_line(std::size_t wrong, double seconds);

}  // namespace allreduce
