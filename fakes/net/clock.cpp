#include "fakes/net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

namespace shed {

SystemClock::SystemClock(double scale)
    : scale_(scale),
      start_(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())),
      steady_start_(std::chrono::steady_clock::now()) {}

Time SystemClock::now() const {
    const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - steady_start_;
    return start_ + Duration(static_cast<Duration::rep>(passed.count() * scale_));
}

Time SystemClock::from_wall(Time wall) const {
    const std::chrono::duration<double, std::micro> passed = wall - start_;
    return start_ + Duration(static_cast<Duration::rep>(passed.count() * scale_));
}

asio::awaitable<void> SystemClock::sleep_until(Time deadline) {
    const std::chrono::duration<double, std::micro> left((deadline - now()).count() / scale_);
    if (left.count() <= 0) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    // Rounded up: waking a microsecond early would find nothing due and spin.
    timer.expires_after(std::chrono::ceil<std::chrono::microseconds>(left));
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> ManualClock::sleep_until(Time deadline) {
    if (deadline <= now_) co_return;
    auto gate = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor,
                                                     asio::steady_timer::time_point::max());
    sleepers_.emplace(deadline, gate);
    auto [ec] = co_await gate->async_wait(asio::as_tuple(asio::use_awaitable));
    (void)ec;  // Cancelled by advance(): the deadline has passed.
}

void ManualClock::advance(Duration step) {
    now_ += step;
    const auto due = sleepers_.upper_bound(now_);
    for (auto it = sleepers_.begin(); it != due; ++it) it->second->cancel();
    sleepers_.erase(sleepers_.begin(), due);
}

std::optional<Time> ManualClock::next_deadline() const {
    if (sleepers_.empty()) return std::nullopt;
    return sleepers_.begin()->first;
}

}  // namespace shed
