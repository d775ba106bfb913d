#pragma once
// One command and one reply over the holder's socket, with the descriptors they carry (protocol.hpp).
#include <string>
#include <vector>

namespace shed::podinit {

struct Packet {
    std::string text;         // without the last newlines
    std::vector<int> passed;  // the receiver closes them
    std::string error;        // the kernel had to cut it: not to be acted on
};

// False when the other side has gone.
bool receive_packet(int socket, Packet& packet);
// The descriptors of `give`, at most 8, go with it and are closed here.
void send_reply(int socket, const std::string& text, const std::vector<int>& give);

}  // namespace shed::podinit
