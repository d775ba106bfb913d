#pragma once
// The Node object and its lease, as a kubelet writes them. Pure but for asking the kernel its name.
#include "fakes/kubelet/kubelet.hpp"

namespace shed::kubelet {

Json node_json(const KubeletConfig& config, Time now);          // with status
Json node_status_patch(const KubeletConfig& config, Time now);  // {"status": ...}
Json lease_json(const KubeletConfig& config, const std::string& node_uid, Time now);
std::map<std::string, std::string> allocatable(const KubeletConfig& config);

}  // namespace shed::kubelet
