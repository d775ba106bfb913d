#pragma once
// Reading HTTP/1.1 messages with Beast's parser, for the server and the client. Beast's own
// async_read parses in the event loop, where what the parser throws (a field longer than 64 KiB,
// no memory) has no catcher and ends the process; here it is parsed in the caller's coroutine.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace shed {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

// Gives the parser what the buffer holds, until `done` says so or more is needed (no error).
template <class Parser, class Done>
boost::system::error_code parse_some(boost::beast::flat_buffer& buffer, Parser& parser, const Done& done) {
    boost::system::error_code error;
    while (buffer.size() > 0 && !done(parser)) {
        const std::size_t used = parser.put(buffer.data(), error);
        buffer.consume(used);
        if (error == boost::beast::http::error::need_more) return {};
        if (error || used == 0) return error;
    }
    return error;
}

// Reads and parses until `done`, a function of the parser. What follows stays in the buffer, whose
// max_size() bounds what one step may need: a head, a chunk's size line, all trailers. Errors:
// end_of_stream before the first byte, buffer_overflow, and Beast's and the stream's own.
template <class Parser, class Done>
boost::asio::awaitable<boost::system::error_code> read_until(TlsStream& stream, boost::beast::flat_buffer& buffer,
                                                             Parser& parser, Done done) {
    namespace http = boost::beast::http;
    constexpr std::size_t step_bytes = 16 * 1024;
    for (;;) {
        boost::system::error_code error = parse_some(buffer, parser, done);
        if (error || done(parser)) co_return error;
        const std::size_t room = buffer.max_size() - buffer.size();
        if (room == 0) co_return http::error::buffer_overflow;
        auto [read_error, size] = co_await stream.async_read_some(
            buffer.prepare(std::min(step_bytes, room)), boost::asio::as_tuple(boost::asio::use_awaitable));
        if (read_error == boost::asio::error::eof) {
            if (!parser.got_some()) co_return http::error::end_of_stream;
            parser.put_eof(error);
            co_return error;
        }
        if (read_error) co_return read_error;
        buffer.commit(size);
    }
}

}  // namespace shed
