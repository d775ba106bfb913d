// Header blocks, 2.6.10, and the dictionary they are compressed with.
#include "fakes/spdy/spdy.hpp"

#include "fakes/spdy/words.hpp"

namespace shed::spdy {

namespace {

constexpr std::string_view first_words[] = {"options",
                                            "head",
                                            "post",
                                            "put",
                                            "delete",
                                            "trace",
                                            "accept",
                                            "accept-charset",
                                            "accept-encoding",
                                            "accept-language",
                                            "accept-ranges",
                                            "age",
                                            "allow",
                                            "authorization",
                                            "cache-control",
                                            "connection",
                                            "content-base",
                                            "content-encoding",
                                            "content-language",
                                            "content-length",
                                            "content-location",
                                            "content-md5",
                                            "content-range",
                                            "content-type",
                                            "date",
                                            "etag",
                                            "expect",
                                            "expires",
                                            "from",
                                            "host",
                                            "if-match",
                                            "if-modified-since",
                                            "if-none-match",
                                            "if-range",
                                            "if-unmodified-since",
                                            "last-modified",
                                            "location",
                                            "max-forwards",
                                            "pragma",
                                            "proxy-authenticate",
                                            "proxy-authorization",
                                            "range",
                                            "referer",
                                            "retry-after",
                                            "server",
                                            "te",
                                            "trailer",
                                            "transfer-encoding",
                                            "upgrade",
                                            "user-agent",
                                            "vary",
                                            "via",
                                            "warning",
                                            "www-authenticate",
                                            "method",
                                            "get",
                                            "status",
                                            "200 OK",
                                            "version",
                                            "HTTP/1.1",
                                            "url",
                                            "public",
                                            "set-cookie",
                                            "keep-alive",
                                            "origin"};

constexpr std::string_view rest =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
    "Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, "
    "GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/"
    "plain,"
    "text/"
    "javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq="
    "0.";

void append_text(std::string& to, std::string_view text) {
    append_word(to, static_cast<std::uint32_t>(text.size()));
    to.append(text);
}

// A length and as many bytes, taken off the front; nullopt when there are fewer.
std::optional<std::string_view> take_text(std::string_view& block) {
    if (block.size() < 4) return std::nullopt;
    const std::uint32_t size = word_at(block, 0);
    block.remove_prefix(4);
    if (size > block.size()) return std::nullopt;
    const std::string_view text = block.substr(0, size);
    block.remove_prefix(size);
    return text;
}

}  // namespace

std::string dictionary() {
    std::string bytes;
    for (const std::string_view word : first_words) append_text(bytes, word);
    return bytes.append(rest);
}

std::string_view header(const Headers& headers, std::string_view name) {
    for (const auto& [known, value] : headers)
        if (known == name) return value;
    return {};
}

std::string encode_headers(const Headers& headers) {
    std::string block;
    append_word(block, static_cast<std::uint32_t>(headers.size()));
    for (const auto& [name, value] : headers) {
        append_text(block, name);
        append_text(block, value);
    }
    return block;
}

std::optional<Headers> decode_headers(std::string_view block) {
    if (block.size() < 4) return std::nullopt;
    const std::uint32_t count = word_at(block, 0);
    block.remove_prefix(4);
    Headers headers;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto name = take_text(block);
        const auto value = name ? take_text(block) : std::nullopt;
        if (!value || name->empty()) return std::nullopt;
        std::string lower(*name);
        for (char& c : lower)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        headers.emplace_back(std::move(lower), std::string(*value));
    }
    return headers;
}

}  // namespace shed::spdy
