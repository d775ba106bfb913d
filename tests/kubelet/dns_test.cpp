#include "fakes/kubelet/dns.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

using testing::HasSubstr;
using testing::Not;

ObjectPtr a_service(bool publish) {
    Json service = {{"apiVersion", "v1"},
                    {"kind", "Service"},
                    {"metadata", {{"name", "job"}, {"namespace", "ns"}}}};
    service["spec"] = {
        {"clusterIP", "None"}, {"selector", {{"app", "x"}}}, {"publishNotReadyAddresses", publish}};
    return Object::make(service);
}

DnsPod a_pod(std::string name, std::string ip, bool ready, std::string subdomain = "job") {
    Json pod = {
        {"apiVersion", "v1"},
        {"kind", "Pod"},
        {"metadata", {{"name", name + "-xyz"}, {"namespace", "ns"}, {"labels", {{"app", "x"}}}}}};
    pod["spec"] = {{"hostname", name}, {"subdomain", subdomain}};
    return DnsPod{Object::make(pod), std::move(ip), ready, false};
}

TEST(Dns, NotReadyPodsHaveNamesOnlyWhenTheServicePublishesThem) {
    const std::vector<DnsPod> pods = {a_pod("a", "10.244.0.2", false),
                                      a_pod("b", "10.244.0.3", true)};
    const std::string all = dns_table({a_service(true)}, pods),
                      some = dns_table({a_service(false)}, pods);
    EXPECT_THAT(all, HasSubstr("a.job.ns.svc.cluster.local 10.244.0.2\n"));
    EXPECT_THAT(
        all,
        HasSubstr("\njob.ns.svc.cluster.local 10.244.0.2\njob.ns.svc.cluster.local 10.244.0.3\n"));
    EXPECT_THAT(some, Not(HasSubstr("10.244.0.2")));
    EXPECT_THAT(some, HasSubstr("b.job.ns.svc.cluster.local 10.244.0.3\n"));
}

TEST(Dns, AServiceWithoutPodsIsKnownButHasNoAddress) {
    EXPECT_THAT(dns_table({a_service(true)}, {}), HasSubstr("job.ns.svc.cluster.local -\n"));
}

TEST(Dns, AHostNameNeedsTheServicesSubdomain) {
    EXPECT_THAT(dns_table({a_service(true)}, {a_pod("a", "10.244.0.2", true, "other")}),
                Not(HasSubstr("a.job")));
}

TEST(Dns, EndedPodsHaveNoAddress) {
    DnsPod pod = a_pod("a", "10.244.0.2", false);
    pod.terminal = true;
    EXPECT_THAT(dns_table({a_service(true)}, {pod}), Not(HasSubstr("10.244.0.2")));
}

TEST(Dns, AlwaysKnowsTheApiAndTheHost) {
    EXPECT_EQ(
        dns_table({}, {}),
        "host.trainshed.internal 10.96.0.2\nkubernetes.default.svc.cluster.local 10.96.0.1\n");
}

}  // namespace
}  // namespace shed::kubelet
