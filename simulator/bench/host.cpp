#include "simulator/bench/host.hpp"

#include "fakes/images/images.hpp"
#include "fakes/kubelet/host_mount.hpp"
#include "simulator/paths.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace shed::bench {

namespace {

namespace fs = std::filesystem;

constexpr auto pressure_window = std::chrono::milliseconds(100);
constexpr const char* parameters_in_image = "/etc/openmpi/openmpi-mca-params.conf";

HostMount mount_of(const std::string& source, const std::string& target) {
    HostMount mount;
    mount.source = fs::canonical(source).string();
    mount.target = target;
    mount.file = !fs::is_directory(source);
    return mount;
}

std::string python_path_of(const Environment& environment) {
    std::string path;
    for (const std::string& layer : environment.layers) {
        std::error_code ec;
        for (const auto& entry : fs::directory_iterator(fs::path(layer) / "usr/local/lib", ec)) {
            if (!entry.path().filename().string().starts_with("python3")) continue;
            path += (path.empty() ? "" : ":") + (entry.path() / "dist-packages").string();
        }
    }
    return path;
}

Result<Environment> environment_of(const AllReducePlan& plan) {
    const auto catalogue =
        Catalogue::load(shared_file("images.yaml"), user_catalogue_file(), default_environments_dir());
    if (!catalogue) return catalogue.error();
    return catalogue->resolve(plan.backend == "mlx" ? "ghcr.io/kubeflow/trainer/mlx-runtime" : "mpioperator/openmpi");
}

std::string value_in(const std::string& file, const std::string& name) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(name)) continue;
        const auto at = line.find_first_not_of(" \t", line.find(':') + 1);
        return at == std::string::npos ? "" : line.substr(at);
    }
    return "";
}

// "2 x NVIDIA H100", from the driver's own files; of a machine whose GPUs differ, the first.
std::string gpu_text() {
    std::error_code ec;
    int count = 0;
    std::string model;
    for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", ec)) {
        std::string name = value_in(entry.path() / "information", "Model");
        name.erase(0, name.find_first_not_of(" \t"));
        if (count++ == 0) model = name;
    }
    return count == 0 ? "" : std::to_string(count) + " x " + model;
}

// Microseconds since boot in which some process waited for a processor; nothing where the kernel does not count.
std::optional<double> stalled_us() {
    const std::string line = first_line("/proc/pressure/cpu");
    const auto at = line.find("total=");
    if (at == std::string::npos) return std::nullopt;
    return std::strtod(line.c_str() + at + 6, nullptr);
}

}  // namespace

Result<HostSide> host_side(const AllReducePlan& plan, const std::string& link_file) {
    auto environment = environment_of(plan);
    if (!environment) return environment.error();
    HostSide side;
    side.places.program = beside_us("allreduce");
    side.places.mlx_program = beside_us("mlx_allreduce.py");
    side.places.pace_library = beside_us("libtrainshed_pace.so");
    side.places.python = "/usr/bin/python3";
    side.places.python_path = python_path_of(*environment);
    side.places.link_file = link_file;
    side.script = shared_file("bench/bare-nodes");
    for (const std::string& file : {side.places.program, side.places.mlx_program, side.script})
        if (!fs::exists(file))
            return Error{Reason::environment,
                         file + " is not there; it is built and installed with trainshed where Open MPI's "
                                "development files are (libopenmpi-dev)"};
    side.mounts.push_back(mount_of(fs::path(side.places.program).parent_path(), "/opt/trainshed/bin"));
    if (!link_file.empty()) side.mounts.push_back(mount_of(link_file, in_pods(plan).link_file));
    for (const auto& [path, content] : environment->files)
        if (path == parameters_in_image) side.mca_parameters = content;
    return side;
}

measure::MachineFacts machine_facts() {
    measure::MachineFacts facts;
    facts.cpu_model = value_in("/proc/cpuinfo", "model name");
    facts.cores = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    struct sysinfo info{};
    if (::sysinfo(&info) == 0) facts.memory_bytes = std::uint64_t{info.totalram} * info.mem_unit;
    struct utsname name{};
    if (::uname(&name) == 0) facts.kernel = name.release;
    facts.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    facts.gpu = gpu_text();
    facts.load_before = load_average();
    return facts;
}

double load_average() {
    double load = 0;
    return ::getloadavg(&load, 1) == 1 ? load : 0;
}

double pressure_share() {
    const auto before = stalled_us();
    std::this_thread::sleep_for(pressure_window);
    const auto after = stalled_us();
    if (!before || !after) return 0;
    return std::clamp((*after - *before) / std::chrono::duration<double, std::micro>(pressure_window).count(), 0.0, 1.0);
}

}  // namespace shed::bench
