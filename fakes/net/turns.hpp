#pragma once
// Lets coroutines of one thread through one at a time, in the order they came.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <memory>

namespace shed {

class Turns {
    using Queue = std::list<std::shared_ptr<boost::asio::steady_timer>>;

public:
    explicit Turns(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    // A place in the queue; given up when it goes.
    class Pass {
    public:
        explicit Pass(const Turns& turns) : queue_(turns.queue_) {
            constexpr auto never = boost::asio::steady_timer::time_point::max();
            queue_->push_back(std::make_shared<boost::asio::steady_timer>(turns.executor_, never));
            place_ = std::prev(queue_->end());
        }
        Pass(Pass&& other) noexcept : queue_(std::move(other.queue_)), place_(other.place_) {}
        ~Pass() {
            if (queue_ == nullptr) return;
            queue_->erase(place_);
            if (!queue_->empty()) queue_->front()->cancel();
        }
        bool is_first() const { return place_ == queue_->begin(); }
        const std::shared_ptr<boost::asio::steady_timer>& timer() const { return *place_; }

    private:
        std::shared_ptr<Queue> queue_;
        Queue::iterator place_;
    };

    boost::asio::awaitable<Pass> take() {
        Pass pass(*this);
        const auto timer = pass.timer();
        while (!pass.is_first())
            co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        co_return pass;
    }

private:
    boost::asio::any_io_executor executor_;
    std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace shed
