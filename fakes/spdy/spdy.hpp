#pragma once
// SPDY/3.1 framing (draft-mbelshe-httpbis-spdy-00), as kubectl speaks it for exec, attach and
// port-forward. Bytes in, frames out, and back: no sockets. One Reader and one Writer per
// connection, since each direction's header blocks are one compressed stream.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shed::spdy {

// Types of control frames, section 2.6; data frames have none and are called 0 here.
enum class Type : std::uint16_t {
    data = 0,
    syn_stream = 1,
    syn_reply = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    headers = 8,
    window_update = 9,
};

// Status codes of RST_STREAM, 2.6.3.
inline constexpr std::uint32_t protocol_error = 1, invalid_stream = 2, refused_stream = 3,
                               cancelled = 5;

using Headers = std::vector<std::pair<std::string, std::string>>;        // names in lower case
std::string_view header(const Headers& headers, std::string_view name);  // "" when absent

struct Frame {
    Type type = Type::data;
    std::uint32_t stream = 0;  // 0 where the type has none
    bool fin = false;          // the sender is done with the stream
    Headers headers = {};
    std::string data = {};
    std::uint32_t value = 0;  // status of rst_stream and goaway, id of ping, size of window_update
};

inline constexpr std::size_t control_bytes_max =
    64 * 1024;  // of a control frame, and of its headers unpacked

class Reader {
public:
    Reader();
    ~Reader();
    void feed(std::string_view bytes);
    // The next frame; nullopt: more bytes are needed. Data frames come in pieces, as their bytes
    // come, with `fin` at the last one. What is no SPDY, or too large, is an error, after which the
    // connection is of no use.
    Result<std::optional<Frame>> next();

private:
    Result<std::optional<Frame>> next_piece();
    Result<std::optional<Frame>> next_control(std::uint32_t first, std::uint32_t second);
    Result<void> fill(Frame& frame, std::string_view payload);

    struct Inflater;
    std::unique_ptr<Inflater> inflater_;
    std::string buffer_;
    std::size_t at_ = 0;           // in buffer_
    std::uint32_t data_left_ = 0;  // of the data frame that is being read
    Frame piece_;                  // its stream and fin
    bool in_data_ = false;
};

class Writer {
public:
    Writer();
    ~Writer();
    std::string syn_stream(std::uint32_t stream, const Headers& headers, bool fin);
    std::string syn_reply(std::uint32_t stream, const Headers& headers);
    static std::string data(std::uint32_t stream, std::string_view bytes,
                            bool fin);  // less than 16 MiB
    static std::string rst_stream(std::uint32_t stream, std::uint32_t status);
    static std::string ping(std::uint32_t id);
    static std::string goaway(std::uint32_t last_stream);

private:
    std::string pack(const Headers& headers);
    struct Deflater;
    std::unique_ptr<Deflater> deflater_;
};

// ---- headers.cpp
// What both sides' compression starts from, 2.6.10.1: 1423 bytes.
std::string dictionary();
// An unpacked header block, 2.6.10.
std::string encode_headers(const Headers& headers);
std::optional<Headers> decode_headers(std::string_view block);

}  // namespace shed::spdy
