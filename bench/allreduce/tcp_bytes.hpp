// Bytes that this process's TCP sockets have moved so far, both ways.
#pragma once

#include <cstdint>

namespace allreduce {

std::uint64_t tcp_bytes_moved();

}  // namespace allreduce
