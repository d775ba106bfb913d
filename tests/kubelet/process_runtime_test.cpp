// Real sandboxes and containers. Skipped, loudly, where the machine cannot make them.
#include "fakes/kubelet/compose.hpp"
#include "tests/kubelet/await.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>

namespace shed::kubelet {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

class ProcessRuntimeTest : public testing::Test {
protected:
    void SetUp() override {
#ifndef SHED_PODINIT
        GTEST_SKIP() << "podinit is not part of this build";
#else
        char name[] = "/tmp/shed-run-XXXXXX";
        directory = ::mkdtemp(name);
        HolderOptions options;
        options.directory = directory;
        options.podinit = SHED_PODINIT;
        runtime = std::make_unique<ProcessRuntime>(io.get_executor(), options);
        runtime->on_exit([this](const ContainerExit& exit) { exits.push_back(exit); });
        const auto started = await(io, runtime->start());
        if (!started) GTEST_SKIP() << "THIS MACHINE CANNOT RUN PODS: " << started.error().message;
        up = true;
#endif
    }

    void TearDown() override {
        if (up) await(io, quit());
        EXPECT_FALSE(up && std::filesystem::exists(directory));
        std::filesystem::remove_all(directory);
    }

    asio::awaitable<bool> quit() {
        co_await runtime->quit();
        co_return true;
    }

    PodPlace pod(std::string uid, std::vector<std::string> command, Json more = Json::object()) {
        Json container = {{"name", "main"}, {"command", command}};
        container.update(more);
        Json object = {{"apiVersion", "v1"}, {"kind", "Pod"}};
        object["metadata"] = {{"name", "pod-" + uid}, {"namespace", "ns"}, {"uid", uid}};
        object["spec"] = {{"containers", Json::array({container})},
                          {"securityContext", {{"fsGroup", 1000}}}};
        object["spec"]["volumes"] =
            Json::array({{{"name", "scratch"}, {"emptyDir", Json::object()}}});
        PodPlace place;
        place.pod = Object::make(object);
        place.directory = directory + "/pods/" + uid;
        place.ip = "10.244.0." + std::to_string(++last_address);
        place.single_identity = runtime->single_identity();
        return place;
    }

    void make_sandbox(const PodPlace& place, CgroupLimits limits = {}) {
        WrittenVolumes written;
        auto files = volume_files(place, {}, {}, "now", written);
        ASSERT_TRUE(files);
        auto made = await(io, runtime->files(std::move(*files)));
        ASSERT_TRUE(made) << made.error().message;
        SandboxRequest request;
        request.pod_uid = place.pod->uid();
        request.spec = sandbox_spec(place);
        request.limits = limits;
        made = await(io, runtime->start_sandbox(std::move(request)));
        ASSERT_TRUE(made) << made.error().message;
    }

    void start(const PodPlace& place, int attempt = 0) {
        ContainerInputs inputs;
        inputs.container = &place.spec()["containers"][0];
        inputs.attempt = attempt;
        inputs.environment.user_name = "mpiuser";
        inputs.environment.uid = inputs.environment.gid = 1000;
        inputs.environment.home = "/home/mpiuser";
        inputs.hidden = hidden;
        auto plan = container_plan(place, inputs);
        ASSERT_TRUE(plan) << plan.error().message;
        auto done = await(io, runtime->files(std::move(plan->files)));
        ASSERT_TRUE(done) << done.error().message;
        ContainerRequest request;
        request.pod_uid = place.pod->uid();
        request.name = "main";
        request.attempt = attempt;
        request.spec = std::move(plan->spec);
        done = await(io, runtime->start_container(std::move(request)));
        ASSERT_TRUE(done) << done.error().message;
    }

    std::string log(const PodPlace& place, int attempt = 0) {
        LogQuery query;
        query.pod_uid = place.pod->uid();
        query.container = "main";
        query.attempt = attempt;
        query.follow = true;
        LogReader reader(io.get_executor(), directory, query);
        std::string text;
        for (;;) {
            auto part = await(io, reader.read());
            if (!part || part->empty()) return text;
            text += *part;
        }
    }

    std::string run(const PodPlace& place) {
        make_sandbox(place);
        start(place);
        const std::string text = log(place);
        EXPECT_TRUE(run_until(io, [&] { return !exits.empty(); }));
        return text;
    }

