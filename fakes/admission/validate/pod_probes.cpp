// Probes and lifecycle hooks: exactly one way to ask, and times that make sense.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

void validate_exec(const Field& exec, const PodContext&) {
    if (exec["command"].size() == 0) exec["command"].required();
}

void validate_http(const Field& http, const PodContext&) {
    static constexpr std::string_view schemes[] = {"HTTP", "HTTPS"};
    required_text(http["path"]);
    validate_port(http["port"]);
    http["scheme"].one_of_if_set(schemes);
    for (const Field& header : http["httpHeaders"].items())
        named(header["name"].moved(joined_path(http.path(), "httpHeaders")), http_header_problems);
}

void validate_ported(const Field& action, const PodContext&) { validate_port(action["port"]); }

void validate_nap(const Field& nap, const PodContext& context) {
    const std::int64_t seconds = nap["seconds"].number();
    if (!context.grace || (seconds >= 0 && seconds <= *context.grace)) return;
    nap.invalid(seconds, "must be non-negative and less than terminationGracePeriodSeconds (" +
                             std::to_string(*context.grace) + ")");
}

struct Action {
    std::string_view member;
    void (*rule)(const Field&, const PodContext&);
};
constexpr Action probe_actions[] = {{"exec", validate_exec},
                                    {"httpGet", validate_http},
                                    {"tcpSocket", validate_ported},
                                    {"grpc", validate_ported}};
constexpr Action hook_actions[] = {{"exec", validate_exec},
                                   {"httpGet", validate_http},
                                   {"tcpSocket", validate_ported},
                                   {"sleep", validate_nap}};

void validate_actions(const Field& handler, std::span<const Action> actions,
                      const PodContext& context) {
    bool found = false;
    for (const Action& action : actions) {
        const Field value = handler[action.member];
        if (!value) continue;
        if (found) value.forbidden("may not specify more than 1 handler type");
        else action.rule(value, context);
        found = true;
    }
    if (!found) handler.required("must specify a handler type");
}

void validate_probe(const Field& probe, const PodContext& context) {
    validate_actions(probe, probe_actions, context);
    for (const char* name : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                             "successThreshold", "failureThreshold"})
        probe[name].not_negative();
    const Field grace = probe["terminationGracePeriodSeconds"];
    if (grace && grace.number() <= 0) grace.invalid("must be greater than 0");
}

}  // namespace

void validate_probes(const Field& container, const PodContext& context) {
    for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
        const Field probe = container[name];
        if (!probe) continue;
        validate_probe(probe, context);
        const Field successes = probe["successThreshold"],
                    grace = probe["terminationGracePeriodSeconds"];
        const bool readiness = name == std::string_view("readinessProbe");
        if (readiness && grace) grace.invalid("must not be set for readinessProbes");
        if (!readiness && successes && successes.number() != 1) successes.invalid("must be 1");
    }
}

void validate_lifecycle(const Field& lifecycle, const PodContext& context) {
    for (const char* name : {"postStart", "preStop"})
        if (const Field hook = lifecycle[name]) validate_actions(hook, hook_actions, context);
    const Field signal = lifecycle["stopSignal"];
    if (signal && context.os.empty())
        signal.forbidden("may not be set for containers with empty `spec.os.name`");
}

}  // namespace shed::admission
