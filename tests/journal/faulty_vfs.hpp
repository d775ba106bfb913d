#pragma once
// SQLite's file layer with faults: writes and syncs fail when a test says so.
#include <atomic>
#include <functional>

namespace shed {

// One at a time. Its name for JournalOptions::vfs and StoreFile::open is "faulty".
class FaultyVfs {
public:
    FaultyVfs();
    ~FaultyVfs();
    std::atomic<int> syncs_to_fail{0};     // so many of the next fsyncs fail with EIO
    std::atomic<int> syncs{0}, writes{0};  // how many there were
    std::function<bool()> full;            // whether a write finds no room
    std::function<void()> before_sync;     // such as a gate that a test opens
};

}  // namespace shed
