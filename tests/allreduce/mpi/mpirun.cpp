#include "mpirun.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <sstream>

namespace allreduce {

namespace {

std::string quoted(const std::string& word) { return "'" + word + "' "; }

std::string command_of(const Launch& launch) {
    std::string command = quoted(MPIRUN) + "-n " + std::to_string(launch.ranks) + " ";
    command += "--allow-run-as-root --oversubscribe --bind-to none --timeout 60 ";
    command += "--mca btl_tcp_if_include lo --mca oob_tcp_if_include lo ";
    for (const std::string& option : launch.options) command += quoted(option);
    // Open MPI itself leaks, and a preloaded library comes before the sanitizer's.
    command += "-x ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 ";
    for (const auto& [name, value] : launch.environment)
        command += "-x " + quoted(name + "=" + value);
    for (const std::string& word : launch.program) command += quoted(word);
    return command + "2>&1";
}

}  // namespace

std::vector<nlohmann::json> Finished::of(const std::string& kind) const {
    std::vector<nlohmann::json> found;
    for (const nlohmann::json& line : lines)
        if (line.at("allreduce") == kind) found.push_back(line);
    return found;
}

Finished mpirun(const Launch& launch) {
    Finished finished;
    FILE* pipe = popen(command_of(launch).c_str(), "r");
    if (!pipe) return finished;
    char part[4096];
    while (const std::size_t size = std::fread(part, 1, sizeof part, pipe))
        finished.output.append(part, size);
    const int status = pclose(pipe);
    finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    std::istringstream text(finished.output);
    for (std::string line; std::getline(text, line);)
        if (line.starts_with("{\"allreduce\""))
            finished.lines.push_back(nlohmann::json::parse(line));
    return finished;
}

bool have_mpirun() { return access(MPIRUN, X_OK) == 0; }

}  // namespace allreduce
