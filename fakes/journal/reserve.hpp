#pragma once
// Room on the disk that is taken while there is some and given back when there is none.
#include <cstddef>
#include <string>

namespace shed {

class Reserve {
public:
    Reserve(std::string path, std::size_t bytes) : path_(std::move(path)), bytes_(bytes) {}
    bool take();  // true when it is there
    void give_back();
    bool taken() const { return taken_; }

private:
    std::string path_;
    std::size_t bytes_;
    bool taken_ = false;
};

}  // namespace shed
