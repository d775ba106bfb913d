#include "bench/allreduce/ranks.hpp"

#include <mpi.h>
#include <algorithm>
#include <cstring>

namespace allreduce {

namespace {

constexpr std::size_t gathered_text_bytes = 256;

std::vector<double> reduced(std::vector<double> values, MPI_Op op) {
    PMPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, op,
                   MPI_COMM_WORLD);
    return values;
}

}  // namespace

Ranks::Ranks() {
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    PMPI_Comm_size(MPI_COMM_WORLD, &size_);
}

void Ranks::barrier() const { PMPI_Barrier(MPI_COMM_WORLD); }

std::vector<double> Ranks::max(std::vector<double> values) const {
    return reduced(std::move(values), MPI_MAX);
}

std::vector<double> Ranks::sum(std::vector<double> values) const {
    return reduced(std::move(values), MPI_SUM);
}

bool Ranks::any(bool value) const { return max(value ? 1.0 : 0.0) > 0; }

int Ranks::from_first(int value) const {
    PMPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return value;
}

std::vector<std::string> Ranks::gather(const std::string& text) const {
    char mine[gathered_text_bytes] = {};
    std::memcpy(mine, text.data(), std::min(text.size(), gathered_text_bytes - 1));
    std::vector<char> all(gathered_text_bytes * static_cast<std::size_t>(size_));
    gather_bytes(mine, all.data(), gathered_text_bytes);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < all.size(); i += gathered_text_bytes)
        texts.emplace_back(all.data() + i);
    return texts;
}

void Ranks::gather_bytes(const void* mine, void* all, std::size_t size) const {
    const auto bytes = static_cast<int>(size);
    PMPI_Allgather(mine, bytes, MPI_BYTE, all, bytes, MPI_BYTE, MPI_COMM_WORLD);
}

}  // namespace allreduce
