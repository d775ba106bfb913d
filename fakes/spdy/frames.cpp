// Frames, 2.2 and 2.6; header blocks are zlib streams that go on from frame to frame.
#include "fakes/spdy/spdy.hpp"

#include "fakes/spdy/words.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace shed::spdy {

namespace {

constexpr std::uint32_t control_bit = 0x8000'0000, version = 3, stream_mask = 0x7fff'ffff,
                        size_mask = 0xff'ffff;
constexpr std::uint8_t fin_flag = 1;

Error broken(std::string why) { return {Reason::bad_request, "SPDY: " + std::move(why)}; }

Bytef* bytes_of(std::string_view text) {
    return const_cast<Bytef*>(
        reinterpret_cast<const Bytef*>(text.data()));  // zlib does not write there
}

std::string control_frame(Type type, std::uint8_t flags, std::string_view payload) {
    std::string frame;
    append_word(frame, control_bit | version << 16 | static_cast<std::uint32_t>(type));
    append_word(frame, std::uint32_t{flags} << 24 | static_cast<std::uint32_t>(payload.size()));
    return frame.append(payload);
}

std::string control_frame(Type type, std::initializer_list<std::uint32_t> words) {
    std::string payload;
    for (const std::uint32_t word : words) append_word(payload, word);
    return control_frame(type, 0, payload);
}

}  // namespace

struct Reader::Inflater {
    Inflater() { SHED_CHECK(::inflateInit(&stream) == Z_OK); }
    ~Inflater() { ::inflateEnd(&stream); }

    std::optional<std::string> unpack(std::string_view packed) {
        std::string block;
        std::array<char, 4096> part;
        stream.next_in = bytes_of(packed);
        stream.avail_in = static_cast<uInt>(packed.size());
        for (;;) {
            stream.next_out = reinterpret_cast<Bytef*>(part.data());
            stream.avail_out = static_cast<uInt>(part.size());
            const int done = ::inflate(&stream, Z_SYNC_FLUSH);
            if (done == Z_NEED_DICT) {
                const std::string words = dictionary();
                if (::inflateSetDictionary(&stream, bytes_of(words),
                                           static_cast<uInt>(words.size())) != Z_OK)
                    return std::nullopt;
                continue;
            }
            if (done != Z_OK && done != Z_BUF_ERROR) return std::nullopt;
            block.append(part.data(), part.size() - stream.avail_out);
            if (block.size() > control_bytes_max) return std::nullopt;
            if (stream.avail_out > 0) break;  // nothing is held back
        }
        return stream.avail_in == 0 ? std::optional(std::move(block)) : std::nullopt;
    }

    z_stream stream{};
};

Reader::Reader() : inflater_(std::make_unique<Inflater>()) {}
Reader::~Reader() = default;

void Reader::feed(std::string_view bytes) {
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_.append(bytes);
}

Result<std::optional<Frame>> Reader::next() {
    if (in_data_) return next_piece();
    if (buffer_.size() - at_ < 8) return std::optional<Frame>();
    const std::uint32_t first = word_at(buffer_, at_), second = word_at(buffer_, at_ + 4);
    if ((first & control_bit) != 0) return next_control(first, second);
    at_ += 8;
    piece_ = Frame();
    piece_.stream = first & stream_mask;
    piece_.fin = (second >> 24 & fin_flag) != 0;
    data_left_ = second & size_mask;
    in_data_ = true;
    return next_piece();
}

Result<std::optional<Frame>> Reader::next_piece() {
    const std::size_t size = std::min<std::size_t>(data_left_, buffer_.size() - at_);
    if (size == 0 && data_left_ > 0) return std::optional<Frame>();
    Frame frame;
    frame.stream = piece_.stream;
    frame.data = buffer_.substr(at_, size);
    at_ += size;
    data_left_ -= static_cast<std::uint32_t>(size);
    in_data_ = data_left_ > 0;
    frame.fin = piece_.fin && !in_data_;
    return std::optional(std::move(frame));
}