    static ProbeRequest probe_of(const PodPlace& place, int port,
                                 ProbeRequest::Kind kind = ProbeRequest::Kind::tcp,
                                 std::string text = "") {
        return ProbeRequest{kind, place.ip, port, std::move(text), std::chrono::seconds(5)};
    }

    asio::io_context io;
    std::vector<std::string> hidden;
    std::string directory;
    std::unique_ptr<ProcessRuntime> runtime;
    std::vector<ContainerExit> exits;
    bool up = false;
    int last_address = 1;
};

TEST_F(ProcessRuntimeTest, AHiddenFileOfTheMachineIsNotThereAndItsNeighboursAre) {
    hidden = {"/usr/bin/env"};
    EXPECT_EQ(run(pod("u0", {"sh", "-c", "ls /usr/bin/env; test -x /usr/bin/ls && echo rest"})),
              "ls: cannot access '/usr/bin/env': No such file or directory\nrest\n");
}

TEST_F(ProcessRuntimeTest, APodIsItselfAndNobodyElse) {
    const PodPlace place =
        pod("a",
            {"sh", "-c",
             "hostname; id -u; id -un; pwd; echo $HOME; ls -d ~/; grep pod-a /etc/hosts; touch ~/x "
             "/tmp/y /scratch/z && echo writable; (cat /etc/shadow || echo no shadow) 2>/dev/null; "
             "exit 3"},
            {{"volumeMounts", Json::array({{{"name", "scratch"}, {"mountPath", "/scratch"}}})}});
    const std::string text = run(place);
    EXPECT_THAT(text, HasSubstr("pod-a\n1000\nmpiuser\n/\n/home/mpiuser\n/home/mpiuser/"
                                "\n10.244.0.2\tpod-a\nwritable\nno shadow\n"));
    ASSERT_EQ(exits.size(), 1u);
    EXPECT_EQ(exits[0].code, 3);
}

TEST_F(ProcessRuntimeTest, AMountPointMayLieBelowEtc) {
    const PodPlace place =
        pod("a",
            {"sh", "-c",
             "echo x > /etc/mpi/f && cat /etc/mpi/f && ls /etc/ssl > /dev/null && echo host"},
            {{"volumeMounts", Json::array({{{"name", "scratch"}, {"mountPath", "/etc/mpi"}}})}});
    EXPECT_EQ(run(place), "x\nhost\n");
}

// Without a group for it: this runtime was given none.
TEST_F(ProcessRuntimeTest, AContainerHasNoMoreProcessesThanItMay) {
    CgroupLimits limits;
    limits.pids = 20;
    const std::string forks = "i=0; while [ $i -lt $N ]; do sleep 60 & i=$((i+1)); done; echo $i";
    const PodPlace many = pod("a", {"sh", "-c", "N=40; " + forks});
    make_sandbox(many, limits);
    start(many);
    EXPECT_THAT(log(many), HasSubstr("Cannot fork"));
    // Its ids are as without the limit, and what another pod of this id runs does not count.
    const PodPlace busy = pod("b", {"sh", "-c", "N=15; " + forks + "; sleep 60"});
    make_sandbox(busy, limits);
    start(busy);
    const PodPlace other =
        pod("c", {"sh", "-c", "N=15; " + forks + "; id -u; stat -c %u /usr; cat /proc/self/uid_map"});
    make_sandbox(other, limits);
    start(other);
    const std::string text = log(other);
    EXPECT_THAT(text, testing::StartsWith("15\n1000\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("Cannot fork")));
    if (runtime->identity_map() != "single") { EXPECT_THAT(text, HasSubstr("65536")); }
}

TEST_F(ProcessRuntimeTest, StopsPolitelyThenByForce) {
    const PodPlace polite =
        pod("a", {"sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done"});
    const PodPlace stubborn =
        pod("b", {"sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"});
    for (const PodPlace* place : {&polite, &stubborn}) {
        make_sandbox(*place);
        start(*place);
        LogQuery query;
        query.pod_uid = place->pod->uid();
        query.container = "main";
        query.follow = true;
        LogReader reader(io.get_executor(), directory, query);
        EXPECT_EQ(*await(io, reader.read()), "up\n");
    }
    EXPECT_TRUE(await(io, runtime->stop_container("a", "main", std::chrono::seconds(20))));
    ASSERT_TRUE(run_until(io, [&] { return exits.size() == 1; }));
    EXPECT_EQ(exits[0].code, 7);
    EXPECT_TRUE(await(io, runtime->stop_container("b", "main", std::chrono::milliseconds(100))));
    ASSERT_TRUE(run_until(io, [&] { return exits.size() == 2; }));
    EXPECT_EQ(exits[1].code, 137);
    EXPECT_TRUE(await(io, runtime->remove_pod("a")));
}

TEST_F(ProcessRuntimeTest, ProbesAndCommandsReachTheContainer) {
    const PodPlace place = pod("a", {"python3", "-m", "http.server", "8080"});
    make_sandbox(place);
    start(place);
    Result<int> answer = Error{};
    ASSERT_TRUE(run_until(io, [&] {
        answer = await(io, runtime->probe(probe_of(place, 8080)));
        return answer.has_value();
    }));
    EXPECT_EQ(*answer, 0);
    answer = await(io, runtime->probe(probe_of(place, 8080, ProbeRequest::Kind::http,
                                               "GET /nope HTTP/1.1\r\nConnection: close\r\n\r\n")));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, 404);
    answer = await(io, runtime->probe(probe_of(place, 81)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message, "dial tcp " + place.ip + ":81: connect: connection refused");
    ExecRequest request;
    request.pod_uid = "a";
    request.container = "main";
    request.spec = {{"arg", "sh"},   {"arg", "-c"},   {"arg", "echo out; echo err >&2; exit 4"},
                    {"uid", "1000"}, {"gid", "1000"}, {"cwd", "/"}};
    request.timeout = std::chrono::seconds(5);
    const auto result = await(io, runtime->exec(request));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->code, 4);
    EXPECT_EQ(result->output, "out\nerr\n");
}

TEST_F(ProcessRuntimeTest, NamesResolveAsTheTableSays) {
    ASSERT_TRUE(await(
        io, runtime->set_dns("a.job.ns.svc.cluster.local "
                             "10.244.0.9\nkubernetes.default.svc.cluster.local 10.96.0.1\n")));
    const PodPlace place =
        pod("a", {"sh", "-c",
                  "getent hosts a.job | cut -d' ' -f1; getent hosts kubernetes.default | cut -d' ' "
                  "-f1; getent hosts nope.job || echo unknown"});
    EXPECT_EQ(run(place), "10.244.0.9\n10.96.0.1\nunknown\n");
}

// A bridge takes the lowest address of its ports unless it has one of its own: pods that came and
// went changed the name server's, and those that stayed asked the old one for five seconds.
TEST_F(ProcessRuntimeTest, NamesResolveWhileOtherPodsComeAndGo) {
    ASSERT_TRUE(await(io, runtime->set_dns("kubernetes.default.svc.cluster.local 10.96.0.1\n")));
    std::vector<std::string> guests;
    for (int i = 0; i < 12; ++i) {
        guests.push_back("guest" + std::to_string(i));
        make_sandbox(pod(guests.back(), {"true"}));
    }
    const PodPlace stays = pod("stays", {"sleep", "60"});
    make_sandbox(stays);
    start(stays);
    const auto resolve = [&] {
        ExecRequest request;
        request.pod_uid = "stays";
        request.container = "main";
        request.spec = {{"arg", "getent"}, {"arg", "hosts"}, {"arg", "kubernetes.default"},
                        {"uid", "1000"},   {"gid", "1000"},  {"cwd", "/"}};
        request.timeout = std::chrono::seconds(3);
        return await(io, runtime->exec(std::move(request)));
    };
    auto found = resolve();
    ASSERT_TRUE(found) << "with guests: " << found.error().message;
    EXPECT_EQ(found->code, 0);
    for (const std::string& name : guests) ASSERT_TRUE(await(io, runtime->remove_pod(name)));
    // The kernel takes their links away in its own time.
    for (int i = 0; i < 60; ++i) {
        found = resolve();
        ASSERT_TRUE(found) << "without guests: " << found.error().message;
        EXPECT_EQ(found->code, 0);
    }
}

TEST_F(ProcessRuntimeTest, ALogKeepsEachAttempt) {
    const PodPlace place = pod("a", {"sh", "-c", "echo attempt; printf 'no newline'"});
    EXPECT_EQ(run(place), "attempt\nno newline");
    start(place, 1);
    ASSERT_TRUE(run_until(io, [&] { return exits.size() == 2; }));
    EXPECT_EQ(log(place, 0), log(place, 1));
}

// A pod that swaps a directory of its volume for a link to the host while another container's
// subPath is mounted there (CVE-2021-25741).
TEST_F(ProcessRuntimeTest, ASubPathNeverLeadsToTheHost) {
    const std::string host = directory + "/host";
    std::filesystem::create_directory(host);
    std::filesystem::permissions(host,
                                 std::filesystem::perms::all);  // or the pod could not, anyway
    const PodPlace writer =
        pod("w",
            {"python3", "-c",
             "import ctypes, os\nos.makedirs('/scratch/x'); os.symlink('" + host +
                 "', '/scratch/y'); c = ctypes.CDLL(None); print('up', flush=True)\n"
                 "while True: c.renameat2(-100, b'/scratch/x', -100, b'/scratch/y', 2)"},
            {{"volumeMounts", Json::array({{{"name", "scratch"}, {"mountPath", "/scratch"}}})}});
    make_sandbox(writer);
    start(writer);
    LogQuery query;
    query.pod_uid = "w";
    query.container = "main";
    query.follow = true;
    LogReader reader(io.get_executor(), directory, query);
    ASSERT_EQ(*await(io, reader.read()), "up\n");
    int rounds = 0, refused = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < end) {
        PodPlace victim = pod("v", {"sh", "-c", "touch /m/pod"});
        victim.directory = writer.directory;
        ++rounds;
        ContainerInputs inputs;
        Json container = victim.spec()["containers"][0];
        container["name"] = "v" + std::to_string(rounds);
        container["volumeMounts"] =
            Json::array({{{"name", "scratch"}, {"mountPath", "/m"}, {"subPath", "x"}}});
        inputs.container = &container;
        inputs.attempt = rounds;
        inputs.environment.uid = inputs.environment.gid = 1000;
        inputs.environment.home = "/home/u";
        auto plan = container_plan(victim, inputs);
        if (!plan) {
            ++refused;
            continue;
        }
        ASSERT_TRUE(await(io, runtime->files(std::move(plan->files))));
        ContainerRequest request;
        request.pod_uid = "w";
        request.name = string_at(container, "name");
        request.attempt = rounds;
        request.spec = std::move(plan->spec);
        if (!await(io, runtime->start_container(std::move(request)))) ++refused;
    }
    EXPECT_GT(rounds, refused) << "nothing was ever mounted";
    EXPECT_GT(refused, 0) << "the link was never there: nothing was tried";
    EXPECT_TRUE(await(io, runtime->remove_pod("w")));
    EXPECT_TRUE(std::filesystem::is_empty(host)) << rounds << " rounds, " << refused << " refused";
    RecordProperty("rounds", rounds);
    RecordProperty("refused", refused);
}

TEST_F(ProcessRuntimeTest, AVolumeOfMemoryIsOneForAllContainers) {
    PodPlace place =
        pod("a", {"sh", "-c", "stat -f -c %T /m; head -c 2M /dev/zero > /m/f; ls -s /m/f; ls /m/g"},
            {{"volumeMounts", Json::array({{{"name", "fast"}, {"mountPath", "/m"}}})}});
    Json object = place.pod->dom();
    object["spec"]["volumes"] = Json::array(
        {{{"name", "fast"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "1Mi"}}}}});
    place.pod = Object::make(object);
    make_sandbox(place);
    auto made = await(
        io, runtime->files({{"file", place.volume_path("fast") + "/g", "0644", "0", "0", "x"}}));
    ASSERT_TRUE(made) << made.error().message;
    start(place);
    const std::string text = log(place);
    EXPECT_THAT(text, HasSubstr("tmpfs\n"));
    EXPECT_THAT(text, HasSubstr("No space left on device"));
    EXPECT_THAT(text, HasSubstr("/m/g\n"));
    EXPECT_TRUE(await(io, runtime->remove_pod("a")));
    made = await(io, runtime->files(volume_ends(place)));
    ASSERT_TRUE(made) << made.error().message;
    made = await(io, runtime->files({{"rmtree", place.directory}}));
    EXPECT_TRUE(made) << made.error().message;
}

}  // namespace
}  // namespace shed::kubelet
