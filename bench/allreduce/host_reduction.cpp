#include "bench/allreduce/host_reduction.hpp"

#include "bench/allreduce/reduce.hpp"

#include <mpi.h>

namespace allreduce {

namespace {

MPI_Datatype mpi_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::float64:
            return MPI_DOUBLE;
        case Dtype::int32:
            return MPI_INT32_T;
        case Dtype::float16:
        // No MPI type has them: bits, with operations of ours.
        case Dtype::bfloat16:
            return MPI_UINT16_T;
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

}  // namespace

struct HostReduction::Operation {
    MPI_Op op = MPI_OP_NULL;
    bool is_ours = false;
};

HostReduction::HostReduction(const Problem& problem)
    : problem_(problem), operation_(std::make_unique<Operation>()) {
    operation_->is_ours = facts(problem.dtype).bytes == 2;
    if (operation_->is_ours)
        MPI_Op_create(half_function(problem.dtype, problem.op), 1, &operation_->op);
    else operation_->op = problem.op == Op::max ? MPI_MAX : MPI_SUM;
}

HostReduction::~HostReduction() {
    if (operation_->is_ours) MPI_Op_free(&operation_->op);
}

void HostReduction::all_reduce(const void* from, void* to, std::size_t count) const {
    MPI_Allreduce(from ? from : MPI_IN_PLACE, to, static_cast<int>(count), mpi_type(problem_.dtype),
                  operation_->op, MPI_COMM_WORLD);
    if (problem_.op != Op::avg) return;
    // MPI has no average.
    with_type(problem_.dtype, [&](auto type) {
        average_all(static_cast<decltype(type)*>(to), count, problem_.ranks);
    });
}

}  // namespace allreduce
