// The recorded worker and launcher pods, run for real: sshd in the workers, mpirun over ssh in the
// launcher.
#include "fakes/base/base64.hpp"
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/net/tasks.hpp"
#include "tests/kubelet/await.hpp"
#include "tests/kubelet/fake_client.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace shed {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

Environment mpi_environment() {
    Environment environment;
    environment.name = "mpi";
    environment.user_name = "mpiuser";
    environment.uid = environment.gid = 1000;
    environment.home = environment.working_dir = "/home/mpiuser";
    environment.image_id = "sha256:0";
    environment.files["/home/mpiuser/.sshd_config"] =
        "Port 2222\nHostKey /home/mpiuser/.ssh/id_rsa\nPidFile /home/mpiuser/sshd.pid\nStrictModes "
        "no\nUsePAM no\n";
    environment.files["/etc/ssh/ssh_config"] =
        "Host *\nPort 2222\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel "
        "ERROR\n";
    environment.files["/etc/openmpi/openmpi-mca-params.conf"] =
        "btl = self,tcp\nmpi_yield_when_idle = 1\nhwloc_base_binding_policy = none\nplm_rsh_agent "
        "= ssh\n";
    return environment;
}

bool machine_has_tools() {
    return ::access("/usr/sbin/sshd", X_OK) == 0 && ::access("/usr/bin/mpirun", X_OK) == 0 &&
           ::access("/usr/bin/ssh-keygen", X_OK) == 0;
}

class MpiTest : public testing::Test {
protected:
    void SetUp() override {
#ifndef SHED_PODINIT
        GTEST_SKIP() << "podinit is not part of this build";
#else
        if (!machine_has_tools())
            GTEST_SKIP() << "THIS MACHINE HAS NO sshd OR mpirun: the MPI flow is not tested";
        char name[] = "/tmp/shed-mpi-XXXXXX";
        directory = ::mkdtemp(name);
        HolderOptions options;
        options.directory = directory;
        options.podinit = SHED_PODINIT;
        runtime = std::make_unique<ProcessRuntime>(io.get_executor(), options);
        const auto started = await(io, runtime->start());
        if (!started) GTEST_SKIP() << "THIS MACHINE CANNOT RUN PODS: " << started.error().message;
        up = true;
        KubeletHost::Deps deps{
            client,
            *runtime,
            clock,
            [](const std::string&) { return Result<Environment>(mpi_environment()); },
            io.get_executor(),
            directory,
            {}};
        host = std::make_unique<KubeletHost>(std::move(deps));
        KubeletConfig config;
        config.node = "node-a";
        kubelet = std::make_unique<Kubelet>(*host, config);
        tasks.spawn("host", host->run());
        tasks.spawn("kubelet", kubelet->run());
#endif
    }

    void TearDown() override {
        tasks.cancel();
        if (up) await(io, quit());
        kubelet.reset();
        io.poll();
        EXPECT_FALSE(up && std::filesystem::exists(directory));
    }

    asio::awaitable<bool> quit() {
        co_await runtime->quit();
        co_return true;
    }

