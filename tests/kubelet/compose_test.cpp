#include "tests/kubelet/place.hpp"

#include <filesystem>

namespace shed::kubelet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Environment mlx() {
    Environment environment;
    environment.name = "mlx";
    environment.user_name = "mpiuser";
    environment.uid = environment.gid = 1000;
    environment.home = "/home/mpiuser";
    environment.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
    environment.entrypoint = {"/entry"};
    environment.command = {"default"};
    environment.files = {{"/home/mpiuser/.sshd_config", "Port 2222\n"},
                         {"/etc/ssh/ssh_config", "Port 2222\n"}};
    return environment;
}

std::map<std::string, std::string> as_map(const Variables& variables) {
    return {variables.begin(), variables.end()};
}

// ---- environment variables

TEST(Expand, FollowsKubernetes) {
    const std::map<std::string, std::string> known = {{"A", "1"}, {"B", "$(A)"}};
    struct Row {
        const char *text, *wanted;
    };
    for (const Row& row :
         {Row{"$(A)", "1"}, Row{"x$(A)y", "x1y"}, Row{"$(NO)", "$(NO)"}, Row{"$$(A)", "$(A)"},
          Row{"$A", "$A"}, Row{"$(A", "$(A"}, Row{"a$", "a$"}, Row{"$(B)", "$(A)"},
          Row{"\"$SCRIPT\"", "\"$SCRIPT\""}}) {
        EXPECT_EQ(expand(row.text, known), row.wanted) << row.text;
    }
}

TEST(ContainerEnv, ResolvesEverySource) {
    Json container = {
        {"env",
         Json::array(
             {{{"name", "PLAIN"}, {"value", "x"}},
              {{"name", "USED"}, {"value", "$(PLAIN)-$(KUBERNETES_SERVICE_HOST)"}},
              {{"name", "LABEL"},
               {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.labels['a/b']"}}}}}},
              {{"name", "IP"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "status.podIP"}}}}}},
              {{"name", "NODE"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "spec.nodeName"}}}}}},
              {{"name", "SECRET"},
               {"valueFrom", {{"secretKeyRef", {{"name", "s"}, {"key", "k"}}}}}},
              {{"name", "MAP"},
               {"valueFrom", {{"configMapKeyRef", {{"name", "m"}, {"key", "k"}}}}}},
              {{"name", "NONE"},
               {"valueFrom",
                {{"configMapKeyRef", {{"name", "no"}, {"key", "k"}, {"optional", true}}}}}},
              {{"name", "CPU"},
               {"valueFrom", {{"resourceFieldRef", {{"resource", "limits.cpu"}}}}}},
              {{"name", "MEM"},
               {"valueFrom",
                {{"resourceFieldRef", {{"resource", "limits.memory"}, {"divisor", "1Mi"}}}}}}})},
        {"envFrom", Json::array({{{"configMapRef", {{"name", "m"}}}, {"prefix", "P_"}}})},
        {"resources", {{"limits", {{"cpu", "1500m"}}}}}};
    const PodPlace place = place_of(a_pod(container));
    Found found;
    add(found, "Secret", "s", {{"k", "c2VjcmV0"}});
    add(found, "ConfigMap", "m", {{"k", "v"}});
    const auto variables = container_env(place, place.spec()["containers"][0], found);
    ASSERT_TRUE(variables);
    auto all = as_map(*variables);
    EXPECT_EQ(all["USED"], "x-10.96.0.1");
    EXPECT_EQ(all["LABEL"], "1");
    EXPECT_EQ(all["IP"], "10.244.0.4");
    EXPECT_EQ(all["NODE"], "n1");
    EXPECT_EQ(all["SECRET"], "secret");
    EXPECT_EQ(all["MAP"], "v");
    EXPECT_EQ(all["P_k"], "v");
    EXPECT_EQ(all["CPU"], "2");
    EXPECT_EQ(all["MEM"], "16384");
    EXPECT_FALSE(all.contains("NONE"));
    EXPECT_EQ(all["KUBERNETES_SERVICE_PORT"], "443");
}

