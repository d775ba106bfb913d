// One pod after the other, by podinit or by the kernel's bare calls, timed; bench/pods drives it.
// Reads words from stdin, a line each, and answers each with a line on stdout:
//   podinit   seconds to make a pod, run /bin/true in it to its end, and remove it, by podinit's
//             holder: "SECONDS FILES" (FILES: of it, to write the pod's files)
//   calls     the same by the kernel's calls alone: "SECONDS"
//   spec      the container's records, as JSON
#include "bench/pod_steps/calls.hpp"
#include "fakes/kubelet/compose.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace shed::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

template <class T>
T value_of(asio::io_context& io, asio::awaitable<Result<T>> task) {
    std::optional<Result<T>> result;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, Result<T> value) {
        if (error) std::rethrow_exception(error);
        result.emplace(std::move(value));
    });
    io.restart();
    while (!result) io.run_one();
    if (!*result) {
        std::cerr << "pod_steps: " << result->error().message << "\n";
        std::_Exit(3);
    }
    if constexpr (!std::is_void_v<T>) return std::move(**result);
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

class Node {
public:
    Node(std::string directory, const std::string& podinit) : directory_(std::move(directory)) {
        HolderOptions options;
        options.directory = directory_;
        options.podinit = podinit;
        runtime_ = std::make_unique<ProcessRuntime>(io_.get_executor(), options);
        runtime_->on_exit([this](const ContainerExit&) { ++ended_; });
        value_of(io_, runtime_->start());
    }
    ~Node() {
        asio::co_spawn(io_, runtime_->quit(), [](std::exception_ptr) {});
        io_.restart();
        io_.run();
    }

    // Seconds in all, and of it for files.
    std::pair<double, double> one_pod() {
        const kubelet::PodPlace place = next_place();
        const auto start = Clock::now();
        value_of(io_, runtime_->files(files_of(place)));
        kubelet::ContainerPlan plan = plan_of(place);
        value_of(io_, runtime_->files(std::move(plan.files)));
        const double files = seconds_since(start);
        SandboxRequest sandbox;
        sandbox.pod_uid = place.pod->uid();
        sandbox.spec = kubelet::sandbox_spec(place);
        value_of(io_, runtime_->start_sandbox(std::move(sandbox)));
        ContainerRequest container;
        container.pod_uid = place.pod->uid();
        container.name = "main";
        container.spec = std::move(plan.spec);
        const int before = ended_;
        value_of(io_, runtime_->start_container(std::move(container)));
        io_.restart();
        while (ended_ == before) io_.run_one();
        value_of(io_, runtime_->remove_pod(place.pod->uid()));
        return {seconds_since(start), files};
    }

    // A container's records whose files are there and stay.
    Spec records() {
        const kubelet::PodPlace place = next_place();
        value_of(io_, runtime_->files(files_of(place)));
        kubelet::ContainerPlan plan = plan_of(place);
        value_of(io_, runtime_->files(std::move(plan.files)));
        return std::move(plan.spec);
    }

private:
    kubelet::PodPlace next_place() {
        const std::string uid = "pod-" + std::to_string(++pods_);
        Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
        pod["metadata"] = {{"name", uid}, {"namespace", "default"}, {"uid", uid}};
        pod["spec"]["containers"] = Json::array({{{"name", "main"}, {"command", {"/bin/true"}}}});
        kubelet::PodPlace place;
        place.pod = Object::make(std::move(pod));
        place.directory = directory_ + "/pods/" + uid;
        place.ip = "10.244." + std::to_string(1 + pods_ / 250) + "." + std::to_string(1 + pods_ % 250);
        place.single_identity = runtime_->single_identity();
        return place;
    }
    static Spec files_of(const kubelet::PodPlace& place) {
        kubelet::WrittenVolumes written;
        return *kubelet::volume_files(place, {}, {}, "now", written);
    }
    static kubelet::ContainerPlan plan_of(const kubelet::PodPlace& place) {
        kubelet::ContainerInputs inputs;
        inputs.container = &place.spec()["containers"][0];
        return *kubelet::container_plan(place, inputs);
    }

    asio::io_context io_{1};
    std::string directory_;
    std::unique_ptr<ProcessRuntime> runtime_;
    int pods_ = 0, ended_ = 0;
};

void write_spec(const Spec& spec, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    for (const SpecRecord& record : spec) {
        for (const std::string& field : record) file << field << '\0';
        file << '\0';
    }
}

void serve(Node& node, Calls& calls, const std::string& spec_path) {
    const Spec spec = node.records();
    write_spec(spec, spec_path);
    for (std::string word; std::getline(std::cin, word);) {
        if (word == "podinit") {
            const auto [all, files] = node.one_pod();
            std::printf("%.9f %.9f\n", all, files);
        } else if (word == "calls") {
            std::printf("%.9f\n", calls.one_pod(spec_path));
        } else if (word == "spec") {
            std::printf("%s\n", Json(spec).dump().c_str());
        }
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace shed::bench

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: pod_steps PODINIT DIRECTORY (empty; bench/pods drives it)\n", stderr);
        return 2;
    }
    const std::string directory = argv[2];
    std::filesystem::create_directories(directory + "/root");
    shed::bench::Calls calls(directory + "/root");
    shed::bench::Node node(directory + "/node", argv[1]);
    shed::bench::serve(node, calls, directory + "/spec");
}
