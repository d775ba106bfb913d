#pragma once
// Looks at a write-ahead log before SQLite does. SQLite takes a damaged frame for the torn end of
// the last write and silently begins with the transaction before; this tells the two apart. Format:
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#include <cstdint>
#include <string>
#include <string_view>

namespace shed {

struct WalScan {
    std::uint64_t intact = 0;  // bytes up to the end of the last whole transaction
    int transactions = 0;      // whole ones
    // Transactions of the same log whose end is there, but behind a frame that does not fit its
    // checksum. A crash leaves at most one, the last: its write may have reached the disk out of
    // order, and nobody was told of it.
    int lost = 0;
    bool header_damaged =
        false;  // which SQLite takes for an empty log; written and synced before the first frame
};

WalScan scan_wal(std::string_view log);

}  // namespace shed
