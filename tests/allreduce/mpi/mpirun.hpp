// Runs programs under mpirun for tests and reads their JSON lines.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace allreduce {

struct Launch {
    int ranks = 2;
    std::vector<std::string> program;                // with its arguments
    std::vector<std::string> options;                // of mpirun
    std::map<std::string, std::string> environment;  // of the ranks
};

struct Finished {
    int code = -1;
    std::string output;  // standard output and error
    std::vector<nlohmann::json> lines;

    // Those of {"allreduce": kind}.
    std::vector<nlohmann::json> of(const std::string& kind) const;
};

// On the loopback only. A run that hangs ends after a minute with a code of mpirun's own.
Finished mpirun(const Launch& launch);

bool have_mpirun();

}  // namespace allreduce
