#include "bench/allreduce/run_facts.hpp"

#include "bench/allreduce/machine.hpp"
#include "bench/allreduce/mca.hpp"
#include "bench/allreduce/transport.hpp"

#include <mpi.h>
#include <sched.h>
#include <unistd.h>
#include <algorithm>

namespace allreduce {

namespace {

std::string library_version() {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
    int length = 0;
    PMPI_Get_library_version(text, &length);
    std::string version(text);
    return version.substr(0, version.find('\n'));
}

std::string processor_name() {
    char text[MPI_MAX_PROCESSOR_NAME] = {};
    int length = 0;
    PMPI_Get_processor_name(text, &length);
    return text;
}

int cpus_of(pid_t process) {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(process, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

// How vader copies a large message: "cma" (the kernel, once) or "none" (twice, by way of the
// segment).
std::string single_copy(const std::vector<McaParameter>& parameters) {
    const std::string vader = mca_value(parameters, "btl_vader_single_copy_mechanism");
    return vader.empty() ? mca_value(parameters, "smsc") : vader;
}

}  // namespace

RunFacts gather_facts(const Ranks& ranks, const Start& start, int argc, const char* const* argv) {
    RunFacts facts;
    facts.ranks = ranks.size();
    facts.hosts = count_hosts(ranks.gather(processor_name()));
    facts.mpi = library_version();
    facts.transports = probe_transports(ranks);
    const auto parameters = mca_parameters();
    const bool by_memory =
        std::any_of(facts.transports.begin(), facts.transports.end(),
                    [](const std::string& name) { return name == "vader" || name == "sm"; });
    if (by_memory) facts.single_copy = single_copy(parameters);
    facts.yield_when_idle = yields_when_idle();
    facts.mca = mca_parameters_set();
    facts.cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    facts.cpus_allowed = cpus_of(0);
    facts.binding = binding_name(facts.cpus_allowed, cpus_of(getppid()), facts.cores);
    facts.unix_s = start.unix_s;
    facts.mpi_init_s = start.mpi_init_s;
    facts.init_done_unix_s = start.init_done_unix_s;
    facts.first_collective_s = start.first_collective_s;
    facts.argv.assign(argv, argv + argc);
    return facts;
}

}  // namespace allreduce
