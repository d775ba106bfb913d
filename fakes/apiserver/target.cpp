// Paths, queries, Hosts and Origins.
#include "fakes/apiserver/apiserver.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace shed {

namespace {

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out.push_back(' ');
        } else if (text[i] == '%') {
            if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return std::nullopt;
            out.push_back(static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// One canonical path for everyone: what another reading could take for a different path is refused.
bool ambiguous(std::string_view raw, const std::string& path) {
    if (raw.find("//") != std::string_view::npos || path.find('\0') != std::string::npos) return true;
    if (std::count(raw.begin(), raw.end(), '/') != std::count(path.begin(), path.end(), '/')) return true;
    for (std::size_t at = 0; at < path.size();) {
        auto end = path.find('/', at);
        if (end == std::string::npos) end = path.size();
        const std::string segment = path.substr(at, end - at);
        if (segment == "." || segment == "..") return true;
        at = end + 1;
    }
    return false;
}

// Digits only, up to `max`; leading zeros, which some read as octal, are refused.
bool is_number(std::string_view text, unsigned max) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value <= max &&
           (text.size() == 1 || text.front() != '0');
}

bool is_loopback_ipv4(std::string_view text) {
    if (!text.starts_with("127.")) return false;
    for (int part = 0; part < 4; ++part) {
        const auto dot = part < 3 ? text.find('.') : text.size();
        if (dot == std::string_view::npos || !is_number(text.substr(0, dot), 255)) return false;
        text.remove_prefix(part < 3 ? dot + 1 : dot);
    }
    return true;
}

// The name or address before `:port`; "" when what follows it is no port.
std::string_view without_port(std::string_view host) {
    const auto end = host.starts_with('[') ? std::min(host.find(']'), host.size() - 1) + 1
                                           : std::min(host.find(':'), host.size());
    const std::string_view port = host.substr(end);
    if (!port.empty() && (port.front() != ':' || !is_number(port.substr(1), 65'535))) return {};
    return host.substr(0, end);
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return std::nullopt;  // absolute-form and authority-form are for proxies
    const auto question = target.find('?');
    const std::string_view raw = target.substr(0, question);
    auto path = decode(raw, false);
    if (!path || ambiguous(raw, *path)) return std::nullopt;
    Target result;
    result.path = std::move(*path);
    if (question == std::string_view::npos) return result;
    std::string_view rest = target.substr(question + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto name = decode(pair.substr(0, equals), true);
        auto value = decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
        if (!name || !value) return std::nullopt;
        result.query.emplace(std::move(*name), std::move(*value));
    }
    return result;
}

bool is_own_host(std::string_view host) {
    static constexpr auto names = std::to_array<std::string_view>(
        {"localhost", "[::1]", "10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
         "kubernetes.default.svc.cluster.local"});
    const std::string_view name = without_port(host);
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    return is_loopback_ipv4(name);
}

bool is_own_origin(std::string_view origin) {
    if (origin.empty()) return true;
    const auto slashes = origin.find("://");
    return slashes != std::string_view::npos && is_own_host(origin.substr(slashes + 3));
}

}  // namespace shed
