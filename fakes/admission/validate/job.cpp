// Jobs, new and changed, and the Jobs that a CronJob would make.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::int64_t indexed_parallelism_max = 100'000;
constexpr std::int64_t failed_indexes_max = 100'000;
constexpr std::int64_t many_completions = 100'000;
constexpr std::int64_t parallelism_of_many_max = 10'000;
constexpr std::int64_t failed_indexes_of_many_max = 10'000;
constexpr std::size_t managed_by_max = 63;
constexpr std::size_t cron_job_name_max = 52;

void validate_managed_by(const Field& manager) {
    if (!manager) return;
    const std::string text = manager.text();
    const auto slash = text.find('/');
    if (text.empty()) {
        manager.required();
    } else if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
        manager.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")");
    } else {
        const std::string host = text.substr(0, slash);
        for (const std::string& why : dns_subdomain_problems(host)) manager.invalid(host, why);
    }
    if (text.size() > managed_by_max) manager.too_long(managed_by_max);
}

void validate_many_completions(const Field& spec) {
    const Field parallelism = spec["parallelism"], failed = spec["maxFailedIndexes"];
    if (spec["completions"].number() <= many_completions || !spec["backoffLimitPerIndex"]) return;
    constexpr std::string_view when =
        " when completions are above 100000 and used with backoff limit per index";
    const auto limit = [&](std::int64_t most) {
        return "must be less than or equal to " + std::to_string(most) + std::string(when);
    };
    if (!failed) failed.required("must be specified when completions is above 100000");
    parallelism.at_most(parallelism_of_many_max, limit(parallelism_of_many_max));
    failed.at_most(failed_indexes_of_many_max, limit(failed_indexes_of_many_max));
}

void validate_indexed(const Field& spec) {
    const Field completions = spec["completions"], failed = spec["maxFailedIndexes"];
    if (!completions) completions.required("when completion mode is Indexed");
    spec["parallelism"].at_most(
        indexed_parallelism_max,
        "must be less than or equal to 100000 when completion mode is Indexed");
    if (completions && failed.number() > completions.number())
        failed.invalid("must be less than or equal to completions");
    failed.at_most(failed_indexes_max, "must be less than or equal to 100000");
    validate_many_completions(spec);
}

void validate_counts(const Field& spec) {
    for (const char* name : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                             "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"})
        spec[name].not_negative();
    if (spec["maxFailedIndexes"] && !spec["backoffLimitPerIndex"])
        spec["backoffLimitPerIndex"].required("when maxFailedIndexes is specified");
}

void validate_completion_mode(const Field& spec) {
    static constexpr std::string_view modes[] = {"NonIndexed", "Indexed"};
    const Field mode = spec["completionMode"];
    mode.one_of_if_set(modes);
    if (mode.is("Indexed")) validate_indexed(spec);
    if (mode && !mode.is("NonIndexed")) return;
    for (const char* name : {"backoffLimitPerIndex", "maxFailedIndexes"})
        if (const Field value = spec[name]) value.invalid("requires indexed completion mode");
}

void validate_replacement_policy(const Field& spec) {
    static constexpr std::string_view policies[] = {"Failed", "TerminatingOrFailed"};
    const bool only_failed = bool(spec["podFailurePolicy"]);
    spec["podReplacementPolicy"].one_of_if_set(std::span(policies).first(only_failed ? 1 : 2));
}

void validate_restart_policy(const Field& spec) {
    static constexpr std::string_view policies[] = {"OnFailure", "Never"};
    const Field policy = spec["template"]["spec"]["restartPolicy"];
    if (policy.is("Always") || policy.text().empty())
        policy.required("valid values: \"OnFailure\", \"Never\"");
    else if (!policy.is("OnFailure") && !policy.is("Never")) policy.not_supported(policies);
    else if (spec["podFailurePolicy"] && !policy.is("Never"))
        policy.invalid("only \"Never\" is supported when podFailurePolicy is specified");
}

void validate_label(const Field& labels, std::string_view name, const std::string& expected) {
    const Field label = labels.entry(name);
    const std::string why = "must be '" + expected + "'";
    if (!label) label.required(why);
    else if (!label.is(expected)) label.invalid(labels.json(), why);
}

// Pods are tied to their Job by labels that the server gives; a conflicting one is not overwritten,
// but refused.
void validate_generated_selector(const Field& job) {
    const Field spec = job["spec"], selector = spec["selector"];
    if (spec["manualSelector"].flag() || !selector) return;
    const std::string uid = job["metadata"]["uid"].text(), name = job["metadata"]["name"].text();
    if (uid.empty()) job["metadata"]["uid"].required();
    const Field labels = spec["template"]["metadata"]["labels"];
    Json expected = Json::object();
    for (const char* prefix : {"", "batch.kubernetes.io/"}) {
        const std::string by_uid = std::string(prefix) + "controller-uid",
                          by_name = std::string(prefix) + "job-name";
        validate_label(labels, by_uid, uid);
        validate_label(labels, by_name, name);
        expected[by_uid] = uid;
        expected[by_name] = name;
    }
    if (!selects(selector.json(), expected))
        selector.invalid_as("meta.LabelSelector", "`selector` not auto-generated");
}

void validate_spec_and_selector(const Field& spec) {
    validate_job_spec(spec);
    const Field selector = spec["selector"];
    if (!selector) selector.required();
    validate_label_selector(selector);
    const Field labels = spec["template"]["metadata"]["labels"];
    if (!selects(selector.json(), labels.json()))
        labels.invalid("`selector` does not match template `labels`");
}

bool is_suspended(const Json& job) { return bool_at(job, "spec.suspend"); }

