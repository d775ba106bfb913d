// When a loop of measured calls ends. All ranks must make the same number of calls, so rank 0
// decides block by block.
#pragma once

namespace allreduce {

// A budget never cuts below so many measured calls.
constexpr int iterations_min = 5;

// How many calls to make next, after `done` calls in `elapsed_s` seconds; 0 ends the loop. A block
// is a quarter of what the budget seems to leave, so that few blocks suffice and a machine that
// turns slow is noticed.
int next_block(int done, double elapsed_s, int iterations, double budget_s);

}  // namespace allreduce