TEST(ContainerEnv, NamesWhatIsMissing) {
    struct Row {
        Json source;
        const char* wanted;
    };
    for (const Row& row :
         {Row{{{"secretKeyRef", {{"name", "s"}, {"key", "k"}}}}, "secret \"s\" not found"},
          Row{{{"configMapKeyRef", {{"name", "m"}, {"key", "no"}}}},
              "couldn't find key no in ConfigMap ns/m"},
          Row{{{"fieldRef", {{"fieldPath", "spec.bad"}}}}, "unsupported fieldPath: spec.bad"}}) {
        const PodPlace place =
            place_of(a_pod({{"env", Json::array({{{"name", "X"}, {"valueFrom", row.source}}})}}));
        Found found;
        add(found, "ConfigMap", "m", Json::object());
        const auto variables = container_env(place, place.spec()["containers"][0], found);
        ASSERT_FALSE(variables);
        EXPECT_EQ(variables.error().message, row.wanted);
    }
}

// ---- files below /etc

TEST(Skeleton, HostsAndResolvConfAreTheKubelets) {
    const PodPlace place = place_of(read_data("launcher.json"));
    EXPECT_THAT(hosts_file(place), HasSubstr("\n10.244.0.4\tmlx3-launcher-0-0.mlx3.g-01-mlx3.svc."
                                             "cluster.local\tmlx3-launcher-0-0\n"));
    EXPECT_EQ(resolv_conf(place),
              "search g-01-mlx3.svc.cluster.local svc.cluster.local cluster.local\nnameserver "
              "10.96.0.10\noptions ndots:5\n");
    const PodPlace plain = place_of(a_pod());
    EXPECT_THAT(hosts_file(plain), HasSubstr("\n10.244.0.4\tp\n"));
}

TEST(Skeleton, ThePodsUserHasTheImagesName) {
    const PodPlace place = place_of(read_data("launcher.json"));
    const Json& container = place.spec()["containers"][0];
    const Identity identity = identity_of(place, container, mlx());
    EXPECT_EQ(identity.uid, 1000);
    EXPECT_EQ(identity.gid, 1000);
    EXPECT_THAT(identity.groups, ElementsAre(1000));
    const auto files = etc_files(place, identity, mlx());
    EXPECT_THAT(files.at("/etc/passwd"),
                HasSubstr("\nmpiuser:x:1000:1000::/home/mpiuser:/bin/bash\n"));
    EXPECT_EQ(files.at("/etc/ssh/ssh_config"), "Port 2222\n");
    EXPECT_FALSE(files.contains("/home/mpiuser/.sshd_config"));
    EXPECT_THAT(files.at("/etc/nsswitch.conf"), HasSubstr("hosts: files dns\n"));
}

TEST(Skeleton, RootInAUsersImageHasRootsHome) {
    const PodPlace place = place_of(a_pod({{"securityContext", {{"runAsUser", 0}}}}));
    const Identity identity = identity_of(place, place.spec()["containers"][0], mlx());
    EXPECT_EQ(identity.uid, 0);
    EXPECT_EQ(identity.user_name, "root");
    EXPECT_EQ(identity.home, "/root");
}

// ---- the container

