// Every type, operation and place in one launch: prints a row line for each. For tests.
#include "bench/allreduce/lines.hpp"
#include "bench/allreduce/measure.hpp"

#include <mpi.h>
#include <cstdio>

namespace allreduce {
namespace {

void measure_all(const Ranks& ranks, Backend& backend, Options options) {
    const Pacing pacing;
    Measurement measurement(options, ranks, pacing, backend);
    // Fewer elements than ranks, and more than a period of the pattern.
    for (const std::uint64_t count : {1, 20'000}) {
        const Row row = measurement.measure(count * facts(options.dtype).bytes);
        if (ranks.rank() == 0) std::printf("%s\n", row_line(row).c_str());
    }
}

}  // namespace
}  // namespace allreduce

int main(int argc, char** argv) {
    using namespace allreduce;
    MPI_Init(&argc, &argv);
    {
        const Ranks ranks;
        const auto backend = make_mpi_backend();
        Options options;
        options.iterations = 5;
        options.warmup = 1;
        for (const Dtype dtype :
             {Dtype::float32, Dtype::float16, Dtype::bfloat16, Dtype::float64, Dtype::int32}) {
            for (const Op op : {Op::sum, Op::max, Op::avg}) {
                for (const bool in_place : {false, true}) {
                    options.dtype = dtype;
                    options.op = op;
                    options.in_place = in_place;
                    measure_all(ranks, *backend, options);
                }
            }
        }
    }
    MPI_Finalize();
}
