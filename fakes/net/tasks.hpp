#pragma once
// Owns coroutines: every spawned one is logged when it ends badly and cancelled when its owner goes.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

namespace shed {

class Tasks {
public:
    explicit Tasks(boost::asio::any_io_executor executor);
    ~Tasks();  // cancels all
    Tasks(const Tasks&) = delete;
    Tasks& operator=(const Tasks&) = delete;

    // Runs `task` until it ends or cancel() is called. `name` is for the log.
    void spawn(std::string name, boost::asio::awaitable<void> task);
    void cancel();
    bool empty() const;
    // Cancels all and returns when none is left, also when the caller itself was cancelled: for an owner that its tasks
    // refer to and that goes next.
    boost::asio::awaitable<void> end();
    const boost::asio::any_io_executor& executor() const { return executor_; }

private:
    struct State;
    boost::asio::any_io_executor executor_;
    std::shared_ptr<State> state_;
};

}  // namespace shed
