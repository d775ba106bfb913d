#include "bench/allreduce/blocks.hpp"

#include <algorithm>

namespace allreduce {

int next_block(int done, double elapsed_s, int iterations, double budget_s) {
    if (done < iterations_min) return std::min(iterations, iterations_min) - done;
    const double left_s = budget_s - elapsed_s;
    if (done >= iterations || left_s <= 0) return 0;
    const double each_s = elapsed_s / done;
    const double wanted = each_s > 0 ? left_s / each_s / 4 : iterations;
    const auto left = static_cast<double>(iterations - done);
    return static_cast<int>(std::clamp(wanted, 1.0, left));
}

}  // namespace allreduce
