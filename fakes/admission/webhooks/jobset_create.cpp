// JobSet's validating webhook (kubernetes-sigs/jobset pkg/webhooks/jobset_webhook.go).
#include "fakes/admission/internal.hpp"

#include <algorithm>
#include <climits>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

namespace shed::admission {

namespace {

using Names = std::set<std::string>;

constexpr std::string_view too_long_63 = "must be no more than 63 characters";
constexpr std::string_view generated_suffix = "-abcde";  // stands for what generateName will add

// Each problem of a generated name, with the length told in JobSet's own words.
void check_generated(const std::string& path, const std::string& shown, const std::string& name,
                     std::string_view length_text, FieldErrors& errors) {
    for (const std::string& problem : dns_1035_problems(name))
        errors.push_back(invalid_value(path, shown, problem == too_long_63 ? length_text : problem));
}

void check_network(const Json& spec, FieldErrors& errors) {
    const std::string subdomain = string_at(spec, "network.subdomain");
    if (subdomain.empty()) return;
    const std::string path = "spec.network.subdomain";
    for (const std::string& problem : dns_subdomain_problems(subdomain))
        errors.push_back(invalid_value(path, subdomain, problem));
    check_generated(path, subdomain, subdomain,
                    ".spec.network.subdomain is too long, must be less than 63 characters", errors);
}

void check_managed_by(const Json& spec, FieldErrors& errors) {
    const Json& manager = member(spec, "managedBy");
    if (!manager.is_string()) return;
    const std::string text = manager.get<std::string>();
    if (text.empty()) errors.push_back(required("spec.managedBy"));
    else if (!is_domain_prefixed_path(text))
        errors.push_back(invalid_value("spec.managedBy", manager,
                                       "must be a domain-prefixed path (such as \"acme.io/foo\")"));
    if (text.size() > 63)
        errors.push_back({"FieldValueTooLong", "spec.managedBy", "Too long: may not be more than 63 bytes"});
}

void check_names(const std::string& jobset, const Json& job, const std::string& path, FieldErrors& errors) {
    const std::string group = string_at(job, "groupName");
    check_generated(joined_path(path, "groupName"), group, group,
                    ".spec.replicatedJob[].groupName is too long, must be less than 63 characters", errors);
    const std::string job_name = jobset + "-" + string_at(job, "name") + "-" +
                                 std::to_string(int_at(job, "replicas", 1) - 1);
    const std::string name_path = joined_path(path, "name");
    check_generated(name_path, job_name, job_name,
                    "JobSet name is too long, job names generated for this JobSet will exceed 63 characters",
                    errors);
    const Json& completions = at_path(job, "template.spec.completions");
    if (string_at(job, "template.spec.completionMode") != "Indexed" || !completions.is_number_integer())
        return;
    const std::string pod_name = job_name + "-" + std::to_string(completions.get<std::int64_t>() - 1) +
                                 std::string(generated_suffix);
    check_generated(name_path, job_name, pod_name,
                    "JobSet name is too long, pod names generated for this JobSet will exceed 63 characters",
                    errors);
}

void check_replicated_jobs(const Json& jobset, Names& seen, FieldErrors& errors) {
    const std::string name = string_at(jobset, "metadata.name");
    const Json& jobs = list_of(jobset, "spec.replicatedJobs");
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const Json& job = jobs[i];
        const std::string job_name = string_at(job, "name");
        seen.insert(job_name);
        const auto pods = int_at(job, "template.spec.parallelism", 1) * int_at(job, "replicas", 1);
        if (pods > INT_MAX)
            errors.push_back(internal_error("the product of replicas and parallelism must not exceed " +
                                            std::to_string(INT_MAX) + " for replicatedJob '" + job_name +
                                            "'"));
        check_names(name, job, item_path("spec.replicatedJobs", i), errors);
        for (const Json& dependency : list_of(job, "dependsOn"))
            if (const std::string on = string_at(dependency, "name"); !seen.contains(on))
                errors.push_back(
                    internal_error("replicatedJob: " + job_name + " cannot depend on replicatedJob: " + on));
    }
}

void check_rule_name(const std::string& name, FieldErrors& errors) {
    if (name.empty() || name.size() > 128)
        errors.push_back(internal_error("invalid failure policy rule name of length " +
                                        std::to_string(name.size()) +
                                        ", the rule name must be at least 1 characters long and at most "
                                        "128 characters long"));
    static const std::regex shape("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$");
    if (!std::regex_match(name, shape))
        errors.push_back(internal_error(
            "invalid failure policy rule name '" + name +
            "', a failure policy rule name must start with an alphabetic character, optionally followed "
            "by a string of alphanumeric characters or '_,:', and must end with an alphanumeric "
            "character or '_'"));
}

void check_rule(const Json& rule, const Names& jobs, FieldErrors& errors) {
    static const Names reasons = {"BackoffLimitExceeded", "DeadlineExceeded", "FailedIndexes",
                                  "MaxFailedIndexesExceeded", "PodFailurePolicy"};
    check_rule_name(string_at(rule, "name"), errors);
    for (const Json& target : list_of(rule, "targetReplicatedJobs"))
        if (!jobs.contains(target.get<std::string>()))
            errors.push_back(internal_error("invalid replicatedJob name '" + target.get<std::string>() +
                                            "' in failure policy does not appear in .spec.ReplicatedJobs"));
    for (const Json& reason : list_of(rule, "onJobFailureReasons"))
        if (!reasons.contains(reason.get<std::string>()))
            errors.push_back(internal_error("invalid job failure reason '" + reason.get<std::string>() +
                                            "' in failure policy is not a recognized job failure reason"));
}

void check_failure_policy(const Json& spec, const Names& jobs, FieldErrors& errors) {
    const Json& rules = list_of(spec, "failurePolicy.rules");
    for (const Json& rule : rules)
        if (string_at(rule, "action").starts_with("RestartJobA") || string_at(rule, "action") == "RestartJob") {
            errors.push_back(internal_error(
                "RestartJob and RestartJobAndIgnoreMaxRestarts failure policy actions are not allowed when "
                "RestartJob feature gate is disabled"));
            return;
        }
    std::map<std::string, std::vector<std::size_t>> by_name;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        by_name[string_at(rules[i], "name")].push_back(i);
        check_rule(rules[i], jobs, errors);
    }
    for (const auto& [name, indexes] : by_name) {
        if (indexes.size() < 2) continue;
        std::string text;
        for (const std::size_t i : indexes) text += (text.empty() ? "" : " ") + std::to_string(i);
        errors.push_back(internal_error("rule names are not unique, rules with indices [" + text +
                                        "] all have the same name '" + name + "'"));
    }
}