Result<std::optional<Frame>> Reader::next_control(std::uint32_t first, std::uint32_t second) {
    const std::uint32_t size = second & size_mask;
    if ((first >> 16 & 0x7fff) != version) return broken("not version 3");
    if (size > control_bytes_max)
        return broken("a control frame of " + std::to_string(size) + " bytes");
    if (buffer_.size() - at_ < 8 + std::size_t{size}) return std::optional<Frame>();
    Frame frame;
    frame.type = static_cast<Type>(first & 0xffff);
    frame.fin = (second >> 24 & fin_flag) != 0;
    const auto filled = fill(frame, std::string_view(buffer_).substr(at_ + 8, size));
    if (!filled) return filled.error();
    at_ += 8 + std::size_t{size};
    return std::optional(std::move(frame));
}

Result<void> Reader::fill(Frame& frame, std::string_view payload) {
    const auto word = [&](std::size_t at) { return word_at(payload, at); };
    std::size_t headers_at = 4;
    switch (frame.type) {
        case Type::syn_stream:
            headers_at = 10;
            [[fallthrough]];
        case Type::syn_reply:
        case Type::headers: {
            if (payload.size() < headers_at) return broken("a short frame of headers");
            frame.stream = word(0) & stream_mask;
            const auto block = inflater_->unpack(payload.substr(headers_at));
            auto headers = block ? decode_headers(*block) : std::nullopt;
            if (!headers) return broken("malformed headers");
            frame.headers = std::move(*headers);
            return {};
        }
        case Type::rst_stream:
        case Type::goaway:
        case Type::window_update:
            if (payload.size() != 8) return broken("a frame of another size than its type's");
            frame.stream = word(0) & stream_mask;
            frame.value = word(4);
            return {};
        case Type::ping:
            if (payload.size() != 4) return broken("a ping of another size than 4");
            frame.value = word(0);
            return {};
        default:
            return {};  // settings say nothing to us, and unknown types are to be ignored (2.2.1)
    }
}

struct Writer::Deflater {
    Deflater() {
        SHED_CHECK(::deflateInit(&stream, Z_BEST_SPEED) == Z_OK);
        const std::string words = dictionary();
        SHED_CHECK(::deflateSetDictionary(&stream, bytes_of(words),
                                          static_cast<uInt>(words.size())) == Z_OK);
    }
    ~Deflater() { ::deflateEnd(&stream); }
    z_stream stream{};
};

Writer::Writer() : deflater_(std::make_unique<Deflater>()) {}
Writer::~Writer() = default;

std::string Writer::pack(const Headers& headers) {
    const std::string block = encode_headers(headers);
    z_stream& stream = deflater_->stream;
    std::string packed(::deflateBound(&stream, static_cast<uLong>(block.size())) + 16, '\0');
    stream.next_in = bytes_of(block);
    stream.avail_in = static_cast<uInt>(block.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    SHED_CHECK(::deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0 &&
               stream.avail_out > 0);
    packed.resize(packed.size() - stream.avail_out);
    return packed;
}

std::string Writer::syn_stream(std::uint32_t stream, const Headers& headers, bool fin) {
    std::string payload;
    append_word(payload, stream);
    append_word(payload, 0);  // associated with no other stream
    payload.append(2, '\0');  // priority, slot
    payload.append(pack(headers));
    return control_frame(Type::syn_stream, fin ? fin_flag : 0, payload);
}

std::string Writer::syn_reply(std::uint32_t stream, const Headers& headers) {
    std::string payload;
    append_word(payload, stream);
    payload.append(pack(headers));
    return control_frame(Type::syn_reply, 0, payload);
}

std::string Writer::data(std::uint32_t stream, std::string_view bytes, bool fin) {
    std::string frame;
    append_word(frame, stream & stream_mask);
    append_word(frame, std::uint32_t{fin ? fin_flag : std::uint8_t{0}} << 24 |
                           static_cast<std::uint32_t>(bytes.size()));
    return frame.append(bytes);
}

std::string Writer::rst_stream(std::uint32_t stream, std::uint32_t status) {
    return control_frame(Type::rst_stream, {stream, status});
}

std::string Writer::ping(std::uint32_t id) { return control_frame(Type::ping, {id}); }

std::string Writer::goaway(std::uint32_t last_stream) {
    return control_frame(Type::goaway, {last_stream, 0});
}

}  // namespace shed::spdy
