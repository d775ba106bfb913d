// The table a person reads, in the columns of nccl-tests, so that what parses those parses this.
#pragma once

#include "bench/allreduce/row.hpp"

#include <string>

namespace allreduce {

std::string table_head(const Options& options, const RunFacts& facts);
std::string table_row(const Row& row);
std::string table_end(std::size_t wrong);

}  // namespace allreduce
