#pragma once
// The few rtnetlink requests a cluster's network needs. Each returns "" or why it failed.
#include <string>

namespace shed::podinit {

std::string set_link_up(const char* name);
std::string make_bridge(const char* name);
// A veth pair: `host_end` here, on `bridge`; `pod_end` in the network namespace of process `pid`.
std::string make_veth(const char* host_end, const char* pod_end, int pid, const char* bridge);
std::string add_address(const char* interface, const char* address, int prefix);
std::string add_default_route(const char* gateway);

}  // namespace shed::podinit