std::string coordinator_problem(const Json& spec, const Json& coordinator) {
    const std::string name = string_at(coordinator, "replicatedJob");
    const Json& jobs = list_of(spec, "replicatedJobs");
    const auto job = std::find_if(jobs.begin(), jobs.end(),
                                  [&](const Json& each) { return string_at(each, "name") == name; });
    if (job == jobs.end()) return "coordinator replicatedJob " + name + " does not exist";
    const auto job_index = int_at(coordinator, "jobIndex");
    if (job_index < 0 || job_index >= int_at(*job, "replicas", 1))
        return "coordinator job index " + std::to_string(job_index) + " is invalid for replicatedJob " + name;
    const Json& completions = at_path(*job, "template.spec.completions");
    if (string_at(*job, "template.spec.completionMode") != "Indexed" || completions.is_null())
        return "job for coordinator pod must be indexed completion mode, and completions number must be set";
    const auto pod_index = int_at(coordinator, "podIndex");
    if (pod_index < 0 || pod_index >= completions.get<std::int64_t>())
        return "coordinator pod index " + std::to_string(pod_index) + " is invalid for replicatedJob " +
               name + " job index " + std::to_string(job_index);
    return "";
}

void check_claim(const Json& spec, const Json& claim, const std::string& path, Names& seen,
                 FieldErrors& errors) {
    const std::string name = string_at(claim, "metadata.name");
    if (!seen.insert(name).second)
        errors.push_back(invalid_value(path + ".name", name,
                                       "names must be unique for VolumeClaimPolicies template"));
    for (const std::string& problem : dns_subdomain_problems(name))
        errors.push_back(invalid_value(path + ".name", name, problem));
    bool mounted = false;
    for (const Json& job : list_of(spec, "replicatedJobs"))
        for (const char* list : {"initContainers", "containers"})
            for (const Json& container : list_of(at_path(job, "template.spec.template.spec"), list))
                for (const Json& mount : list_of(container, "volumeMounts"))
                    mounted = mounted || string_at(mount, "name") == name;
    if (!mounted)
        errors.push_back(invalid_value("spec.replicatedJobs", list_of(spec, "replicatedJobs"),
                                       "replicatedJob containers don't have a matching volumeMount: " + name +
                                           " from VolumeClaimPolicies"));
}

void check_claims(const Json& spec, FieldErrors& errors) {
    Names seen;
    const Json& policies = list_of(spec, "volumeClaimPolicies");
    for (std::size_t p = 0; p < policies.size(); ++p) {
        const Json& templates = list_of(policies[p], "templates");
        for (std::size_t t = 0; t < templates.size(); ++t)
            check_claim(spec, templates[t],
                        item_path(item_path("spec.volumeClaimPolicies", p) + ".template", t), seen, errors);
    }
}

FieldErrors validate_jobset_create(const Json& jobset) {
    const Json& spec = member(jobset, "spec");
    FieldErrors errors;
    if (string_at(spec, "failurePolicy.restartStrategy") == "InPlaceRestart")
        errors.push_back(internal_error(
            "InPlaceRestart restart strategy cannot be set when InPlaceRestart feature gate is disabled"));
    const Json& jobs = list_of(spec, "replicatedJobs");
    if (!jobs.empty() && jobs[0].contains("dependsOn"))
        errors.push_back(internal_error("DependsOn can't be set for the first ReplicatedJob"));
    check_network(spec, errors);
    check_managed_by(spec, errors);
    Names names;
    check_replicated_jobs(jobset, names, errors);
    for (const Json& target : list_of(spec, "successPolicy.targetReplicatedJobs"))
        if (!names.contains(target.get<std::string>()))
            errors.push_back(internal_error("invalid replicatedJob name '" + target.get<std::string>() +
                                            "' does not appear in .spec.ReplicatedJobs"));
    check_failure_policy(spec, names, errors);
    if (const Json& coordinator = member(spec, "coordinator"); coordinator.is_object())
        if (std::string problem = coordinator_problem(spec, coordinator); !problem.empty())
            errors.push_back(internal_error(std::move(problem)));
    check_claims(spec, errors);
    return errors;
}

}  // namespace

Result<void> validate_jobset(const AdmissionRequest& request, const Json& jobset) {
    const FieldErrors errors = request.operation == Operation::create
                                   ? validate_jobset_create(jobset)
                                   : validate_jobset_update(jobset, *request.old_object);
    if (errors.empty()) return {};
    Error error = invalid_fields(*request.kind, string_at(jobset, "metadata.name"), errors);
    error.message = "admission webhook \"vjobset.kb.io\" denied the request: " + error.message;
    return error;
}

}  // namespace shed::admission
