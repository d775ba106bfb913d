#include "fakes/journal/wal_scan.hpp"

#include <array>

namespace shed {

namespace {

constexpr std::size_t header_bytes = 32, frame_header_bytes = 24, page_bytes_least = 512;
constexpr std::uint32_t magic = 0x377f0682;  // the lowest bit: checksums read big-endian words

std::uint32_t word(std::string_view bytes, std::size_t at, bool big_endian = true) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])}
                 << 8 * (big_endian ? 3 - i : i);
    return value;
}

using Sum = std::array<std::uint32_t, 2>;

Sum sum_over(std::string_view bytes, Sum sum, bool big_endian) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
        sum[0] += word(bytes, at, big_endian) + sum[1];
        sum[1] += word(bytes, at + 4, big_endian) + sum[0];
    }
    return sum;
}

Sum sum_at(std::string_view bytes, std::size_t at) {
    return {word(bytes, at), word(bytes, at + 4)};
}

}  // namespace

WalScan scan_wal(std::string_view log) {
    WalScan found;
    if (log.size() < header_bytes + frame_header_bytes + page_bytes_least) return found;
    const bool big_endian = (word(log, 0) & 1) != 0;
    Sum sum = sum_over(log.substr(0, 24), {}, big_endian);
    if ((word(log, 0) & ~1u) != magic || sum != sum_at(log, 24) ||
        word(log, 8) < page_bytes_least) {
        found.header_damaged = true;
        return found;
    }
    const std::size_t frame_bytes = frame_header_bytes + word(log, 8);
    const std::string_view salts = log.substr(16, 8);
    bool whole = true;
    for (std::size_t at = header_bytes; at + frame_bytes <= log.size(); at += frame_bytes) {
        if (log.substr(at + 8, 8) != salts) {
            // Of an earlier log that was longer, or damaged.
            whole = false;
            continue;
        }
        if (whole) {
            sum = sum_over(log.substr(at, 8), sum, big_endian);
            sum = sum_over(log.substr(at + frame_header_bytes, frame_bytes - frame_header_bytes),
                           sum, big_endian);
            whole = sum == sum_at(log, at + 16);
        }
        const bool ends_transaction = word(log, at + 4) != 0;
        if (!ends_transaction) continue;
        if (whole) {
            ++found.transactions;
            found.intact = at + frame_bytes;
        } else {
            ++found.lost;
        }
    }
    return found;
}

}  // namespace shed
