// Content negotiation: JSON is always there; Table and PartialObjectMetadata when asked for; YAML if nothing better.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <map>

namespace shed {

namespace {

struct Clause {
    std::string type;
    std::map<std::string, std::string> parameters;
};

std::string trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(trimmed(text.substr(0, at)));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

Clause clause_of(const std::string& text) {
    const auto parts = split(text, ';');
    Clause clause{lower(parts[0]), {}};
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto equals = parts[i].find('=');
        if (equals != std::string::npos)
            clause.parameters[lower(parts[i].substr(0, equals))] = parts[i].substr(equals + 1);
    }
    return clause;
}

double quality(const Clause& clause) {
    const auto q = clause.parameters.find("q");
    return q == clause.parameters.end() ? 1.0 : std::strtod(q->second.c_str(), nullptr);
}

std::vector<Clause> clauses_of(std::string_view accept) {
    std::vector<Clause> clauses;
    for (const std::string& part : split(accept, ','))
        if (!part.empty()) clauses.push_back(clause_of(part));
    std::stable_sort(clauses.begin(), clauses.end(),
                     [](const Clause& a, const Clause& b) { return quality(a) > quality(b); });
    return clauses;
}

std::string parameter_of(const Clause& clause, const std::string& name) {
    const auto found = clause.parameters.find(name);
    return found == clause.parameters.end() ? std::string() : found->second;
}

bool is_json(const Clause& clause) {
    return clause.type == "application/json" || clause.type == "*/*" ||
           clause.type == "application/*";
}

// The form a clause asks for, when it is one we can give.
std::optional<Form> form_of(const Clause& clause) {
    const bool yaml = clause.type == "application/yaml";
    if (!yaml && !is_json(clause)) return std::nullopt;
    Form form;
    form.yaml = yaml;
    const std::string as = parameter_of(clause, "as");
    if (as.empty()) return form;
    const std::string version = parameter_of(clause, "v");
    if (parameter_of(clause, "g") != "meta.k8s.io") return std::nullopt;
    if (version != "v1" && version != "v1beta1") return std::nullopt;
    form.table_beta = version == "v1beta1";
    if (as == "Table") form.as = Form::As::table;
    else if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList")
        form.as = Form::As::partial;
    else return std::nullopt;
    return form;
}

}  // namespace

Result<Form> negotiate(std::string_view accept) {
    const auto clauses = clauses_of(accept);
    if (clauses.empty()) return Form{};
    for (const Clause& clause : clauses)
        if (const auto form = form_of(clause)) return *form;
    return Error{Reason::not_acceptable,
                 "only the following media types are accepted: application/json, "
                 "application/yaml, application/vnd.kubernetes.protobuf"};
}

DiscoveryForm negotiate_discovery(std::string_view accept) {
    for (const Clause& clause : clauses_of(accept)) {
        if (!is_json(clause)) continue;
        const std::string as = parameter_of(clause, "as");
        if (as.empty()) return {};
        if (as != "APIGroupDiscoveryList" ||
            parameter_of(clause, "g") != "apidiscovery.k8s.io")
            continue;
        if (parameter_of(clause, "v") == "v2") return {"v2"};
        if (parameter_of(clause, "v") == "v2beta1") return {"v2beta1"};
    }
    return {};
}

std::string media_type_of(std::string_view content_type) {
    return lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

}  // namespace shed
