// The program's own dealings between ranks. All by PMPI_ names: a library that interposes
// MPI_Allreduce, to pace or to break it, sees the measured calls and no others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace allreduce {

class Ranks {
public:
    // After MPI_Init; all ranks.
    Ranks();

    int rank() const { return rank_; }
    int size() const { return size_; }

    void barrier() const;
    // Element by element over all ranks.
    std::vector<double> max(std::vector<double> values) const;
    std::vector<double> sum(std::vector<double> values) const;
    bool any(bool value) const;
    double sum(double value) const { return sum(std::vector<double>{value})[0]; }
    double max(double value) const { return max(std::vector<double>{value})[0]; }
    // Rank 0's.
    int from_first(int value) const;
    // By rank; at all ranks.
    std::vector<std::string> gather(const std::string& text) const;
    // By rank: `size` bytes each.
    void gather_bytes(const void* mine, void* all, std::size_t size) const;

private:
    int rank_ = 0, size_ = 1;
};

}  // namespace allreduce
