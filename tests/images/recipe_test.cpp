#include "fakes/images/internal.hpp"

#include <gmock/gmock.h>

namespace shed::images {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Recipe a_recipe() {
    Recipe recipe;
    recipe.packages = {"lm==1"};
    recipe.extras = {{"cpu", {"mlx[cpu]"}}, {"cuda13", {"mlx[cuda13]"}}};
    recipe.megabytes = 100;
    recipe.cuda_megabytes = 900;
    return recipe;
}

TEST(Plan, TakesWhatTheDriverCanRun) {
    Machine machine;
    EXPECT_THAT(plan_of(a_recipe(), machine).requirements, ElementsAre("mlx[cpu]", "lm==1"));
    EXPECT_EQ(plan_of(a_recipe(), machine).megabytes, 100);
    machine.cuda = "cuda13";
    EXPECT_THAT(plan_of(a_recipe(), machine).requirements, ElementsAre("mlx[cuda13]", "lm==1"));
    EXPECT_EQ(plan_of(a_recipe(), machine).megabytes, 900);
    machine.cuda = "cuda12";  // no such extra
    EXPECT_THAT(plan_of(a_recipe(), machine).requirements, ElementsAre("mlx[cpu]", "lm==1"));
}

TEST(Plan, ItsDigestChangesWithAllThatMakesTheLayer) {
    const std::string digest = plan_of(a_recipe(), {}).digest;
    EXPECT_EQ(plan_of(a_recipe(), {}).digest, digest);
    Recipe recipe = a_recipe();
    recipe.seconds = 7;  // an estimate is no part of it
    EXPECT_EQ(plan_of(recipe, {}).digest, digest);
    recipe.packages = {"lm==2"};
    EXPECT_NE(plan_of(recipe, {}).digest, digest);
    Machine machine;
    machine.python = "/usr/bin/python3.12";
    EXPECT_NE(plan_of(a_recipe(), machine).digest, digest);
    machine = {};
    machine.libmpi_link = "/usr/lib/libmpi.so";
    EXPECT_NE(plan_of(a_recipe(), machine).digest, digest);
}

TEST(Plan, DebianPackagesAreForMachinesWithoutAGpu) {
    Recipe recipe = a_recipe();
    Machine machine;
    const std::string without = plan_of(recipe, machine).digest;
    recipe.debian = {"python3-torch"};
    EXPECT_THAT(plan_of(recipe, machine).debian, ElementsAre("python3-torch"));
    EXPECT_NE(plan_of(recipe, machine).digest, without);
    machine.cuda = "cuda13";
    EXPECT_THAT(plan_of(recipe, machine).debian, testing::IsEmpty());
}

TEST(Plan, KnowsWhichCudaADriverHas) {
    struct Row {
        const char *version, *wanted;
    };
    for (const Row& row :
         {Row{"580.65.06", "cuda13"}, Row{"595.1", "cuda13"}, Row{"570.172.08", "cuda12"},
          Row{"525.60.13", "cuda12"}, Row{"470.82", ""}, Row{"", ""}})
        EXPECT_EQ(cuda_extra(row.version), row.wanted) << row.version;
}

TEST(Sha256, OfAKnownText) {
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PipEnvironment, NothingSendsThePackagesElsewhere) {
    const auto environment = pip_environment({"PATH=/bin", "PIP_TARGET=/x", "PIP_USER=1",
                                              "PYTHONPATH=/y", "PIP_INDEX_URL=https://i",
                                              "PIP_BREAK_SYSTEM_PACKAGES=0", "VIRTUAL_ENV=/v"});
    for (const char* kept : {"PATH=/bin", "PIP_INDEX_URL=https://i", "PIP_USER=0",
                             "PIP_BREAK_SYSTEM_PACKAGES=1", "PIP_REQUIRE_VIRTUALENV=0"})
        EXPECT_THAT(environment, Contains(kept));
    for (const char* dropped : {"PIP_TARGET=/x", "PIP_USER=1", "PYTHONPATH=/y", "VIRTUAL_ENV=/v",
                                "PIP_BREAK_SYSTEM_PACKAGES=0"})
        EXPECT_THAT(environment, Not(Contains(dropped)));
}

TEST(Condense, KeepsWhatTakesTime) {
    struct Row {
        const char *line, *wanted;
    };
    const Row rows[] = {
        {"  Downloading mlx_cpu-0.31.2-py3-none-any.whl (10.3 MB)",
         "downloading mlx_cpu-0.31.2-py3-none-any.whl (10.3 MB)"},
        {"  Downloading https://x/y/mlx-1-cp311.whl (10 MB)",
         "downloading mlx-1-cp311.whl (10 MB)"},
        {"  Using cached numpy-2.4.6.whl (16.9 MB)", "cached numpy-2.4.6.whl (16.9 MB)"},
        {"  Downloading six-1.0.whl (11 kB)", ""},
        {"  Downloading six-1.0.whl.metadata", ""},
        {"Collecting mlx", ""},
        {"Requirement already satisfied: x", ""},
        {"Building wheel for foo (pyproject.toml): started", "building foo"},
        {"Installing collected packages: a, b, c", "installing 3 packages"},
        {"WARNING: Retrying (Retry(total=4)) after", "WARNING: Retrying (Retry(total=4)) after"},
        {"ERROR: No matching distribution", ""},  // the failure's own message says it
        {"", ""}};
    for (const Row& row : rows) EXPECT_EQ(condense(row.line).value_or(""), row.wanted) << row.line;
}

TEST(CondenseApt, KeepsWhatTakesTime) {
    struct Row {
        const char *line, *wanted;
    };
    for (const Row& row :
         {Row{"Need to get 150 MB of archives.", "downloading Debian packages (150 MB)"},
          Row{"Need to get 9,032 kB/150 MB of archives.", "downloading Debian packages (9,032 kB)"},
          Row{"Fetched 150 MB in 3s (48.2 MB/s)", "unpacking"},
          Row{"Get:1 http://deb.debian.org/debian bookworm/main amd64 libx amd64 1 [9 kB]", ""},
          Row{"Reading package lists...", ""}})
        EXPECT_EQ(condense_apt(row.line).value_or(""), row.wanted) << row.line;
}

TEST(ExplainUnpacking, NamesTheCauseAndWhatHelps) {
    struct Row {
        const char *line, *wanted;
    };
    for (const Row& row :
         {Row{"E: Unable to locate package python3-torch",
              "  Unable to locate package python3-torch; this distribution has no such package"},
          Row{"E: Failed to fetch http://x  Could not resolve 'x'; y",
              "Could not resolve 'x', y; "},
          Row{"sh: no such program", "  sh: no such program; "}}) {
        const std::string text = explain_unpacking("apt-get", {"Reading...", row.line}, 100);
        EXPECT_THAT(text, testing::StartsWith("apt-get failed with exit code 100:\n"));
        EXPECT_THAT(text, HasSubstr(row.wanted));
        EXPECT_EQ(text.find("; "), text.rfind("; ")) << text;
    }
}

TEST(ExplainFailure, NamesTheCauseAndWhatHelps) {
    struct Row {
        const char *line, *hint;
    };
    const Row rows[] = {
        {"/usr/bin/python3: No module named pip", "; sudo apt-get install python3-pip"},
        {"ERROR: [Errno 28] No space left on device", "; free some disk space"},
        {"WARNING: Retrying ... NewConnectionError('...')", "; this machine is offline"},
        {"SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))",
         "; name the certificates"},
        {"WARNING: The repository located at x is not a trusted or secure host", "; use https, or"},
        {"ERROR: No matching distribution found for mlx==0", "; the index has no such version"},
        {"ERROR: something; else", "; see: /usr/bin/python3 -m pip config list"}};
    for (const Row& row : rows) {
        const std::string text =
            explain_failure({"Collecting x", "", row.line}, 1, "/usr/bin/python3");
        EXPECT_THAT(text, testing::StartsWith("pip failed with exit code 1:\n"));
        EXPECT_THAT(text, HasSubstr(row.hint));
        // One "; " parts the cause from the hint.
        EXPECT_EQ(text.find("; "), text.rfind("; ")) << text;
    }
    EXPECT_THAT(explain_failure({"a", "b", "c", "d", "e"}, 2, "p"), Not(HasSubstr("  a\n")));
}

}  // namespace
}  // namespace shed::images
