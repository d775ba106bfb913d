#pragma once
// An Api over an empty store with the namespace `default`, driven by requests as they come over the wire.
#include "fakes/api/api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::test {

inline std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') out.push_back(' ');
        else if (text[i] == '%' && i + 2 < text.size()) {
            out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
            i += 2;
        } else out.push_back(text[i]);
    }
    return out;
}

inline std::multimap<std::string, std::string> parse_query(std::string_view text) {
    std::multimap<std::string, std::string> query;
    while (!text.empty()) {
        const auto amp = text.find('&');
        const std::string_view term = text.substr(0, amp);
        const auto equals = term.find('=');
        if (!term.empty())
            query.emplace(percent_decoded(term.substr(0, equals)),
                          equals == std::string_view::npos ? ""
                                                           : percent_decoded(term.substr(equals + 1)));
        text.remove_prefix(amp == std::string_view::npos ? text.size() : amp + 1);
    }
    return query;
}

struct Call {
    std::string method, target;  // target: path, perhaps with ?query
    std::string body = {};
    std::string content_type = "application/json";
    std::string accept = "application/json";
    std::string user_agent = "kubectl/v1.36.3";
};

struct Cluster {
    Store store;
    Rng rng{7};
    Api api{store, rng};
    Time now = *parse_time("2026-11-23T06:05:10Z");

    Cluster() { add_namespace("default"); }

    void add_namespace(const std::string& name) {
        const Json labels = {{"kubernetes.io/metadata.name", name}};
        const Json finalizers = Json::array({"kubernetes"});
        store.put({{"apiVersion", "v1"},
                   {"kind", "Namespace"},
                   {"metadata",
                    {{"name", name}, {"uid", rng.uuid()}, {"labels", labels},
                     {"creationTimestamp", format_time(now)}}},
                   {"spec", {{"finalizers", finalizers}}},
                   {"status", {{"phase", "Active"}}}});
    }

    Result<Request> request(const Call& call) {
        const auto question = call.target.find('?');
        const std::string query =
            question == std::string::npos ? "" : call.target.substr(question + 1);
        auto request =
            parse_path(call.method, call.target.substr(0, question), parse_query(query));
        if (!request) return request;
        request->body = call.body;
        request->content_type = call.content_type;
        request->accept = call.accept;
        request->user_agent = call.user_agent;
        return request;
    }

    Response send(const Call& call) {
        const auto question = call.target.find('?');
        if (call.method == "GET")
            if (auto found = api.discovery(call.target.substr(0, question), call.accept, ""))
                return *found;
        const auto parsed = request(call);
        if (!parsed) return response_of(parsed.error());
        return api.answer(*parsed, now);
    }

    Json get(const std::string& target) { return Json::parse(send({"GET", target}).body); }
    Response post(const std::string& target, const Json& body) {
        return send({"POST", target, body.dump()});
    }
    Response put(const std::string& target, const Json& body) {
        return send({"PUT", target, body.dump()});
    }
    Response merge(const std::string& target, const Json& body) {
        return send({"PATCH", target, body.dump(), "application/merge-patch+json"});
    }
    Response remove(const std::string& target, const Json& options = nullptr) {
        return send({"DELETE", target, options.is_null() ? "" : options.dump()});
    }
    std::unique_ptr<Watch> watch(const std::string& target, std::string accept = "application/json") {
        Call call{"GET", target};
        call.accept = std::move(accept);
        const auto parsed = request(call);
        EXPECT_TRUE(parsed) << target;
        auto watch = api.watch(*parsed, now);
        EXPECT_TRUE(watch) << target << ": " << (watch ? "" : watch.error().message);
        return watch ? std::move(*watch) : nullptr;
    }
};

inline std::string header_of(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return "";
}

inline Json config_map(const std::string& name, const std::string& value = "1") {
    return {{"metadata", {{"name", name}}}, {"data", {{"a", value}}}};
}

constexpr const char* maps = "/api/v1/namespaces/default/configmaps";

}  // namespace shed::test
