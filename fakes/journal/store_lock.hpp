#pragma once
// One process at a time has a store: it holds FILE-lock by flock, with its pid in it.
#include "fakes/base/result.hpp"

#include <string>
#include <utility>

namespace shed {

class StoreLock {
public:
    static Result<StoreLock> take(const std::string& path);  // error conflict names the other's pid
    StoreLock(StoreLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    StoreLock& operator=(StoreLock&&) = delete;
    ~StoreLock();

private:
    explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace shed
