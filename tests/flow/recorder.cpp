#include "tests/flow/recorder.hpp"

#include <array>
#include <map>

namespace shed {

namespace {

struct Watched {
    std::string_view api_version, kind, resource;
    bool watched = true;
};
constexpr auto recorded_kinds = std::to_array<Watched>({
    {"trainer.kubeflow.org/v1alpha1", "TrainJob", "trainjobs"},
    {"jobset.x-k8s.io/v1alpha2", "JobSet", "jobsets"},
    {"batch/v1", "Job", "jobs"},
    {"v1", "Pod", "pods"},
    {"v1", "Service", "services"},
    {"v1", "ConfigMap", "configmaps"},
    {"v1", "Secret", "secrets"},
    {"v1", "PersistentVolumeClaim", "persistentvolumeclaims"},
    {"v1", "Event", "events"},
    {"events.k8s.io/v1", "Event", "events.k8s.io"},
    {"trainer.kubeflow.org/v1alpha1", "TrainingRuntime", "", false},
});

// Every namespace has it, from a moment that varies.
constexpr std::string_view furniture = "kube-root-ca.crt";

const char* name_of(WatchEvent::Type type) {
    if (type == WatchEvent::Type::added) return "ADDED";
    return type == WatchEvent::Type::modified ? "MODIFIED" : "DELETED";
}

Json without_managers(Json object) {
    object["metadata"].erase("managedFields");
    return object;
}

}  // namespace

Recorder::Recorder(PaperCluster& cluster, std::string ns)
    : cluster_(cluster), ns_(std::move(ns)), start_(cluster.clock().now()) {
    for (const Watched& each : recorded_kinds) {
        if (!each.watched) continue;
        Request request;
        request.verb = Verb::watch;
        request.kind = &kind_of(each.api_version, each.kind);
        request.ns = ns_;
        request.query.emplace("resourceVersion", std::to_string(cluster_.store().version()));
        auto opened = cluster_.api().watch(request, start_);
        SHED_CHECK(opened.has_value());
        watches_.push_back(std::move(*opened));
    }
}

std::vector<Json> Recorder::timeline() {
    std::map<ResourceVersion, Time> times;
    for (const PaperCluster::Change& change : cluster_.history())
        times[change.object->resource_version()] = change.at;
    // One version counts for all kinds, so it orders the events of all watches.
    std::map<std::pair<ResourceVersion, std::size_t>, WatchEvent> events;
    for (std::size_t i = 0; i < watches_.size(); ++i)
        for (;;) {
            auto batch = watches_[i]->poll(cluster_.clock().now());
            if (batch.empty()) break;
            for (WatchEvent& event : batch)
                if (event.object && event.object->name() != furniture)
                    events.emplace(std::pair(event.object->resource_version(), i), event);
        }
    for (const auto& [place, event] : events) {
        const Duration passed = times[place.first] - start_;
        lines_.push_back({{"seq", lines_.size() + 1},
                          {"ms", passed / std::chrono::milliseconds(1)},
                          {"resource", recorded_kinds[place.second].resource},
                          {"type", name_of(event.type)},
                          {"object", without_managers(event.object->dom())}});
    }
    return lines_;
}

Json Recorder::final_objects() {
    Json objects = Json::array();
    for (const Watched& each : recorded_kinds) {
        Request request;
        request.verb = Verb::list;
        request.kind = &kind_of(each.api_version, each.kind);
        request.ns = ns_;
        request.accept = "application/json";
        const auto list = parse_json(cluster_.api().answer(request, cluster_.clock().now()).body);
        SHED_CHECK(list.has_value());
        for (Json item : member(*list, "items")) {
            // Items of built-in lists do not say what they are.
            item["apiVersion"] = each.api_version;
            item["kind"] = each.kind;
            if (string_at(item, "metadata.name") != furniture)
                objects.push_back(without_managers(std::move(item)));
        }
    }
    return objects;
}

}  // namespace shed
