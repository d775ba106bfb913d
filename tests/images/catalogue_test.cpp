#include "fakes/images/internal.hpp"
#include "tests/images/folder.hpp"

#include <gmock/gmock.h>

namespace shed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CatalogueTest : public FolderTest {
protected:
    static constexpr const char* shipped =
        "environments:\n"
        "  base:\n"
        "    user: {name: mpiuser, uid: 1000, home: /home/mpiuser}\n"
        "    env: {A: '1', B: '2'}\n"
        "    files: {/etc/a: one, /etc/b: two}\n"
        "  mlx:\n"
        "    from: base\n"
        "    command: [run, it]\n"
        "    build: {packages: [x==1], cpu: ['y[cpu]'], cuda12: [y], megabytes: 1}\n"
        "images:\n"
        "  - {pattern: '*/mlx*', environment: mlx}\n"
        "  - {pattern: busybox, environment: base}\n";

    Result<Catalogue> load(const std::string& user = "", const FileContents& pip = {}) {
        const std::string file = write("shipped.yaml", shipped);
        const std::string mine = user.empty() ? folder + "/none" : write("user.yaml", user);
        return Catalogue::load(file, mine, folder + "/environments", pip);
    }
    void pretend_built(const std::string& name) {
        write("environments/" + name + "/.trainshed.json", R"({"digest": "d", "bytes": 5000})");
    }
};

TEST_F(CatalogueTest, AnEnvironmentHasWhatItComesFrom) {
    const auto catalogue = load();
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    pretend_built("mlx");
    const auto e = catalogue->resolve("ghcr.io/x/mlx-runtime:v1");
    ASSERT_TRUE(e) << e.error().message;
    EXPECT_EQ(e->name, "mlx");
    EXPECT_EQ(e->user_name, "mpiuser");
    EXPECT_EQ(e->uid, 1000);
    EXPECT_EQ(e->gid, 1000);
    EXPECT_EQ(e->home, "/home/mpiuser");
    EXPECT_THAT(e->command, ElementsAre("run", "it"));
    EXPECT_EQ(e->files, (FileContents{{"/etc/a", "one"}, {"/etc/b", "two"}}));
    EXPECT_THAT(e->env, ElementsAre(std::pair("A", "1"), std::pair("B", "2")));
    EXPECT_THAT(e->layers, ElementsAre(folder + "/environments/mlx"));
    EXPECT_EQ(e->bytes, 5000u);
    EXPECT_THAT(e->image_id, testing::MatchesRegex("sha256:[0-9a-f]+"));
}

TEST_F(CatalogueTest, ABuildIsSeenByACatalogueLoadedBefore) {
    const auto catalogue = load();
    const auto before = catalogue->resolve("a/mlx");
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().reason, Reason::not_found);
    EXPECT_EQ(before.error().message,
              "image \"a/mlx\" needs the environment \"mlx\", which is not built; run: trainshed "
              "image build mlx");
    EXPECT_FALSE(catalogue->match("a/mlx")->second.built);
    pretend_built("mlx");
    EXPECT_TRUE(catalogue->resolve("a/mlx"));
}

TEST_F(CatalogueTest, AnUnknownImageSaysWhereToAddIt) {
    const auto e = load()->resolve("nginx");
    ASSERT_FALSE(e);
    EXPECT_EQ(e.error().reason, Reason::not_found);
    EXPECT_THAT(e.error().message, HasSubstr("\"nginx\""));
    EXPECT_THAT(e.error().message, HasSubstr("; see: trainshed image list"));
}