TEST(ContainerPlan, OfTheRecordedLauncher) {
    const PodPlace place = place_of(read_data("launcher.json"));
    ContainerInputs inputs;
    inputs.container = &place.spec()["containers"][0];
    inputs.environment = mlx();
    inputs.variables = {{"OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile"}, {"EMPTY", ""}};
    const auto plan = container_plan(place, inputs);
    ASSERT_TRUE(plan) << plan.error().message;
    const Spec& spec = plan->spec;
    EXPECT_THAT(spec, Contains(SpecRecord{"arg", "mpirun"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"arg", "hostname"}));
    EXPECT_THAT(spec, Not(Contains(SpecRecord{"arg", "/entry"})));
    EXPECT_THAT(spec,
                Contains(SpecRecord{"env", "OMPI_MCA_orte_default_hostfile=/etc/mpi/hostfile"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"env", "HOSTNAME=mlx3-launcher-0-0"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"env", "HOME=/home/mpiuser"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"env", "EMPTY="}));
    EXPECT_THAT(spec, Contains(SpecRecord{"uid", "1000"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"group", "1000"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"overlay", "/etc",
                                          "/state/pods/U/containers/node/skeleton/etc", "/etc"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"bind", "/usr", "/usr", "ro"}));
    EXPECT_THAT(
        spec, Contains(SpecRecord{"bind", "/state/pods/U/volumes/mpi-hostfile", "/etc/mpi", "ro"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"bind", "/state/pods/U/volumes/mpi-ssh-auth",
                                          "/home/mpiuser/.ssh", "ro"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"bind", "/state/pods/U/containers/node/home",
                                          "/home/mpiuser", "rw"}));
    EXPECT_THAT(spec, Contains(SpecRecord{"log", "/state/pods/U/logs/node/0.log"}));
    // The service account's directory is below /var/run, which is a link.
    EXPECT_THAT(spec,
                Contains(testing::AllOf(testing::SizeIs(4),
                                        Contains("/run/secrets/kubernetes.io/serviceaccount"))));
    // The mount point below /etc is in the skeleton, the one in the home belongs to the user.
    EXPECT_THAT(plan->files,
                Contains(SpecRecord{"mkdir", "/state/pods/U/containers/node/skeleton/etc/mpi",
                                    "0755", "0", "0"}));
    EXPECT_THAT(plan->files, Contains(SpecRecord{"mkdir", "/state/pods/U/containers/node/home/.ssh",
                                                 "0755", "1000", "1000"}));
    EXPECT_THAT(plan->files,
                Contains(SpecRecord{"file", "/state/pods/U/containers/node/home/.sshd_config",
                                    "0644", "1000", "1000", "Port 2222\n"}));
}

TEST(ContainerPlan, CommandAndArgsFollowTheImage) {
    struct Row {
        Json container;
        std::vector<std::string> wanted;
    };
    for (const Row& row :
         {Row{Json::object(), {"/entry", "default"}}, Row{{{"args", {"a"}}}, {"/entry", "a"}},
          Row{{{"command", {"c"}}}, {"c"}},
          Row{{{"command", {"c"}}, {"args", {"$(V)"}}}, {"c", "1"}}}) {
        const PodPlace place = place_of(a_pod(row.container));
        ContainerInputs inputs;
        inputs.container = &place.spec()["containers"][0];
        inputs.environment = mlx();
        inputs.variables = {{"V", "1"}};
        const auto plan = container_plan(place, inputs);
        std::vector<std::string> words;
        for (const SpecRecord& record : plan->spec) {
            if (record[0] == "arg") words.push_back(record[1]);
        }
        EXPECT_EQ(words, row.wanted);
    }
}

TEST(ContainerPlan, AnImagesProgramsCanBeExecuted) {
    const PodPlace place = place_of(a_pod());
    ContainerInputs inputs;
    inputs.container = &place.spec()["containers"][0];
    inputs.environment = mlx();
    inputs.environment.files["/pause"] = "#!/bin/sh\n";
    inputs.environment.files["/usr/local/bin/python"] = "#!/bin/sh\n";
    const auto plan = container_plan(place, inputs);
    ASSERT_TRUE(plan) << plan.error().message;
    const std::string skeleton = place.container_path("c") + "/skeleton";
    EXPECT_THAT(plan->spec, Contains(SpecRecord{"bind", skeleton + "/pause", "/pause", "ro"}));
    const auto mode_of = [&](const std::string& path) {
        for (const SpecRecord& record : plan->files)
            if (record[0] == "file" && record[1] == skeleton + path) return record[2];
        return std::string("missing");
    };
    EXPECT_EQ(mode_of("/pause"), "0755");
    EXPECT_EQ(mode_of("/usr/local/bin/python"), "0755");
    EXPECT_EQ(mode_of("/etc/ssh/ssh_config"), "0644");
}

