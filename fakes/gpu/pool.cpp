#include "fakes/gpu/gpu.hpp"

#include <algorithm>

namespace shed {

GpuPool::GpuPool(std::vector<Gpu> gpus, int share) : gpus_(std::move(gpus)), share_(share) {}

std::map<std::string, int> GpuPool::counts() const {
    std::map<std::string, int> counts;
    for (const Gpu& gpu : gpus_) ++counts[gpu.resource()];
    return counts;
}

bool GpuPool::lend(const std::string& holder, const std::string& resource, int count,
                   const std::vector<std::string>& among, std::vector<Gpu>& lent) {
    lent_.erase(holder);
    lent.clear();
    if (count <= 0) return true;
    std::vector<int> uses(gpus_.size(), 0);
    for (const auto& [other, indexes] : lent_)
        for (const std::size_t index : indexes) ++uses[index];
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
        const bool chosen = among.empty() ||
                            std::find(among.begin(), among.end(), gpus_[i].uuid) != among.end();
        const bool free = share_ == 0 || uses[i] < share_;
        if (chosen && free && gpus_[i].resource() == resource) order.push_back(i);
    }
    if (share_ > 0 && order.size() < static_cast<std::size_t>(count)) return false;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return uses[a] < uses[b]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
    for (const std::size_t index : order) lent.push_back(gpus_[index]);
    if (!order.empty()) lent_[holder] = std::move(order);
    return true;
}

void GpuPool::take_back(const std::string& holder_prefix) {
    std::erase_if(lent_, [&](const auto& entry) { return entry.first.starts_with(holder_prefix); });
}

int GpuPool::lent() const {
    std::size_t count = 0;
    for (const auto& [holder, indexes] : lent_) count += indexes.size();
    return static_cast<int>(count);
}

}  // namespace shed
