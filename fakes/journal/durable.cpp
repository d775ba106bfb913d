#include "fakes/journal/durable.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace asio = boost::asio;

namespace shed {

asio::awaitable<std::optional<Error>> until_durable(Store& store, asio::any_io_executor executor) {
    SHED_CHECK(!store.all_durable());
    asio::steady_timer wake(executor, asio::steady_timer::time_point::max());
    bool settled = false;
    std::optional<Error> lost;
    const Store::Wait wait =
        store.when_settled(store.version(), [&](const std::optional<Error>& why) {
            settled = true;
            lost = why;
            wake.cancel();
        });
    auto [ec] = co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
    (void)ec;
    if (!settled) throw boost::system::system_error(asio::error::operation_aborted);
    co_return lost;
}

}  // namespace shed
