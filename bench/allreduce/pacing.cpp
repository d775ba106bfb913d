#include "bench/allreduce/pacing.hpp"

#include <dlfcn.h>

namespace allreduce {

namespace {

template <class Function>
void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

Pacing::Pacing() {
    find("trainshed_pace_calls", calls_);
    find("trainshed_pace_infeasible", infeasible_);
    find("trainshed_pace_target_us", target_us_);
    find("trainshed_pace_link", link_);
}

std::optional<double> Pacing::target_us(int ranks, std::size_t bytes) const {
    if (link().empty() || !target_us_) return std::nullopt;
    return target_us_(ranks, bytes);
}

std::string Pacing::link() const { return link_ ? link_() : ""; }

}  // namespace allreduce
