// Rows of batch, apps, Trainer's and JobSet's kinds.
#include "fakes/api/table.hpp"

namespace shed {

namespace {

const Json& containers_of(const Json& object) { return at_path(object, "spec.template.spec.containers"); }
std::string names_of(const Json& object) { return comma_list(containers_of(object), "name"); }
std::string images_of(const Json& object) { return comma_list(containers_of(object), "image"); }
std::string selector_of(const Json& object) { return selector_text(at_path(object, "spec.selector")); }

std::string job_status(const Object& object) {
    const Json& job = object.dom();
    for (const char* done : {"Complete", "Failed"})
        if (condition_true(job, done)) return done;
    if (object.deleting()) return "Terminating";
    for (const char* type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"})
        if (condition_true(job, type)) return type;
    return "Running";
}

std::string job_completions(const Json& job) {
    const std::string succeeded = std::to_string(int_at(job, "status.succeeded"));
    if (at_path(job, "spec.completions").is_number())
        return succeeded + "/" + std::to_string(int_at(job, "spec.completions"));
    const std::int64_t parallelism = int_at(job, "spec.parallelism");
    if (parallelism > 1) return succeeded + "/1 of " + std::to_string(parallelism);
    return succeeded + "/1";
}

std::string job_duration(const Json& job, Time now) {
    const auto start = parse_time(string_at(job, "status.startTime"));
    if (!start) return "";
    const auto end = parse_time(string_at(job, "status.completionTime"));
    return human_duration(end.value_or(now) - *start);
}

Row job_row(const Object& object, Time now) {
    const Json& job = object.dom();
    return {{object.name(), job_status(object), job_completions(job), job_duration(job, now),
             age_of(object, now), names_of(job), images_of(job), selector_of(job)}};
}

Row cron_job_row(const Object& object, Time now) {
    const Json& job = object.dom();
    const Json& last = at_path(job, "status.lastScheduleTime");
    const Json& active = at_path(job, "status.active");
    const Json& containers = at_path(job, "spec.jobTemplate.spec.template.spec.containers");
    return {{object.name(), string_at(job, "spec.schedule"), or_none(string_at(job, "spec.timeZone")),
             bool_at(job, "spec.suspend") ? "True" : "False", active.is_array() ? active.size() : 0,
             last.is_string() ? since_text(last, now) : "<none>", age_of(object, now),
             comma_list(containers, "name"), comma_list(containers, "image"),
             selector_text(at_path(job, "spec.jobTemplate.spec.selector"))}};
}

Row deployment_row(const Object& object, Time now) {
    const Json& d = object.dom();
    const std::string ready = std::to_string(int_at(d, "status.readyReplicas")) + "/" +
                              std::to_string(int_at(d, "spec.replicas", 1));
    return {{object.name(), ready, int_at(d, "status.updatedReplicas"),
             int_at(d, "status.availableReplicas"), age_of(object, now), names_of(d), images_of(d),
             selector_of(d)}};
}

Row replica_set_row(const Object& object, Time now) {
    const Json& set = object.dom();
    return {{object.name(), int_at(set, "spec.replicas", 1), int_at(set, "status.replicas"),
             int_at(set, "status.readyReplicas"), age_of(object, now), names_of(set), images_of(set),
             selector_of(set)}};
}

Row stateful_set_row(const Object& object, Time now) {
    const Json& set = object.dom();
    const std::string ready = std::to_string(int_at(set, "status.readyReplicas")) + "/" +
                              std::to_string(int_at(set, "spec.replicas", 1));
    return {{object.name(), ready, age_of(object, now), names_of(set), images_of(set)}};
}

Row daemon_set_row(const Object& object, Time now) {
    const Json& set = object.dom();
    return {{object.name(), int_at(set, "status.desiredNumberScheduled"),
             int_at(set, "status.currentNumberScheduled"), int_at(set, "status.numberReady"),
             int_at(set, "status.updatedNumberScheduled"), int_at(set, "status.numberAvailable"),
             label_map_text(at_path(set, "spec.template.spec.nodeSelector")), age_of(object, now),
             names_of(set), images_of(set), selector_of(set)}};
}

// A column of a custom resource is a JSON path; where nothing is found the cell is null, which prints blank.
Json path_cell(const Json& value) {
    if (value.is_null()) return nullptr;
    return value.is_string() ? value : Json(value.dump());
}

Row train_job_row(const Object& object, Time now) {
    const Json& conditions = at_path(object.dom(), "status.conditions");
    const bool any = conditions.is_array() && !conditions.empty();
    return {{object.name(), any ? path_cell(member(conditions.back(), "type")) : Json(),
             age_of(object, now)}};
}

Row job_set_row(const Object& object, Time now) {
    const Json& set = object.dom();
    return {{object.name(), path_cell(at_path(set, "status.terminalState")),
             path_cell(at_path(set, "status.restarts")),
             path_cell(member(condition_of(set, "Completed"), "status")),
             path_cell(at_path(set, "spec.suspend")), age_of(object, now)}};
}

const Column name_column{"Name", 0, "name"};

}  // namespace

std::optional<Printer> workload_printer(const Kind& kind) {
    const std::string_view p = kind.plural;
    if (p == "jobs")
        return Printer{{name_column, {"Status"}, {"Completions"}, {"Duration"}, {"Age"},
                        {"Containers", 1}, {"Images", 1}, {"Selector", 1}},
                       job_row};
    if (p == "cronjobs")
        return Printer{{name_column, {"Schedule"}, {"Timezone"}, {"Suspend"},
                        {"Active", 0, "", "integer"}, {"Last Schedule"}, {"Age"}, {"Containers", 1},
                        {"Images", 1}, {"Selector", 1}},
                       cron_job_row};
    if (p == "deployments")
        return Printer{{name_column, {"Ready"}, {"Up-to-date"}, {"Available"}, {"Age"},
                        {"Containers", 1}, {"Images", 1}, {"Selector", 1}},
                       deployment_row};
    if (p == "replicasets")
        return Printer{{name_column, {"Desired", 0, "", "integer"}, {"Current", 0, "", "integer"},
                        {"Ready", 0, "", "integer"}, {"Age"}, {"Containers", 1}, {"Images", 1},
                        {"Selector", 1}},
                       replica_set_row};
    if (p == "statefulsets")
        return Printer{{name_column, {"Ready"}, {"Age"}, {"Containers", 1}, {"Images", 1}},
                       stateful_set_row};
    if (p == "daemonsets")
        return Printer{{name_column, {"Desired", 0, "", "integer"}, {"Current", 0, "", "integer"},
                        {"Ready", 0, "", "integer"}, {"Up-to-date", 0, "", "integer"},
                        {"Available", 0, "", "integer"}, {"Node Selector"}, {"Age"},
                        {"Containers", 1}, {"Images", 1}, {"Selector", 1}},
                       daemon_set_row};
    if (p == "trainjobs")
        return Printer{{name_column, {"State"}, {"Age", 0, "", "date"}}, train_job_row};
    if (p == "jobsets")
        return Printer{{name_column, {"TerminalState"}, {"Restarts"}, {"Completed"}, {"Suspended"},
                        {"Age", 0, "", "date"}},
                       job_set_row};
    return std::nullopt;
}

}  // namespace shed
