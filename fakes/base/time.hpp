#pragma once
// Points in time as Kubernetes writes them. Nothing here reads a clock: see net/clock.hpp.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace shed {

using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

std::string format_time(Time time);        // metav1.Time: 2026-11-23T06:05:10Z
std::string format_micro_time(Time time);  // metav1.MicroTime: 2026-11-23T06:05:10.123456Z
std::string format_nano_time(Time time);   // CRI log time: 2026-11-23T06:05:10.123456000Z
// RFC 3339 with any number of fraction digits and any offset.
std::optional<Time> parse_time(std::string_view text);
// As kubectl prints ages: 5s, 3m2s, 4h, 2d3h (k8s.io/apimachinery duration.HumanDuration).
std::string human_duration(Duration duration);

}  // namespace shed
