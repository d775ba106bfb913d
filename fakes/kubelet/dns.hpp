#pragma once
// The cluster's DNS as podinit's holder serves it, from Services and pods: Kubernetes' rules for
// headless services, host names and not-ready pods. Pure.
#include "fakes/kube/kube.hpp"

namespace shed::kubelet {

struct DnsPod {
    ObjectPtr pod;
    std::string ip;
    bool ready = false;
    bool terminal = false;
};

std::string dns_table(const std::vector<ObjectPtr>& services, const std::vector<DnsPod>& pods);

}  // namespace shed::kubelet
