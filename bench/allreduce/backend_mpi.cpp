// Host memory and MPI_Allreduce: what MLX's mpi backend does under all_sum.
#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/reduce.hpp"
#include "bench/allreduce/transport.hpp"

#include <mpi.h>
#include <cstring>

namespace allreduce {

namespace {

MPI_Datatype mpi_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::float64:
            return MPI_DOUBLE;
        case Dtype::int32:
            return MPI_INT32_T;
        case Dtype::float16:
        case Dtype::bfloat16:
            return MPI_UINT16_T;  // no MPI type has them: bits, with operations of ours
        case Dtype::float32:
            break;
    }
    return MPI_FLOAT;
}

template <class Operation, class T>
void reduce_for_mpi(void* from, void* to, int* count, MPI_Datatype*) {
    combine_into<Operation>(static_cast<T*>(to), static_cast<const T*>(from),
                            static_cast<std::size_t>(*count));
}

MPI_User_function* half_function(Dtype dtype, Op op) {
    if (dtype == Dtype::float16)
        return op == Op::max ? reduce_for_mpi<Max, Half> : reduce_for_mpi<Sum, Half>;
    return op == Op::max ? reduce_for_mpi<Max, Bfloat16> : reduce_for_mpi<Sum, Bfloat16>;
}

class MpiBackend final : public Backend {
public:
    ~MpiBackend() override { free_operation(); }

    void allocate(const Problem& problem) override {
        problem_ = problem;
        // Old memory goes first: two of the largest size might not fit.
        output_ = {};
        input_ = {};
        output_.resize(problem.bytes());
        if (!problem.in_place) input_.resize(problem.bytes());
        choose_operation();
    }

    void write_input(const std::byte* from) override {
        std::memcpy(problem_.in_place ? output_.data() : input_.data(), from, problem_.bytes());
    }
    void write_output(const std::byte* from) override {
        std::memcpy(output_.data(), from, problem_.bytes());
    }
    void read_output(std::byte* to) override { std::memcpy(to, output_.data(), problem_.bytes()); }

    void all_reduce() override {
        const void* from = problem_.in_place ? MPI_IN_PLACE : input_.data();
        MPI_Allreduce(from, output_.data(), static_cast<int>(problem_.count),
                      mpi_type(problem_.dtype), operation_, MPI_COMM_WORLD);
        // MPI has no average.
        if (problem_.op == Op::avg) divide();
    }

    std::string algorithm() const override { return mpi_algorithm(); }

private:
    void choose_operation() {
        free_operation();
        if (facts(problem_.dtype).bytes == 2) {
            MPI_Op_create(half_function(problem_.dtype, problem_.op), 1, &operation_);
            owned_ = true;
        } else {
            operation_ = problem_.op == Op::max ? MPI_MAX : MPI_SUM;
        }
    }

    void free_operation() {
        if (owned_) MPI_Op_free(&operation_);
        owned_ = false;
    }

    void divide() {
        with_type(problem_.dtype, [&](auto type) {
            using T = decltype(type);
            average_all(reinterpret_cast<T*>(output_.data()), problem_.count, problem_.ranks);
        });
    }

    Problem problem_;
    std::vector<std::byte> input_, output_;
    MPI_Op operation_ = MPI_OP_NULL;
    bool owned_ = false;
};

}  // namespace

std::unique_ptr<Backend> make_mpi_backend() { return std::make_unique<MpiBackend>(); }

}  // namespace allreduce
