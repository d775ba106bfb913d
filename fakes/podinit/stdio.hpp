#pragma once
// Standard streams of a command in a container, made inside: pipes or a terminal, whose other ends
// go to the kubelet.
#include "fakes/podinit/spec.hpp"
#include "fakes/podinit/util.hpp"

namespace shed::podinit {

// A socket that carries one descriptor at a time, between processes that share no table of them.
bool send_descriptor(int socket, int descriptor);
int receive_descriptor(int socket);  // does not wait; -1: there is none

class Stdio {
public:
    // True when `record` was one of stdin, stdout, stderr, tty: what the command is to have. The
    // rest is /dev/null; a terminal is all three.
    bool take(const Record& record);
    // Makes what can be made outside. The pipes become `uid`'s, so that it can open /dev/stdout
    // again, unless `single`.
    std::string open(long uid, bool single);
    bool terminal() const { return terminal_; }
    // In the process that will be the command, in the container's mount namespace and still with
    // privileges: its streams become descriptors 0 to 2, and a terminal the controlling one of a
    // new session.
    std::string become(long uid, bool single);
    // In a process between the two, which has no use for the kubelet's ends.
    void forget_outer();
    // The terminal again, for another process that has this object, after become() was called; -1:
    // there is none.
    int terminal_again() const { return receive_descriptor(receiver_.get()); }
    // In the holder, when the command runs: the kubelet's ends, in the order stdin, stdout, stderr
    // of those asked for, or the terminal alone. The caller owns them.
    std::vector<int> release();

private:
    std::string become_terminal(long uid, bool single);

    bool wanted_[3] = {};
    bool terminal_ = false;
    Descriptor inner_[3], outer_[3];
    Descriptor sender_, receiver_;  // the terminal is made inside and comes out by these
};

}  // namespace shed::podinit
