#include "fakes/streams/negotiate.hpp"

#include "fakes/kube/kube.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// The elements of a header that may be given several times, or once with commas.
std::vector<std::string> listed(const HttpRequest& request, std::string_view name) {
    std::vector<std::string> elements;
    for (const auto& [field, value] : request.headers) {
        if (lower(field) != name) continue;
        std::string_view rest = value;
        for (;;) {
            const auto comma = rest.find(',');
            std::string_view element = rest.substr(0, comma);
            while (element.starts_with(' ')) element.remove_prefix(1);
            while (element.ends_with(' ')) element.remove_suffix(1);
            if (!element.empty()) elements.emplace_back(element);
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return elements;
}

std::string bracketed(const auto& words) {
    std::string text;
    for (const auto& word : words) text.append(text.empty() ? "[" : " ").append(word);
    return text.empty() ? "[]" : text + "]";
}

}  // namespace

Upgrade upgrade_of(const HttpRequest& request) {
    Upgrade upgrade;
    bool wanted = false;
    for (const std::string& word : listed(request, "connection"))
        wanted = wanted || lower(word) == "upgrade";
    const std::string to = lower(request.header("upgrade"));
    if (wanted && to == "websocket" && request.method == "GET") {
        upgrade.kind = Upgrade::Kind::websocket;
        upgrade.protocols = listed(request, "sec-websocket-protocol");
    } else if (wanted && to == "spdy/3.1") {
        upgrade.kind = Upgrade::Kind::spdy;
        upgrade.protocols = listed(request, "x-stream-protocol-version");
    }
    return upgrade;
}

namespace streams {

std::optional<std::string> choose_protocol(const std::vector<std::string>& offered,
                                           std::span<const std::string_view> known) {
    if (offered.empty()) return "";
    for (const std::string& protocol : offered)
        if (std::find(known.begin(), known.end(), protocol) != known.end()) return protocol;
    return std::nullopt;
}

HttpResponse upgrade_required() {
    HttpResponse response;
    response.status = 400;
    response.body = dump_json(status_of({Reason::bad_request, "Upgrade request required"})) + "\n";
    return response;
}

HttpResponse no_common_protocol(const std::vector<std::string>& offered,
                                std::span<const std::string_view> known) {
    HttpResponse response;
    response.status = 403;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "unable to upgrade: unable to negotiate protocol: client supports " +
                    bracketed(offered) + ", server accepts " + bracketed(known) + "\n";
    return response;
}

HttpResponse refusal_text(const Error& error) {
    HttpResponse response;
    response.status = http_code(error.reason);
    response.content_type = "text/plain; charset=utf-8";
    response.body = error.message;
    return response;
}

HttpResponse switch_to_spdy(const std::string& protocol) {
    HttpResponse response;
    response.headers.emplace_back("Connection", "Upgrade");
    response.headers.emplace_back("Upgrade", "SPDY/3.1");
    if (!protocol.empty()) response.headers.emplace_back("X-Stream-Protocol-Version", protocol);
    return response;
}

}  // namespace streams
}  // namespace shed
