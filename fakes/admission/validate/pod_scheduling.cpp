// Tolerations, and how a pod resolves names.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::size_t nameservers_max = 3;
constexpr std::size_t searches_max = 32;
constexpr std::size_t search_text_max = 2048;

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ";") + text;
    return all;
}

void validate_toleration_value(const Field& toleration) {
    const Field op = toleration["operator"], value = toleration["value"];
    const Field at_operator = value.moved(op.path());
    if (op.is("Equal") || op.text().empty()) {
        const auto problems = label_value_problems(value.text());
        if (!problems.empty()) at_operator.invalid(joined(problems));
    } else if (op.is("Exists")) {
        if (!value.text().empty())
            at_operator.invalid("value must be empty when `operator` is 'Exists'");
    } else if (op.is("Lt") || op.is("Gt")) {
        op.complain(not_supported(op.path(), op.text(), {"Equal", "Exists", "Lt", "Gt"}));
    } else {
        op.complain(not_supported(op.path(), op.text(), {"Equal", "Exists"}));
    }
}

void validate_searches(const Field& searches) {
    if (searches.size() > searches_max) searches.invalid("must not have more than 32 search paths");
    std::size_t length = 0;
    for (const Field& search : searches.items()) length += search.size() + 1;
    if (length > search_text_max + 1)
        searches.invalid(
            "must not have more than 2048 characters (including spaces) in the search list");
    for (const Field& search : searches.items()) {
        std::string text = search.text();
        if (text == ".") continue;
        if (text.ends_with('.')) text.pop_back();
        for (const std::string& why : dns_subdomain_or_underscore_problems(text))
            search.invalid(text, why);
    }
}

}  // namespace

void validate_taint_effect(const Field& effect, bool may_be_empty) {
    static constexpr std::string_view effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
    if (!may_be_empty || !effect.text().empty()) effect.one_of(effects);
}

void validate_tolerations(const Field& tolerations) {
    for (const Field& toleration : tolerations.items()) {
        const Field key = toleration["key"], op = toleration["operator"],
                    effect = toleration["effect"];
        named_if_set(key, qualified_name_problems);
        if (key.text().empty() && !op.is("Exists"))
            op.invalid(
                op.text(),
                "operator must be Exists when `key` is empty, which means \"match all values "
                "and all keys\"");
        if (toleration["tolerationSeconds"] && !effect.is("NoExecute"))
            effect.invalid(effect.text(),
                           "effect must be 'NoExecute' when `tolerationSeconds` is set");
        validate_toleration_value(toleration);
        validate_taint_effect(effect, true);
    }
}

void validate_dns_config(const Field& spec) {
    const Field config = spec["dnsConfig"], servers = config["nameservers"];
    if (spec["dnsPolicy"].is("None")) {
        if (!config) return config.required("must provide `dnsConfig` when `dnsPolicy` is None");
        if (servers.size() == 0)
            return servers.required(
                "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
    if (servers.size() > nameservers_max) servers.invalid("must not have more than 3 nameservers");
    for (const Field& server : servers.items()) validate_ip(server);
    validate_searches(config["searches"]);
    for (const Field& option : config["options"].items())
        if (option["name"].text().empty()) option.required("must not be empty");
}

}  // namespace shed::admission
