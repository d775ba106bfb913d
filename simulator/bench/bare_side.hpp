#pragma once
// The floor: the same program under mpirun on nodes that share nothing with Trainshed (share/trainshed/bench/bare-nodes),
// with Open MPI's parameters as the pods have them.
#include "simulator/bench/child.hpp"
#include "simulator/bench/plan.hpp"

namespace shed::bench {

class BareSide {
public:
    // `parameters`: a file of Open MPI's parameters, the pods' own text.
    BareSide(AllReducePlan plan, Places places, std::string script, std::string parameters);

    // The words it runs, for the report.
    std::vector<std::string> words() const;
    // What the program and mpirun printed. Error: it failed, with the end of its output.
    boost::asio::awaitable<Result<std::string>> run(std::chrono::seconds limit);

private:
    AllReducePlan plan_;
    Places places_;
    std::string script_, parameters_;
};

}  // namespace shed::bench
