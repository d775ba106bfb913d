#pragma once
// How this project reports trouble. A peer's or the world's fault is a value: Result<T>. Our own mistake is
// SHED_CHECK, which logs and aborts, in release builds too. Exceptions are for start-up only.
#include <boost/system/result.hpp>
#include <cstdlib>
#include <string>
#include <utility>

namespace shed {

// The reasons of metav1.Status plus the few a local caller acts on. A new one only if some code reacts to it.
enum class Reason {
    bad_request,             // 400
    unauthorized,            // 401
    forbidden,               // 403
    not_found,               // 404
    method_not_allowed,      // 405
    not_acceptable,          // 406
    already_exists,          // 409
    conflict,                // 409
    expired,                 // 410
    request_too_large,       // 413
    unsupported_media_type,  // 415
    invalid,                 // 422
    too_many_requests,       // 429
    internal,                // 500
    unavailable,             // 503
    timeout,                 // 504
    environment,             // not HTTP: this machine cannot do what was asked
};

struct Error {
    Reason reason = Reason::internal;
    std::string message;       // Names the object and what to do.
    std::string details = {};  // The `details` member of a metav1.Status as JSON text; empty when there is none.
};

[[noreturn]] inline void throw_exception_from_error(const Error&, const boost::source_location&) {
    std::abort();  // Result::value() without a check is our own mistake.
}

template <class T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

#define SHED_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::shed::check_failed(#condition, __FILE__, __LINE__))

}  // namespace shed
