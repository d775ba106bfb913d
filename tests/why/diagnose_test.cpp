#include "simulator/why/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::HasSubstr;

const Time noon = *parse_time("2026-11-26T12:00:00Z");

Time after(double seconds) { return noon + std::chrono::milliseconds(static_cast<int>(seconds * 1000)); }

Json condition(const char* type, const char* reason, const char* message) {
    return {{"type", type},
            {"status", "True"},
            {"reason", reason},
            {"message", message},
            {"lastTransitionTime", "2026-11-26T12:00:30Z"}};
}

Json object(const char* version, const char* kind, const std::string& name) {
    return {{"apiVersion", version},
            {"kind", kind},
            {"metadata",
             {{"name", name}, {"namespace", "default"}, {"uid", "uid-" + name}, {"creationTimestamp", format_time(noon)}}},
            {"status", Json::object()}};
}

Json trainjob() { return object("trainer.kubeflow.org/v1alpha1", "TrainJob", "train"); }
Json jobset() { return object("jobset.x-k8s.io/v1alpha2", "JobSet", "train"); }

Json job(const std::string& group) {
    Json made = object("batch/v1", "Job", "train-" + group + "-0");
    made["metadata"]["labels"] = {{"jobset.sigs.k8s.io/replicatedjob-name", group}};
    return made;
}

Json pod(const std::string& group, int index, const char* phase = "Running") {
    const std::string number = std::to_string(index);
    Json made = object("v1", "Pod", "train-" + group + "-0-" + number + "-abcde");
    made["metadata"]["labels"] = {{"jobset.sigs.k8s.io/replicatedjob-name", group},
                                  {"jobset.sigs.k8s.io/jobset-name", "train"},
                                  {"batch.kubernetes.io/job-completion-index", number}};
    made["spec"] = {{"containers", Json::array({{{"name", "node"}}})}};
    made["status"]["phase"] = phase;
    return made;
}

Json ready(Json pod) {
    pod["status"]["conditions"] = Json::array({{{"type", "Ready"}, {"status", "True"}}});
    return pod;
}

// As a pod looks whose deletion was asked for so many seconds after noon.
Json deleted(Json pod, double seconds) {
    pod["metadata"]["deletionTimestamp"] = format_time(after(seconds + 30));
    pod["metadata"]["deletionGracePeriodSeconds"] = 30;
    return pod;
}

KnownAttempt ended(int number, int exit_code, double seconds) {
    KnownAttempt attempt;
    attempt.container = "node";
    attempt.number = number;
    attempt.ended = true;
    attempt.exit_code = exit_code;
    attempt.finished = after(seconds);
    return attempt;
}

KnownPod known(Json pod, std::vector<KnownAttempt> attempts = {}, bool gone = false) {
    return {Object::make(std::move(pod)), gone, std::move(attempts)};
}