TEST_F(CatalogueTest, TheUsersEntriesWin) {
    const auto catalogue = load(
        "environments:\n"
        "  base:\n"
        "    env: {B: '3'}\n"
        "    files: {/etc/a: null, /etc/c: three}\n"
        "  mine: {from: mlx, layers: [layer]}\n"
        "images:\n"
        "  - {pattern: '*', environment: base}\n"
        "  - {pattern: 'corp.example/*', environment: mine}\n");
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    // Laid over, key by key, also below what comes from it.
    const auto base = catalogue->resolve("ghcr.io/x/mlx-runtime");
    ASSERT_TRUE(base) << base.error().message;
    EXPECT_EQ(base->name, "base");
    EXPECT_EQ(base->user_name, "mpiuser");
    EXPECT_THAT(base->env, ElementsAre(std::pair("A", "1"), std::pair("B", "3")));
    EXPECT_EQ(base->files, (FileContents{{"/etc/b", "two"}, {"/etc/c", "three"}}));
    // Shares the layer of what it comes from, below its own.
    pretend_built("mlx");
    const auto missing = catalogue->resolve("corp.example/a");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr(folder + "/layer of environment \"mine\""));
    std::filesystem::create_directories(folder + "/layer");
    const auto mine = catalogue->resolve("corp.example/a");
    ASSERT_TRUE(mine) << mine.error().message;
    EXPECT_THAT(mine->layers, ElementsAre(folder + "/layer", folder + "/environments/mlx"));
    EXPECT_EQ(mine->files.count("/etc/c"), 1u);
}

TEST_F(CatalogueTest, AFileIsTakenAwayByNullFromWhatIsInherited) {
    const auto catalogue = load(
        "environments:\n"
        "  child: {from: base, files: {/etc/a: null}}\n"
        "images: [{pattern: c, environment: child}]\n");
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    EXPECT_EQ(catalogue->resolve("c")->files, (FileContents{{"/etc/b", "two"}}));
}

TEST_F(CatalogueTest, AFilesContentCanStandInAFileOfItsOwn) {
    write("tools/run.py", "print(1)\n");
    const std::string user =
        "environments:\n"
        "  child: {from: base, files: {/app/run.py: {source: tools/run.py}}}\n"
        "images: [{pattern: c, environment: child}]\n";
    const auto before = load(user)->resolve("c");
    ASSERT_TRUE(before) << before.error().message;
    EXPECT_EQ(before->files.at("/app/run.py"), "print(1)\n");
    EXPECT_EQ(before->files.at("/etc/a"), "one");
    write("tools/run.py", "print(2)\n");
    EXPECT_NE(load(user)->resolve("c")->image_id, before->image_id);
}

TEST_F(CatalogueTest, PipsFilesGoEverywhereUnlessAnEnvironmentHasItsOwn) {
    const auto catalogue = load(
        "environments: {own: {files: {/etc/pip.conf: mine}}}\n"
        "images: [{pattern: own, environment: own}]\n",
        {{"/etc/pip.conf", "host's"}});
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    EXPECT_EQ(catalogue->resolve("busybox")->files.at("/etc/pip.conf"), "host's");
    EXPECT_EQ(catalogue->resolve("own")->files.at("/etc/pip.conf"), "mine");
}

TEST_F(CatalogueTest, TheDigestIsOfTheEnvironmentAlone) {
    const auto id = [&](const std::string& user, const FileContents& pip) {
        return load(user, pip)->resolve("busybox")->image_id;
    };
    EXPECT_EQ(id("", {}), id("", {{"/etc/pip.conf", "x"}}));
    EXPECT_NE(id("", {}), id("environments: {base: {env: {A: '9'}}}", {}));
}

