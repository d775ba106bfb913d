#pragma once
// The kubelet against a small cluster and a runtime of paper.
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/net/tasks.hpp"
#include "tests/kubelet/await.hpp"
#include "tests/kubelet/fake_client.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace shed {

namespace asio = boost::asio;

inline const Time noon = *parse_time("2026-11-23T12:00:00Z");

class KubeletTest : public testing::Test {
protected:
    KubeletTest()
        : clock(noon), client(clock), paper(clock, io.get_executor()), tasks(io.get_executor()) {
        char name[] = "/tmp/shed-kubelet-XXXXXX";
        directory = ::mkdtemp(name);
        const auto resolve = [](const std::string& image) -> Result<Environment> {
            if (image != "known")
                return Error{Reason::not_found, "no environment for image " + image};
            return Environment{};
        };
        KubeletHost::Deps deps{client,
                               paper,
                               clock,
                               resolve,
                               io.get_executor(),
                               directory,
                               [this](const TokenRequest&) {
                                   return Result<std::string>("token " + std::to_string(++issued));
                               }};
        host = std::make_unique<KubeletHost>(std::move(deps));
        KubeletConfig config;
        config.node = "n1";
        config.capacity.gpus = {{"nvidia.com/gpu", 8}};
        kubelet = std::make_unique<Kubelet>(*host, config);
        tasks.spawn("host", host->run());
        tasks.spawn("kubelet", kubelet->run());
        settle();
    }
    ~KubeletTest() override {
        tasks.cancel();
        kubelet.reset();
        settle();
        host.reset();
        settle();
        std::filesystem::remove_all(directory);
    }

    void settle() {
        io.restart();
        while (io.poll() > 0) continue;
    }
    void pass(Duration time) {
        clock.advance(time);
        settle();
    }

    Json a_pod(std::string name, std::string policy = "Never") {
        Json container = {{"name", "main"},
                          {"image", "known"},
                          {"command", {"run"}},
                          {"imagePullPolicy", "IfNotPresent"}};
        Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
        pod["metadata"] = {{"name", name},
                           {"namespace", "ns"},
                           {"uid", "u-" + name},
                           {"generation", 1},
                           {"labels", {{"job", "j"}}}};
        pod["spec"] = {{"nodeName", "n1"},
                       {"restartPolicy", policy},
                       {"hostname", name},
                       {"subdomain", "j"},
                       {"containers", Json::array({container})}};
        pod["status"] = {
            {"phase", "Pending"},
            {"conditions", Json::array({{{"type", "PodScheduled"}, {"status", "True"}}})}};
        return pod;
    }
    void add(Json pod) {
        client.add(std::move(pod));
        settle();
    }
    Json pod(const std::string& name) { return client.dom("Pod", "ns", name); }
    std::string phase(const std::string& name) { return string_at(pod(name), "status.phase"); }
    static Key key(const std::string& name) { return Key{&kind_of("v1", "Pod"), "ns", name}; }

    asio::io_context io;
    ManualClock clock;
    FakeClient client;
    PaperRuntime paper;
    Tasks tasks;
    std::string directory;
    int issued = 0;  // tokens
    std::unique_ptr<KubeletHost> host;
    std::unique_ptr<Kubelet> kubelet;
};

}  // namespace shed
