#pragma once
// The wire format of protocol buffers: tags, varints, lengths. Every error names its byte of the
// whole body.
#include "fakes/kube/kube.hpp"

namespace shed {

enum class WireType {
    varint = 0,
    fixed64 = 1,
    length = 2,
    start_group = 3,
    end_group = 4,
    fixed32 = 5
};

struct Tag {
    int number = 0;
    WireType type = WireType::varint;
    std::size_t position = 0;  // of the tag itself
};

// Reads one message. `base` is where its first byte is in the body.
class WireReader {
public:
    explicit WireReader(std::string_view bytes, std::size_t base = 0)
        : bytes_(bytes), base_(base) {}

    bool done() const { return at_ == bytes_.size(); }
    std::size_t position() const { return base_ + at_; }

    Result<Tag> tag();
    Result<std::uint64_t> varint();
    Result<std::uint64_t> fixed64();
    Result<WireReader> message();  // a length and as many bytes
    Result<void> skip(Tag tag);    // the value of a field that nobody knows
    std::string_view rest() const { return bytes_.substr(at_); }

private:
    Result<void> skip_bytes(std::uint64_t count);

    std::string_view bytes_;
    std::size_t base_;
    std::size_t at_ = 0;
};

Error wire_error(std::size_t position, const std::string& problem);

}  // namespace shed
