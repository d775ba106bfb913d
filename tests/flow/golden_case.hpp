#pragma once
// A recorded case: what a client sent to a real cluster, when, and what each pod was told to do.
#include "fakes/kube/kube.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace shed {

// What a pod was told to do. Times count from when it became ready.
struct PodScript {
    Duration after{};
    std::vector<int> exits = {};  // by restart count; the last one again and again
    std::vector<int> fails = {};  // exits before it runs for good
    bool runs = false;            // until it is stopped
    int stop_code = 143;

    static PodScript read(const Json& script);
    Json json() const;
    // The exit code of that run, or nothing when the run lasts until it is stopped.
    std::optional<int> exit_of(int restarts) const;
};

using RecordedPods = std::vector<std::pair<std::string, PodScript>>;  // names, as they came

// Pods are known by what they were made from and their turn, since their names are random.
class PodScripts {
public:
    explicit PodScripts(const RecordedPods& pods = {});
    // The script of a new pod. A turn that was not recorded is played like the last one of its
    // base, and an unknown pod like any of its Job.
    const PodScript& next(const Object& pod);
    // The name that this turn's pod has here, for a recorded name; itself when there is none.
    std::string name_here(const std::string& recorded) const;
    // {"name here": script}, as case.json has it.
    Json json() const;

private:
    const PodScript& find(const Object& pod, const std::string& base, std::size_t turn) const;
    std::map<std::string, std::vector<PodScript>> scripts_;        // by base
    std::map<std::string, std::vector<std::string>> recorded_;     // names, by base
    std::vector<std::pair<std::string, PodScript>> played_ = {};   // names here, in order
    std::map<std::string, std::vector<std::string>> names_here_ = {};
};

struct GoldenStep {
    Duration at{};
    std::string method, path, content_type;
    Json body, response;  // as recorded
    int status = 0;       // likewise; 0: not known
};

struct GoldenCase {
    std::string ns, note;
    RecordedPods pods;
    std::vector<GoldenStep> steps;

    static Result<GoldenCase> read(const std::string& directory);
};

// `name` without the five random characters, or nothing when it has none.
std::optional<std::string> base_of_pod(const std::string& name);

}  // namespace shed
