#pragma once
// From the requests and limits of a pod to what the kernel is told: ResourceConfigForPod and
// generateLinuxContainerResources of the kubelet (pkg/kubelet/cm/helpers_linux.go and
// pkg/kubelet/kuberuntime, Kubernetes v1.36). Pure.
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/kube/kube.hpp"

namespace shed::kubelet {

// `cores`: of this machine. A cpu limit of as many or more can never hold anybody back and is left
// out. `pids`: the most processes of a pod.
CgroupLimits pod_limits(const Json& pod_spec, std::int64_t cores, std::int64_t pids);
// Of a container of that pod.
CgroupLimits container_limits(const Json& pod_spec, const Json& container, std::int64_t cores);

}  // namespace shed::kubelet
