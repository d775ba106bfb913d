#pragma once
// Runs one coroutine on an io_context to its end, or gives up after a guard time.
#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace shed {

inline constexpr auto await_guard = std::chrono::seconds(30);

template <class T>
T await(boost::asio::io_context& io, boost::asio::awaitable<T> task) {
    std::optional<T> result;
    bool ended = false;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
        if (!error) result.emplace(std::move(value));
        ended = true;
    });
    const auto deadline = std::chrono::steady_clock::now() + await_guard;
    io.restart();
    while (!ended && std::chrono::steady_clock::now() < deadline)
        io.run_one_for(std::chrono::milliseconds(100));
    if (!result)
        throw std::runtime_error(ended ? "the coroutine failed"
                                       : "the coroutine did not end in time");
    return std::move(*result);
}

// Runs the io_context until `done` holds; false when the guard time is over.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + await_guard;
    io.restart();
    while (!done() && std::chrono::steady_clock::now() < deadline)
        io.run_one_for(std::chrono::milliseconds(20));
    return done();
}

}  // namespace shed
