#pragma once
// Nobody is shown what a crash could take back: whoever answers waits for this first.
#include "fakes/store/store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>

namespace shed {

// Waits until all that the store has now is durable, and returns nullopt; or the error that lost
// it, and then what was read or written meanwhile must not be shown. Call it when
// !store.all_durable(): a memory store never waits.
boost::asio::awaitable<std::optional<Error>> until_durable(Store& store,
                                                           boost::asio::any_io_executor executor);

}  // namespace shed