TEST_F(CatalogueTest, AMistakeIsNamedWithItsLine) {
    struct Row {
        const char *text, *line, *message;
    };
    const Row rows[] = {
        {"environments:\n  a: [\n", ":3: ", "end of sequence"},
        {"imagse: []\n", ":1: ", "unknown key \"imagse\"; known are environments, images"},
        {"environments:\n  a:\n    comand: [x]\n", ":3: ", "unknown key \"comand\""},
        {"environments:\n  a:\n    command: x\n", ":3: ", "\"command\" must be a list of texts"},
        {"environments:\n  a:\n    user:\n      uid: root\n", ":4: ", "\"uid\" must be a number"},
        {"environments:\n  a:\n    user: {uid: -1}\n", ":3: ", "\"uid\" must be a number"},
        {"environments:\n  a:\n    env: {X: 1}\n", ":3: ", "must map names to texts"},
        {"environments:\n  ../a: {}\n", ":2: ", "a name has a-z"},
        {"environments:\n  a:\n    files:\n      etc/x: y\n", ":4: ", "absolute path"},
        {"environments:\n  a:\n    files:\n      /../x: y\n", ":4: ", "absolute path"},
        {"environments:\n  a:\n    files:\n      /x: {source: none/y}\n",
         ":4: ", "none/y: No such"},
        {"environments:\n  a:\n    files: {/x: {from: y}}\n", ":3: ", "or to {source: FILE}"},
        {"environments:\n  a:\n    files: {/x: [y]}\n", ":3: ", "must map paths to texts"},
        {"environments:\n  a:\n    layers: ['/x:y']\n", ":3: ", "a layer's path"},
        {"environments:\n  a:\n    build: {packages: [--user]}\n", ":3: ", "not options"},
        {"environments:\n  a: {from: nowhere}\n", ":2: ", "no environment \"nowhere\""},
        {"environments:\n  a: {from: b}\n  b: {from: a}\n", ":3: ", "comes from itself"},
        {"images:\n  - {pattern: x}\n", ":2: ", "needs \"environment\""},
        {"images:\n  - {pattern: x, environment: base}\n  - {pattern: y, environment: q}\n",
         ":3: ", "no environment \"q\""},
        {"images:\n  x: y\n", ":1: ", "\"images\" must be a list"},
        {"- a\n", ":1: ", "a catalogue is a mapping"}};
    for (const Row& row : rows) {
        const auto catalogue = load(row.text);
        ASSERT_FALSE(catalogue) << row.text;
        EXPECT_EQ(catalogue.error().reason, Reason::invalid);
        EXPECT_THAT(catalogue.error().message,
                    testing::StartsWith(folder + "/user.yaml" + row.line))
            << row.text;
        EXPECT_THAT(catalogue.error().message, HasSubstr(row.message));
    }
}

TEST_F(CatalogueTest, WithoutTheShippedFileThereIsNone) {
    const auto catalogue = Catalogue::load(folder + "/gone.yaml", "", folder, {});
    ASSERT_FALSE(catalogue);
    EXPECT_EQ(catalogue.error().reason, Reason::environment);
    EXPECT_THAT(catalogue.error().message, HasSubstr("gone.yaml"));
}

TEST_F(CatalogueTest, OnlyWhatHasARecipeCanBeBuilt) {
    const auto catalogue = load();
    EXPECT_THAT(catalogue->recipe("mlx")->packages, ElementsAre("x==1"));
    EXPECT_EQ(catalogue->recipe("base").error().reason, Reason::invalid);
    EXPECT_EQ(catalogue->recipe("nix").error().message,
              "there is no environment \"nix\"; those to be built are: mlx");
}

// ---- what we ship

class ShippedCatalogue : public FolderTest {
protected:
    Catalogue catalogue = load();
    Catalogue load() {
        auto loaded = Catalogue::load(SHED_CATALOGUE, "", "/nowhere", {});
        EXPECT_TRUE(loaded) << loaded.error().message;
        return loaded ? *loaded : Catalogue();
    }
};

