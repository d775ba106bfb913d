#include "simulator/bench/bare_side.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace shed::bench {

BareSide::BareSide(AllReducePlan plan, Places places, std::string script, std::string parameters)
    : plan_(std::move(plan)),
      places_(std::move(places)),
      script_(std::move(script)),
      parameters_(std::move(parameters)) {}

std::vector<std::string> BareSide::words() const {
    std::vector<std::string> words = {"/bin/bash", script_, std::to_string(plan_.pods()),
                                      std::to_string(plan_.ranks_per_pod())};
    const auto command = mpirun_words(plan_, places_, 0);
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

boost::asio::awaitable<Result<std::string>> BareSide::run(std::chrono::seconds limit) {
    std::vector<std::string> environment = {"OMPI_MCA_mca_base_param_files=" + parameters_};
    const auto child = co_await run_child(words(), std::move(environment), limit);
    if (!child) co_return child.error();
    if (child->exit_code != 0)
        co_return Error{Reason::environment, "bare mpirun ended with " + std::to_string(child->exit_code) + ":\n" +
                                                 child->output};
    co_return child->output;
}

}  // namespace shed::bench
