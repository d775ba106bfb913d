#pragma once
// The floor of making a pod: the kernel's calls for the same namespaces, veth pair, address, mounts
// and program, one after the other, without what a kubelet needs around them (a protocol, a log, an
// exit file, a process that reaps and stops).
#include <string>

namespace shed::bench {

// A process in a user and a network namespace of its own, with a bridge, that makes such pods.
class Calls {
public:
    // `mount_point`: an empty directory to build roots on.
    explicit Calls(std::string mount_point);
    ~Calls();
    Calls(const Calls&) = delete;
    // Makes a pod, runs the program of a container's SPEC file (podinit's protocol) in it to its
    // end, and removes the pod. Seconds for all of it; a call that fails ends the program.
    double one_pod(const std::string& spec);

private:
    [[noreturn]] void serve(const std::string& mount_point);
    int process_ = -1;
    int to_[2] = {-1, -1}, from_[2] = {-1, -1};
};

}  // namespace shed::bench
