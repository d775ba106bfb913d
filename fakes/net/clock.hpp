#pragma once
// Time as an input. The only clock the cluster's roles may ask.
#include "fakes/base/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>

namespace shed {

class Clock {
public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
    virtual boost::asio::awaitable<void> sleep_until(Time deadline) = 0;
    // What this clock showed when the wall clock showed `wall`: processes date what they write by the latter.
    virtual Time from_wall(Time wall) const { return wall; }
    boost::asio::awaitable<void> wait(Duration time) { return sleep_until(now() + time); }
};

// Started from the wall clock once and advanced by the steady clock, so that it never steps back and deadlines survive
// clock jumps. `scale` > 1 makes this time run faster than the wall: all control-plane delays shrink alike.
class SystemClock final : public Clock {
public:
    explicit SystemClock(double scale = 1.0);
    Time now() const override;
    boost::asio::awaitable<void> sleep_until(Time deadline) override;
    Time from_wall(Time wall) const override;

private:
    double scale_;
    Time start_;
    std::chrono::steady_clock::time_point steady_start_;
};

// Time moves only when a test says so.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Time start = Time{}) : now_(start) {}
    Time now() const override { return now_; }
    boost::asio::awaitable<void> sleep_until(Time deadline) override;
    void advance(Duration step);
    std::optional<Time> next_deadline() const;  // of the first sleeper

private:
    Time now_;
    std::multimap<Time, std::shared_ptr<boost::asio::steady_timer>> sleepers_;
};

}  // namespace shed