TEST(ContainerPlan, MakesAWorkingDirectoryThatTheImageLacks) {
    struct Row {
        const char* directory;
        bool made;
    };
    for (const Row& row : {Row{"/workspace", true}, Row{"/srv/app", true}, Row{"/", false},
                           Row{"/tmp", false}, Row{"/usr/lib", false}, Row{"/data/in", false},
                           Row{"/home/mpiuser", false}}) {
        const PodPlace place = place_of(
            a_pod({{"workingDir", row.directory},
                   {"command", {"true"}},
                   {"volumeMounts", Json::array({{{"name", "v"}, {"mountPath", "/data"}}})}},
                  {{"volumes", Json::array({{{"name", "v"}, {"emptyDir", Json::object()}}})}}));
        ContainerInputs inputs;
        inputs.container = &place.spec()["containers"][0];
        inputs.environment = mlx();
        const auto plan = container_plan(place, inputs);
        ASSERT_TRUE(plan) << plan.error().message;
        EXPECT_EQ(testing::Value(plan->spec, Contains(SpecRecord{"dir", row.directory, "0755"})),
                  row.made)
            << row.directory;
    }
}

TEST(ContainerPlan, WithoutAnyCommandIsRefused) {
    const PodPlace place = place_of(a_pod());
    ContainerInputs inputs;
    inputs.container = &place.spec()["containers"][0];
    const auto plan = container_plan(place, inputs);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, HasSubstr("no command specified"));
}

TEST(PodPath, FollowsTheLinksEveryPodHas) {
    struct Row {
        const char *path, *wanted;
    };
    for (const Row& row : {Row{"/var/run/secrets/x", "/run/secrets/x"},
                           Row{"/bin/tool", "/usr/bin/tool"}, Row{"//a/./b/../c/", "/a/c"},
                           Row{"/../..", "/"}, Row{"/var/runs", "/var/runs"}, Row{"rel", "/rel"}}) {
        EXPECT_EQ(pod_path(row.path), row.wanted) << row.path;
    }
}

class SubPaths : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/shed-subpath-XXXXXX";
        root = ::mkdtemp(name);
        std::filesystem::create_directories(root + "/volumes/v/in/deep");
        std::ofstream(root + "/volumes/v/file") << "x";
        std::filesystem::create_symlink("/etc", root + "/volumes/v/out");
        std::filesystem::create_symlink("in", root + "/volumes/v/link");
    }
    void TearDown() override { std::filesystem::remove_all(root); }

    Result<std::vector<Mount>> mounts(const std::string& sub_path) {
        place = place_of(
            a_pod({{"volumeMounts",
                    Json::array({{{"name", "v"}, {"mountPath", "/m"}, {"subPath", sub_path}}})}},
                  {{"volumes", Json::array({{{"name", "v"}, {"emptyDir", Json::object()}}})}}));
        place.directory = root;
        return volume_mounts(place, place.spec()["containers"][0], {});
    }
    std::string root;
    PodPlace place;
};

TEST_F(SubPaths, LeadInsideTheVolumeOnly) {
    // Where links lead is found when the container starts.
    for (const char* good : {"in/deep", "link/deep"}) {
        const Mount mount = (*mounts(good))[0];
        EXPECT_EQ(mount.source, root + "/volumes/v");
        EXPECT_THAT(mount.below, testing::ElementsAre(good));
        EXPECT_FALSE(mount.file);
    }
    EXPECT_TRUE((*mounts("file"))[0].file);
    for (const char* bad : {"out", "out/passwd", "../v", "/etc", "in/../../x"})
        EXPECT_FALSE(mounts(bad)) << bad;
}

TEST_F(SubPaths, AreMadeWhenMissing) {
    const Mount mount = (*mounts("in/new/one"))[0];
    EXPECT_THAT(mount.below, testing::ElementsAre("in/new/one"));
    EXPECT_TRUE(mount.make);
}

TEST(SandboxSpec, NamesTheHostAndItsAddress) {
    EXPECT_EQ(sandbox_spec(place_of(read_data("worker.json"))),
              (Spec{{"hostname", "mlx3-node-0-0"}, {"address", "10.244.0.4"}}));
}

}  // namespace
}  // namespace shed::kubelet
