#pragma once
// A TrainJob's steps as its users call them (the SDK's names): dataset-initializer,
// model-initializer, node-0 ... In MPI jobs the launcher is node-0 and the workers follow.
#include "fakes/kube/kube.hpp"

namespace shed {

// Pods of one TrainJob, JobSet or Job, by step; only the newest pod of each step.
struct Step {
    std::string name;
    ObjectPtr pod;
};
std::vector<Step> steps_of(const std::vector<ObjectPtr>& pods);
bool has_launcher(const std::vector<ObjectPtr>& pods);
std::string step_name(const Object& pod, bool with_launcher);  // of one pod
// A worker that only waits for mpirun's ssh: what its ranks print is in the launcher's log.
bool serves_a_launcher(const Object& pod);
// The container whose output is the step's: kubectl's default-container annotation, else the first.
std::string main_container(const Object& pod);
// How often that container was started again, and whether it has produced a log.
int attempt_of(const Object& pod, const std::string& container);
bool has_started(const Object& pod, const std::string& container);
// "exit code 3 (Error)" when the container has ended badly, else "".
std::string failure_of(const Object& pod, const std::string& container);

}  // namespace shed