TEST_F(ShippedCatalogue, KnowsTheImagesOfTrainersRuntimesAndTests) {
    struct Row {
        const char *image, *environment;
    };
    const Row rows[] = {{"ghcr.io/kubeflow/trainer/mlx-runtime:latest", "mlx"},
                        {"ghcr.io/kubeflow/trainer/deepspeed-runtime:v2.3.0", "deepspeed"},
                        {"pytorch/pytorch:2.13.0-cuda13.0-cudnn9-runtime", "torch"},
                        {"nvcr.io/nvidia/jax:25.10-py3", "jax"},
                        {"ghcr.io/kubeflow/trainer/xgboost-runtime", "xgboost"},
                        {"ghcr.io/kubeflow/trainer/torchtune-trainer", "torchtune"},
                        {"ghcr.io/kubeflow/trainer/dataset-initializer", "dataset-initializer"},
                        {"ghcr.io/kubeflow/trainer/model-initializer", "model-initializer"},
                        {"registry.k8s.io/pause:3.9", "pause"},
                        {"busybox:1.36", "shell"},
                        {"alpine", "shell"},
                        {"python:3.11-slim", "python"},
                        {"ubuntu:24.04", "host"},
                        {"debian", "host"}};
    for (const Row& row : rows) {
        const auto matched = catalogue.match(row.image);
        ASSERT_TRUE(matched) << row.image;
        EXPECT_EQ(matched->second.name, row.environment) << row.image;
        EXPECT_FALSE(matched->second.entrypoint.empty() && matched->second.command.empty())
            << row.image << " ends at once without a command";
        EXPECT_EQ(matched->second.built, !catalogue.recipe(row.environment)) << row.image;
    }
}

TEST_F(ShippedCatalogue, AnMpiPodHasWhatSshAndMpirunNeed) {
    for (const char* name : {"mlx", "deepspeed"}) {
        const auto matched =
            catalogue.match("ghcr.io/kubeflow/trainer/" + std::string(name) + "-runtime");
        const Environment& e = matched->second;
        EXPECT_EQ(e.user_name, "mpiuser");
        EXPECT_EQ(e.uid, 1000);
        EXPECT_EQ(e.home, "/home/mpiuser");
        EXPECT_EQ(e.files.at("/home/mpiuser/.sshd_config"),
                  "PidFile /home/mpiuser/sshd.pid\nHostKey /home/mpiuser/.ssh/id_rsa\n"
                  "StrictModes no\nPort 2222\nInclude /etc/ssh/sshd_gpus.conf\n");
        EXPECT_THAT(e.files.at("/etc/ssh/ssh_config"), HasSubstr("UserKnownHostsFile /dev/null"));
        const std::string& mca = e.files.at("/etc/openmpi/openmpi-mca-params.conf");
        EXPECT_THAT(mca,
                    HasSubstr("\nmpi_yield_when_idle = 1\nhwloc_base_binding_policy = none\n"));
        EXPECT_THAT(mca, HasSubstr("\npml = ob1\n"));
        EXPECT_EQ(e.files.at("/home/mpiuser/.openmpi/mca-params.conf"), mca);
        EXPECT_THAT(e.files.at("/home/mpiuser/.prte/mca-params.conf"),
                    HasSubstr("\nhwloc_default_binding_policy = none\n"));
    }
}

TEST_F(ShippedCatalogue, TheLayersOwnPythonIsNotHidden) {
    for (const Environment& e : catalogue.list())
        EXPECT_EQ(e.files.contains("/usr/local/bin/python"), !catalogue.recipe(e.name)) << e.name;
    EXPECT_EQ(catalogue.recipe("mlx")->extras.at("cuda13"),
              std::vector<std::string>{"mlx[cuda13]==0.31.2"});
}

TEST_F(ShippedCatalogue, EveryRecipeSaysWhatItCosts) {
    for (const char* name : {"mlx", "torch", "jax", "xgboost", "deepspeed"}) {
        const auto recipe = catalogue.recipe(name);
        ASSERT_TRUE(recipe) << name;
        EXPECT_GT(recipe->megabytes, 0) << name;
        EXPECT_GT(recipe->seconds, 0) << name;
        const bool cuda = recipe->extras.contains("cuda12") || recipe->extras.contains("cuda13");
        EXPECT_EQ(recipe->cuda_megabytes > 0 && recipe->cuda_seconds > 0, cuda) << name;
    }
    EXPECT_EQ(catalogue.recipe("torch")->debian, std::vector<std::string>{"python3-torch"});
}

}  // namespace
}  // namespace shed