// The template of a Job that has not begun, or that was suspended and has stopped, may be given
// other nodes and resources.
bool template_may_change(const Json& job) {
    const bool stopped =
        at_path(job, "status.startTime").is_null() || condition_true(job, "Suspended");
    return is_suspended(job) && stopped && int_at(job, "status.active") == 0;
}

void take(Json& to, const Json& from, const char* name) {
    if (from.contains(name)) to[name] = from[name];
    else to.erase(name);
}

// The old template with everything the new one may say about nodes.
Json with_directives(Json old, const Json& now) {
    Json& spec = old["spec"];
    const Json& affinity = at_path(now, "spec.affinity");
    if (affinity.is_object()) take(spec["affinity"], affinity, "nodeAffinity");
    else if (spec.contains("affinity")) spec["affinity"].erase("nodeAffinity");
    if (spec.contains("affinity") && spec["affinity"].empty() && affinity.is_null())
        spec.erase("affinity");
    for (const char* name : {"nodeSelector", "tolerations", "schedulingGates"})
        take(spec, now["spec"], name);
    for (const char* name : {"labels", "annotations"}) {
        const Json& values = at_path(now, std::string("metadata.") + name);
        if (!values.is_null()) old["metadata"][name] = values;
        else if (old.contains("metadata")) old["metadata"].erase(name);
    }
    return old;
}

Json with_resources(Json old, const Json& now) {
    for (const char* list : {"containers", "initContainers"}) {
        const Json& containers = member(now, list);
        if (!old.contains(list) || !containers.is_array() || old[list].size() != containers.size())
            continue;
        for (std::size_t i = 0; i < containers.size(); ++i)
            if (old[list][i]["name"] == containers[i]["name"])
                take(old[list][i], containers[i], "resources");
    }
    return old;
}

void validate_template_update(const Change& job) {
    const Field pod_template = job["spec"]["template"];
    Json old = at_path(job.old, "spec.template");
    const Json& now = pod_template.json();
    const bool may_change = template_may_change(job.old);
    if (may_change) old = with_directives(std::move(old), now);
    if (!is_suspended(job.old) || !may_change) {
        if (now != old) pod_template.invalid_as("core.PodTemplateSpec", "field is immutable");
        return;
    }
    if (member(now, "spec") != with_resources(old["spec"], member(now, "spec")))
        pod_template["spec"].invalid_as("core.PodSpec", "field is immutable");
}

// An Indexed Job may grow and shrink, with as many pods at a time as in all.
void validate_completions_update(const Change& spec) {
    const Field completions = spec["completions"];
    const Json& old = member(spec.old, "completions");
    if (!spec["completionMode"].is("Indexed")) return immutable(spec, "completions");
    if (!completions || completions.json() == old) return;
    if (completions.number() != spec["parallelism"].number())
        completions.invalid("can only be modified in tandem with spec.parallelism");
}

}  // namespace

void validate_job_spec(const Field& spec) {
    validate_counts(spec);
    validate_managed_by(spec["managedBy"]);
    validate_completion_mode(spec);
    if (spec["podFailurePolicy"]) validate_pod_failure_policy(spec);
    if (const Field policy = spec["successPolicy"]) {
        if (spec["completionMode"].is("Indexed")) validate_success_policy(spec);
        else policy.invalid_as("batch.SuccessPolicy", "requires indexed completion mode");
    }
    validate_replacement_policy(spec);
    validate_pod_template(spec["template"]);
    validate_restart_policy(spec);
}

void validate_job(const Field& job) {
    const Field spec = job["spec"], name = job["metadata"]["name"];
    validate_generated_selector(job);
    validate_spec_and_selector(spec);
    const std::int64_t completions = spec["completions"].number();
    if (!spec["completionMode"].is("Indexed") || completions <= 0) return;
    const std::string hostname = name.text() + "-" + std::to_string(completions - 1);
    if (!dns_label_problems(hostname).empty())
        name.invalid(name.text(),
                     "will not able to create pod with invalid DNS label: " + hostname);
}

void validate_job_update(const Change& job) {
    const Field spec = job["spec"];
    validate_spec_and_selector(spec);
    const Change change{spec, member(job.old, "spec")};
    validate_completions_update(change);
    immutable_as(change, "selector", "meta.LabelSelector");
    validate_template_update(job);
    immutable(change, "completionMode");
    immutable_as(change, "podFailurePolicy", "*batch.PodFailurePolicy");
    immutable(change, "backoffLimitPerIndex");
    immutable(change, "managedBy");
    immutable_as(change, "successPolicy", "*batch.SuccessPolicy");
}

void validate_cron_job(const Field& cron_job) {
    static constexpr std::string_view policies[] = {"Allow", "Forbid", "Replace"};
    const Field spec = cron_job["spec"], schedule = spec["schedule"];
    if (schedule.text().empty()) schedule.required();
    else if (schedule.text().find("TZ") != std::string::npos)
        schedule.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    spec["startingDeadlineSeconds"].not_negative();
    spec["concurrencyPolicy"].one_of(policies);
    const Field job = spec["jobTemplate"]["spec"];
    validate_job_spec(job);
    if (const Field selector = job["selector"])
        selector.invalid_as("meta.LabelSelector", "`selector` will be auto-generated");
    if (job["manualSelector"].flag())
        job.complain(
            not_supported(joined_path(job.path(), "manualSelector"), true, {"nil", "false"}));
    spec["successfulJobsHistoryLimit"].not_negative();
    spec["failedJobsHistoryLimit"].not_negative();
}

// The controller adds a time to the name, and the Job's name must still be one.
void validate_new_cron_job(const Field& cron_job) {
    const Field name = cron_job["metadata"]["name"];
    if (name.size() > cron_job_name_max) name.invalid("must be no more than 52 characters");
}

}  // namespace shed::admission
