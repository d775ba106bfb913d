// Host memory and MPI_Allreduce: what MLX's mpi backend does under all_sum.
#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/host_reduction.hpp"
#include "bench/allreduce/transport.hpp"

#include <cstring>
#include <optional>

namespace allreduce {

namespace {

class MpiBackend final : public Backend {
public:
    void allocate(const Problem& problem) override {
        problem_ = problem;
        // Old memory goes first: two of the largest size might not fit.
        output_ = {};
        input_ = {};
        output_.resize(problem.bytes());
        if (!problem.in_place) input_.resize(problem.bytes());
        reduction_.emplace(problem);
    }

    void write_input(const std::byte* from) override {
        std::memcpy(problem_.in_place ? output_.data() : input_.data(), from, problem_.bytes());
    }
    void write_output(const std::byte* from) override {
        std::memcpy(output_.data(), from, problem_.bytes());
    }
    void read_output(std::byte* to) override { std::memcpy(to, output_.data(), problem_.bytes()); }

    void all_reduce() override {
        const void* from = problem_.in_place ? nullptr : input_.data();
        reduction_->all_reduce(from, output_.data(), problem_.count);
    }

    std::string algorithm() const override { return mpi_algorithm(); }

private:
    Problem problem_;
    std::vector<std::byte> input_, output_;
    std::optional<HostReduction> reduction_;
};

}  // namespace

std::unique_ptr<Backend> make_mpi_backend() { return std::make_unique<MpiBackend>(); }

}  // namespace allreduce
