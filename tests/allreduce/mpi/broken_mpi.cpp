// An MPI whose all-reduce fails, to be preloaded by tests. BROKEN_MPI=flip: the last bit of rank
// 1's last byte. BROKEN_MPI=idle: from the 20th call on nothing happens.
#include <mpi.h>
#include <cstdlib>
#include <string_view>

namespace {

bool is_broken_by(std::string_view way) {
    const char* chosen = std::getenv("BROKEN_MPI");
    return chosen && chosen == way;
}

}  // namespace

extern "C" int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op,
                             MPI_Comm comm) {
    static int calls = 0;
    if (is_broken_by("idle") && ++calls >= 20) return MPI_SUCCESS;
    const int code = PMPI_Allreduce(from, to, count, type, op, comm);
    int rank = 0, size = 0;
    PMPI_Comm_rank(comm, &rank);
    PMPI_Type_size(type, &size);
    if (is_broken_by("flip") && rank == 1)
        static_cast<char*>(to)[static_cast<long>(count) * size - 1] ^= 1;
    return code;
}