Evidence failed_job() {
    Evidence evidence;
    Json job_set = jobset(), launcher = job("launcher"), top = trainjob();
    top["status"]["conditions"] = Json::array({condition("Failed", "FailedJobs", "jobset failed")});
    job_set["status"]["conditions"] = Json::array({condition("Failed", "FailedJobs", "jobset failed")});
    launcher["status"]["conditions"] =
        Json::array({condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")});
    evidence.trainjob = Object::make(std::move(top));
    evidence.jobsets.push_back(Object::make(std::move(job_set)));
    evidence.jobs.push_back(Object::make(job("node")));
    evidence.jobs.push_back(Object::make(std::move(launcher)));
    return evidence;
}

std::vector<std::string> kinds(const Diagnosis& diagnosis) {
    std::vector<std::string> names;
    for (const Link& link : diagnosis.chain) names.push_back(link.kind);
    return names;
}

TEST(Diagnose, LeadsFromTheTrainJobToTheFirstContainerThatFailed) {
    Evidence evidence = failed_job();
    evidence.pods = {known(deleted(pod("node", 0), 29), {ended(0, 255, 29.4)}, true),
                     known(deleted(pod("launcher", 0), 29), {ended(0, 1, 3), ended(1, 1, 14), ended(2, 143, 29.6)}, true)};
    const Diagnosis diagnosis = diagnose(evidence);
    EXPECT_EQ(diagnosis.state, Diagnosis::State::failed);
    EXPECT_EQ(kinds(diagnosis), (std::vector<std::string>{"TrainJob", "JobSet", "Job", "Pod"}));
    EXPECT_EQ(diagnosis.chain[2].reason, "BackoffLimitExceeded");
    ASSERT_TRUE(diagnosis.first_failure);
    EXPECT_EQ(diagnosis.first_failure->pod, "train-launcher-0-0-abcde");
    EXPECT_EQ(diagnosis.first_failure->step, "node-0");
    EXPECT_EQ(diagnosis.first_failure->attempt, 0);
    EXPECT_EQ(diagnosis.first_failure->attempts, 3);
    EXPECT_EQ(diagnosis.first_failure->exit_code, 1);
}

TEST(Diagnose, AWorkerThatDiedBeforeTheLauncherIsTheCause) {
    Evidence evidence = failed_job();
    evidence.pods = {known(pod("node", 1), {ended(0, 137, 5)}), known(pod("launcher", 0), {ended(0, 205, 6)})};
    const Diagnosis diagnosis = diagnose(evidence);
    ASSERT_TRUE(diagnosis.first_failure);
    EXPECT_EQ(diagnosis.first_failure->step, "node-2");
    EXPECT_EQ(diagnosis.first_failure->exit_code, 137);
}

TEST(Diagnose, AContainerThatRanOutOfMemoryIsNotJustKilled) {
    Evidence evidence = failed_job();
    Json worker = pod("node", 1);
    const Json state = {{"terminated", {{"reason", "OOMKilled"}, {"exitCode", 137}}}};
    worker["status"]["containerStatuses"] = Json::array({{{"name", "node"}, {"lastState", state}}});
    evidence.pods = {known(worker, {ended(0, 137, 5)})};
    const Diagnosis diagnosis = diagnose(evidence);
    ASSERT_TRUE(diagnosis.first_failure);
    EXPECT_EQ(diagnosis.chain.back().reason, "OOMKilled");
    EXPECT_THAT(diagnosis.first_failure->hint, HasSubstr("resources.limits.memory"));
    evidence.pods = {known(pod("node", 1), {ended(0, 137, 5)})};
    EXPECT_EQ(diagnose(evidence).chain.back().reason, "Killed");
}

TEST(Diagnose, WhatWasToldToEndIsNoCause) {
    Evidence evidence = failed_job();
    evidence.pods = {known(deleted(pod("launcher", 0), 20), {ended(0, 143, 20.1)}, true)};
    EXPECT_FALSE(diagnose(evidence).first_failure);
}

TEST(Diagnose, AFailureInTheSecondOfTheDeletionIsACause) {
    Evidence evidence = failed_job();
    evidence.pods = {known(deleted(pod("launcher", 0), 20), {ended(0, 3, 20.4)}, true)};
    ASSERT_TRUE(diagnose(evidence).first_failure);
}

struct WaitCase {
    const char* name;
    Json pod;
    const char* reason;
    const char* message;
    const char* hint;
};

TEST(Diagnose, SaysWhatAPodWaitsFor) {
    Json unschedulable = pod("launcher", 0, "Pending"), image = pod("launcher", 0, "Pending");
    unschedulable["status"]["conditions"] = Json::array(
        {{{"type", "PodScheduled"},
          {"status", "False"},
          {"reason", "Unschedulable"},
          {"message", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}}});
    image["status"]["containerStatuses"] = Json::array(
        {{{"name", "node"},
          {"state", {{"waiting", {{"reason", "ErrImagePull"},
                                  {"message", "no local environment stands for image \"x\""}}}}}}});
    const std::vector<WaitCase> cases = {
        {"unschedulable", unschedulable, "Unschedulable", "Insufficient nvidia.com/gpu", "--nodes"},
        {"unknown image", image, "ErrImagePull", "no local environment", "trainshed image list"},
        {"not ready", pod("launcher", 0), "NotReady", "readiness probe", ""},
    };
    for (const WaitCase& c : cases) {
        Evidence evidence;
        evidence.trainjob = Object::make(trainjob());
        evidence.jobsets.push_back(Object::make(jobset()));
        evidence.pods = {known(ready(pod("node", 0))), known(c.pod)};
        const Diagnosis diagnosis = diagnose(evidence);
        EXPECT_EQ(diagnosis.state, Diagnosis::State::waiting) << c.name;
        EXPECT_EQ(diagnosis.chain.back().reason, c.reason) << c.name;
        EXPECT_THAT(diagnosis.chain.back().message, HasSubstr(c.message)) << c.name;
        EXPECT_THAT(diagnosis.hint, HasSubstr(c.hint)) << c.name;
    }
}

TEST(Diagnose, SaysWhichGroupWaitsForAnother) {
    Json set = jobset();
    set["spec"]["replicatedJobs"] =
        Json::array({{{"name", "node"}},
                     {{"name", "launcher"}, {"dependsOn", Json::array({{{"name", "node"}, {"status", "Ready"}}})}}});
    Evidence evidence;
    evidence.trainjob = Object::make(trainjob());
    evidence.jobsets.push_back(Object::make(std::move(set)));
    evidence.jobs.push_back(Object::make(job("node")));
    evidence.pods = {known(pod("node", 0))};
    const Diagnosis diagnosis = diagnose(evidence);
    EXPECT_EQ(diagnosis.chain[1].reason, "WaitingForDependency");
    EXPECT_EQ(diagnosis.chain[1].message, "launcher is made when node is Ready");
}

TEST(Diagnose, AJobThatCouldNotBeMadeShowsTheEventThatSaysSo) {
    Json event = object("v1", "Event", "e");
    event["type"] = "Warning";
    event["reason"] = "TrainJobResourcesCreationFailed";
    event["message"] = "it does not fit";
    event["involvedObject"] = {{"uid", "uid-train"}};
    Evidence evidence;
    evidence.trainjob = Object::make(trainjob());
    evidence.events.push_back(Object::make(std::move(event)));
    const Diagnosis diagnosis = diagnose(evidence);
    EXPECT_EQ(diagnosis.state, Diagnosis::State::waiting);
    EXPECT_EQ(diagnosis.chain[0].reason, "TrainJobResourcesCreationFailed");
}

TEST(Diagnose, ACompleteJobHasNoCauseButItsEarlierFailureIsShown) {
    Json top = trainjob();
    top["status"]["conditions"] = Json::array({condition("Complete", "AllJobsCompleted", "done")});
    Evidence evidence;
    evidence.trainjob = Object::make(std::move(top));
    evidence.pods = {known(pod("launcher", 0, "Succeeded"), {ended(0, 1, 2), ended(1, 0, 14)})};
    const Diagnosis diagnosis = diagnose(evidence);
    EXPECT_EQ(diagnosis.state, Diagnosis::State::complete);
    EXPECT_THAT(diagnosis.summary, HasSubstr("not at the first attempt"));
    EXPECT_TRUE(diagnosis.first_failure);
}

TEST(Diagnose, ARunningJobIsSaidToRun) {
    Evidence evidence;
    evidence.trainjob = Object::make(trainjob());
    evidence.jobsets.push_back(Object::make(jobset()));
    evidence.pods = {known(ready(pod("launcher", 0)))};
    const Diagnosis diagnosis = diagnose(evidence);
    EXPECT_EQ(diagnosis.state, Diagnosis::State::running);
    EXPECT_THAT(diagnosis.summary, HasSubstr("1 pod ready"));
}

}  // namespace
}  // namespace shed
