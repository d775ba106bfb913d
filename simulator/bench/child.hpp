#pragma once
// Runs a program beside the cluster without blocking its event loop.
#include "fakes/base/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace shed::bench {

struct ChildResult {
    int exit_code = 0;  // 128 + n when signal n ended it
    std::string output; // stdout and stderr, in the order they came
};

// `words[0]` is an absolute path; `environment` (NAME=VALUE) is laid over ours. The program and what it starts end
// with this coroutine: on cancellation, or with error timeout after `limit`, its process group is killed.
boost::asio::awaitable<Result<ChildResult>> run_child(std::vector<std::string> words,
                                                      std::vector<std::string> environment,
                                                      std::chrono::seconds limit);

}  // namespace shed::bench
