#pragma once
// The few rtnetlink requests a cluster's network needs. Each returns "" or why it failed.
#include <string>

namespace shed::podinit {

std::string set_link_up(const char* name);
std::string make_bridge(const char* name);
// A veth pair: `host_end` here, on `bridge`; `pod_end` in the network namespace of process `pid`, with
// a link address that goes with its IPv4 `address`, so that who gets it next is known by the same.
std::string make_veth(const char* host_end, const char* pod_end, int pid, const char* bridge, const char* address);
std::string add_address(const char* interface, const char* address, int prefix);
std::string add_default_route(const char* gateway);

}  // namespace shed::podinit
