#include "bench/allreduce/pace/pace.hpp"

#include "bench/allreduce/pace/link_file.hpp"

#include <mpi.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

namespace pace {

namespace {

constexpr int usage = 2;
// A sleeper is late by about this much; what is left is waited for awake.
constexpr std::int64_t wake_up_ns = 60'000;

std::atomic<std::uint64_t> calls{0}, infeasible{0};

const char* link_path() {
    const char* path = std::getenv("TRAINSHED_LINK");
    return path ? path : "";
}

// Read once. A link that cannot be understood ends the program: a run that only seems paced is
// worse.
const std::optional<Link>& link() {
    static const std::optional<Link> the_link = []() -> std::optional<Link> {
        if (!*link_path()) return std::nullopt;
        const auto read = read_link(link_path());
        if (const auto* complaint = std::get_if<Complaint>(&read)) {
            std::fprintf(stderr, "trainshed_pace: TRAINSHED_LINK: %s\n", complaint->text.c_str());
            std::_Exit(usage);
        }
        return std::get<Link>(read);
    }();
    return the_link;
}

// One clock for all processes of a machine.
std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void wait_until(std::int64_t deadline_ns) {
    // The default lets the kernel wake a sleeper 50 us late.
    thread_local const int slack = prctl(PR_SET_TIMERSLACK, 1UL);
    static_cast<void>(slack);
    const std::int64_t sleep_end = deadline_ns - wake_up_ns;
    if (sleep_end > now_ns()) {
        const timespec end = {sleep_end / 1'000'000'000, sleep_end % 1'000'000'000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr);
    }
    // Ranks may be more than cores: one that waits lets another reach its deadline.
    while (now_ns() < deadline_ns) sched_yield();
}

void pace_until(std::int64_t deadline_ns) {
    ++calls;
    if (now_ns() > deadline_ns) ++infeasible;
    else wait_until(deadline_ns);
}

int ranks_of(MPI_Comm comm) {
    int ranks = 1, is_inter = 0;
    PMPI_Comm_test_inter(comm, &is_inter);
    if (!is_inter) PMPI_Comm_size(comm, &ranks);
    return ranks;  // 1, so not paced, between two groups: no formula here covers those
}

double bytes_of(int count, MPI_Datatype type) {
    int size = 0;
    PMPI_Type_size(type, &size);
    return static_cast<double>(count) * size;
}

bool is_paced(MPI_Comm comm) { return link().has_value() && ranks_of(comm) > 1; }

std::int64_t target_ns(double us) { return static_cast<std::int64_t>(us * 1e3); }

// Nobody has the result before the last has brought its part.
std::int64_t last_arrival(std::int64_t own_ns, MPI_Comm comm) {
    PMPI_Allreduce(MPI_IN_PLACE, &own_ns, 1, MPI_INT64_T, MPI_MAX, comm);
    return own_ns;
}

// The boot's id, since clocks of two machines cannot be compared.
void require_one_machine() {
    if (!link()) return;
    char id[64] = {};
    if (FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "r")) {
        if (!std::fgets(id, sizeof id, file)) id[0] = '\0';
        std::fclose(file);
    }
    const auto mine = static_cast<std::int64_t>(std::hash<std::string_view>{}(id));
    std::int64_t extremes[2] = {mine, ~mine};  // the maximum of the complements tells the minimum
    PMPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
    if (extremes[0] == ~extremes[1]) return;
    std::fputs("trainshed_pace: ranks are on several machines; pacing needs them on one\n", stderr);
    PMPI_Abort(MPI_COMM_WORLD, usage);
}

}  // namespace

}  // namespace pace

extern "C" {

std::uint64_t trainshed_pace_calls() { return pace::calls; }
std::uint64_t trainshed_pace_infeasible() { return pace::infeasible; }
const char* trainshed_pace_link() { return pace::link_path(); }
double trainshed_pace_target_us(int ranks, std::size_t bytes) {
    return pace::link() ? pace::all_reduce_us(*pace::link(), ranks, static_cast<double>(bytes)) : 0;
}

int MPI_Init(int* argc, char*** argv) {
    pace::link();
    const int code = PMPI_Init(argc, argv);
    if (code == MPI_SUCCESS) pace::require_one_machine();
    return code;
}

int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
    pace::link();
    const int code = PMPI_Init_thread(argc, argv, required, provided);
    if (code == MPI_SUCCESS) pace::require_one_machine();
    return code;
}

int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype type, MPI_Op op,
                  MPI_Comm comm) {
    const std::int64_t start_ns = pace::now_ns();
    const int code = PMPI_Allreduce(from, to, count, type, op, comm);
    if (code != MPI_SUCCESS || !pace::is_paced(comm)) return code;
    const double us =
        pace::all_reduce_us(*pace::link(), pace::ranks_of(comm), pace::bytes_of(count, type));
    pace::pace_until(pace::last_arrival(start_ns, comm) + pace::target_ns(us));
    return code;
}

int MPI_Allgather(const void* from, int from_count, MPI_Datatype from_type, void* to, int to_count,
                  MPI_Datatype to_type, MPI_Comm comm) {
    const std::int64_t start_ns = pace::now_ns();
    const int code = PMPI_Allgather(from, from_count, from_type, to, to_count, to_type, comm);
    if (code != MPI_SUCCESS || !pace::is_paced(comm)) return code;
    const double us =
        pace::all_gather_us(*pace::link(), pace::ranks_of(comm), pace::bytes_of(to_count, to_type));
    pace::pace_until(pace::last_arrival(start_ns, comm) + pace::target_ns(us));
    return code;
}

int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    std::int64_t root_start_ns = pace::now_ns();
    const int code = PMPI_Bcast(data, count, type, root, comm);
    if (code != MPI_SUCCESS || !pace::is_paced(comm)) return code;
    PMPI_Bcast(&root_start_ns, 1, MPI_INT64_T, root, comm);
    const double us =
        pace::broadcast_us(*pace::link(), pace::ranks_of(comm), pace::bytes_of(count, type));
    pace::pace_until(root_start_ns + pace::target_ns(us));
    return code;
}

}  // extern "C"
