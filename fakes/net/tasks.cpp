#include "fakes/net/tasks.hpp"

#include "fakes/base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>

namespace asio = boost::asio;

namespace shed {

// Shared with the completion handlers, which may run after the owner has gone.
struct Tasks::State {
    std::list<std::shared_ptr<asio::cancellation_signal>> running;
};

namespace {

void log_end(const std::string& name, const std::exception_ptr& error) {
    if (!error) return;
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) return;
        log(LogLevel::error, "task.failed", {{"task", name}, {"why", e.what()}});
    } catch (const std::exception& e) {
        log(LogLevel::error, "task.failed", {{"task", name}, {"why", e.what()}});
    }
}

}  // namespace

Tasks::Tasks(asio::any_io_executor executor)
    : executor_(std::move(executor)), state_(std::make_shared<State>()) {}

Tasks::~Tasks() { cancel(); }

bool Tasks::empty() const { return state_->running.empty(); }

void Tasks::spawn(std::string name, asio::awaitable<void> task) {
    state_->running.push_back(std::make_shared<asio::cancellation_signal>());
    const auto entry = std::prev(state_->running.end());
    auto done = [state = state_, entry, label = std::move(name)](std::exception_ptr error) {
        state->running.erase(entry);
        log_end(label, error);
    };
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot((*entry)->slot(), std::move(done)));
}

void Tasks::cancel() {
    // A cancelled coroutine may end, and leave the list, inside emit(): look at a copy.
    const auto running = state_->running;
    for (const auto& signal : running) {
        signal->emit(asio::cancellation_type::all);
        // Outside the event loop Asio only queues a call that refers into the signal; the task may
        // end before that. What is posted now runs, and lets go of the signal, after that call.
        asio::post(executor_, [signal] {});
    }
}

asio::awaitable<void> Tasks::end() {
    co_await asio::this_coro::reset_cancellation_state();
    cancel();
    while (!empty()) co_await asio::post(executor_, asio::use_awaitable);
}

}  // namespace shed
