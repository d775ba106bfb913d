#include "bench/allreduce/transport.hpp"

#include "bench/allreduce/mca.hpp"
#include "bench/allreduce/tcp_bytes.hpp"

#include <dlfcn.h>
#include <mpi.h>
#include <fstream>

namespace allreduce {

namespace {

constexpr int probe_count = 1 << 18;  // floats: 1 MiB
constexpr std::uint64_t probe_bytes_min =
    1 << 16;  // more than mpirun's own chatter, less than any rank must move

std::string own_maps() {
    std::ifstream file("/proc/self/maps");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string selected_pml() {
    constexpr std::size_t component_bytes = 160;
    const auto* component =
        static_cast<const char*>(dlsym(RTLD_DEFAULT, "mca_pml_base_selected_component"));
    return component ? component_name({component, component_bytes}, "pml") : "";
}

}  // namespace

std::vector<std::string> probe_transports(const Ranks& ranks) {
    std::vector<float> values(probe_count, 1.0f);
    const std::uint64_t before = tcp_bytes_moved();
    PMPI_Allreduce(MPI_IN_PLACE, values.data(), probe_count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    const std::string maps = own_maps();
    Traffic traffic;
    traffic.ranks = ranks.size();
    traffic.tcp = ranks.any(tcp_bytes_moved() - before >= probe_bytes_min);
    // One's own segment is always there.
    traffic.vader = ranks.any(count_segments(maps, "vader_segment") > 1);
    traffic.sm = ranks.any(count_segments(maps, "sm_segment") > 1);
    traffic.pml = selected_pml();
    return transport_names(traffic);
}

std::string mpi_algorithm() {
    const auto parameters = mca_parameters();
    const std::string rules = mca_value(parameters, "coll_tuned_use_dynamic_rules");
    const std::string algorithm = mca_value(parameters, "coll_tuned_allreduce_algorithm");
    const bool pinned =
        (rules == "true" || rules == "1") && !algorithm.empty() && algorithm != "ignore";
    return pinned ? algorithm + " (pinned)" : "Open MPI's choice by size";
}

bool yields_when_idle() {
    // Hands back the old value. The parameter is not enough: mpirun --oversubscribe makes ranks
    // yield, too.
    const auto set =
        reinterpret_cast<bool (*)(bool)>(dlsym(RTLD_DEFAULT, "opal_progress_set_yield_when_idle"));
    if (!set) return mca_value(mca_parameters(), "mpi_yield_when_idle") == "true";
    const bool yields = set(true);
    set(yields);
    return yields;
}

}  // namespace allreduce
