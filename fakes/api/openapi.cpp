// OpenAPI: an index of hashed documents, one per group version, made from the type table when first asked for.
#include "fakes/api/internal.hpp"
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

// An empty but valid protobuf of openapi v2 that says swagger "2.0": all that kubectl needs of it.
constexpr std::string_view empty_v2("\x0a\x03" "2.0", 5);

std::string document_path(const Kind& kind) {
    return kind.group.empty() ? "api/" + std::string(kind.version)
                              : "apis/" + std::string(kind.group) + "/" + std::string(kind.version);
}

std::string hash_of(std::string_view text) {
    char hash[40];
    std::snprintf(hash, sizeof hash, "%016llX%016llX",
                  static_cast<unsigned long long>(hash_text(text)),
                  static_cast<unsigned long long>(text.size()));
    return hash;
}

}  // namespace

std::optional<Response> Api::Impl::openapi_document(std::string_view path,
                                                    std::string_view if_none_match) {
    Response response;
    if (path == "/openapi/v2") {
        response.content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        response.body = empty_v2;
        return response;
    }
    if (openapi.empty()) {
        for (const Kind& kind : all_kinds()) {
            auto& [body, hash] = openapi[document_path(kind)];
            if (!body.empty()) continue;
            body = openapi_v3(kind.group, kind.version);
            hash = hash_of(body);
        }
    }
    if (path == "/openapi/v3") {
        Json paths = Json::object();
        for (const auto& [name, document] : openapi) {
            const std::string url = "/openapi/v3/" + name + "?hash=" + document.second;
            paths[name] = {{"serverRelativeURL", url}};
        }
        const Json index = {{"paths", std::move(paths)}};
        response.body = dump_json(index);
        return response;
    }
    constexpr std::string_view prefix = "/openapi/v3/";
    if (!path.starts_with(prefix)) return std::nullopt;
    const auto found = openapi.find(std::string(path.substr(prefix.size())));
    if (found == openapi.end()) return std::nullopt;
    const std::string tag = "\"" + found->second.second + "\"";
    response.headers = {{"ETag", tag}, {"Vary", "Accept"}};
    if (if_none_match == tag) {
        response.status = 304;
        return response;
    }
    response.body = found->second.first;
    return response;
}

}  // namespace shed