    void make_objects() {
        const std::string key = directory + "/key";
        ASSERT_EQ(std::system(("ssh-keygen -q -m PEM -t ecdsa -b 521 -N '' -f " + key).c_str()), 0);
        Json secret = {{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", {{"name", "mlx3-mpi-ssh-auth"}, {"namespace", ns}}}};
        secret["data"] = {{"ssh-privatekey", encode_base64(read_file(key))},
                          {"ssh-publickey", encode_base64(read_file(key + ".pub"))}};
        std::filesystem::remove(key);
        std::filesystem::remove(key + ".pub");
        client.add(secret);
        Json hostfile = {{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", {{"name", "mlx3-mpi-hostfile"}, {"namespace", ns}}}};
        hostfile["data"] = {{"hostfile",
                             "mlx3-launcher-0-0.mlx3 slots=1\nmlx3-node-0-0.mlx3 "
                             "slots=1\nmlx3-node-0-1.mlx3 slots=1\n"}};
        client.add(hostfile);
        client.add({{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", {{"name", "kube-root-ca.crt"}, {"namespace", ns}}},
                    {"data", {{"ca.crt", "CA"}}}});
        Json service = {{"apiVersion", "v1"},
                        {"kind", "Service"},
                        {"metadata", {{"name", "mlx3"}, {"namespace", ns}}}};
        service["spec"] = {{"clusterIP", "None"},
                           {"publishNotReadyAddresses", true},
                           {"selector", {{"jobset.sigs.k8s.io/jobset-name", "mlx3"}}}};
        client.add(service);
    }

    Json recorded(const std::string& file) {
        return *parse_json(read_file(std::string(SHED_TEST_DATA) + "/" + file));
    }
    Json worker(int index) {
        Json pod = recorded("worker.json");
        const std::string name = "mlx3-node-0-" + std::to_string(index);
        pod["metadata"]["name"] = name + "-xyz";
        pod["metadata"]["uid"] = "uid-" + name;
        pod["spec"]["hostname"] = name;
        return pod;
    }
    Json status(const Json& pod) {
        return client.dom("Pod", ns, string_at(pod, "metadata.name"))["status"];
    }
    bool ready(const Json& pod) { return condition_true(Json{{"status", status(pod)}}, "Ready"); }
    std::string log_of(const Json& pod) {
        LogQuery query;
        query.pod_uid = string_at(pod, "metadata.uid");
        query.container = "node";
        LogReader reader(io.get_executor(), directory, query);
        auto text = await(io, reader.read());
        return text ? *text : text.error().message;
    }

    const std::string ns = "g-01-mlx3";
    asio::io_context io;
    SystemClock clock;
    FakeClient client{clock};
    Tasks tasks{io.get_executor()};
    std::string directory;
    std::unique_ptr<ProcessRuntime> runtime;
    std::unique_ptr<KubeletHost> host;
    std::unique_ptr<Kubelet> kubelet;
    bool up = false;
};

TEST_F(MpiTest, MpirunReachesTheWorkersBySsh) {
    make_objects();
    const Json first = worker(0), second = worker(1);
    client.add(first);
    client.add(second);
    ASSERT_TRUE(run_until(io, [&] { return ready(first) && ready(second); }))
        << log_of(first) << client.events().size();
    Json launcher = recorded("launcher.json");
    launcher["spec"]["containers"][0]["command"] = {
        "mpirun",
        "--hostfile",
        "/etc/mpi/hostfile",
        "sh",
        "-c",
        "echo $(hostname) $(readlink /proc/self/ns/net) ${SSH_CONNECTION:-local}"};
    client.add(launcher);
    ASSERT_TRUE(run_until(io, [&] {
        return string_at(status(launcher), "phase") == "Succeeded" ||
               string_at(status(launcher), "phase") == "Failed" ||
               int_at(status(launcher)["containerStatuses"][0], "restartCount") > 0;
    }));
    const std::string text = log_of(launcher);
    EXPECT_EQ(string_at(status(launcher), "phase"), "Succeeded") << text << log_of(first);
    for (const char* name : {"mlx3-launcher-0-0 net:", "mlx3-node-0-0 net:", "mlx3-node-0-1 net:"})
        EXPECT_THAT(text, HasSubstr(name));
    EXPECT_THAT(log_of(first), HasSubstr("Accepted publickey for mpiuser"));
    for (const Json* pod : {&first, &second})
        client.ask_deletion(Key{&kind_of("v1", "Pod"), ns, string_at(*pod, "metadata.name")}, 30);
    EXPECT_TRUE(run_until(io, [&] {
        return client.dom("Pod", ns, "mlx3-node-0-0-xyz").is_null() &&
               client.dom("Pod", ns, "mlx3-node-0-1-xyz").is_null();
    }));
}

}  // namespace
}  // namespace shed
