#include "fakes/images/internal.hpp"

#include <gmock/gmock.h>

namespace shed::images {
namespace {

TEST(ImageNames, AreCompletedAsContainerdDoes) {
    struct Row {
        const char *image, *wanted;
    };
    const Row rows[] = {
        {"busybox", "docker.io/library/busybox:latest"},
        {"busybox:1.36", "docker.io/library/busybox:1.36"},
        {"docker.io/busybox", "docker.io/library/busybox:latest"},
        {"index.docker.io/pytorch/pytorch:2", "docker.io/pytorch/pytorch:2"},
        {"pytorch/pytorch:2.13.0-cuda13.0", "docker.io/pytorch/pytorch:2.13.0-cuda13.0"},
        {"localhost/x", "localhost/x:latest"},
        {"reg:5000/a/b", "reg:5000/a/b:latest"},
        {"reg:5000/a/b:v1@sha256:0f", "reg:5000/a/b:v1@sha256:0f"},
        {"ghcr.io/kubeflow/trainer/mlx-runtime@sha256:0f",
         "ghcr.io/kubeflow/trainer/mlx-runtime@sha256:0f"}};
    for (const Row& row : rows) {
        const auto name = parse_image_name(row.image);
        ASSERT_TRUE(name) << row.image;
        EXPECT_EQ(name->text(), row.wanted) << row.image;
    }
}

TEST(ImageNames, ThatAreNoneAreRefused) {
    for (const char* bad : {"", "Busybox", "a b", "a//b", "/a", "a/", "a:", "a@0f", "ghcr.io/",
                            "a:tag with space", "a@sha256:XYZ"}) {
        const auto name = parse_image_name(bad);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().reason, Reason::invalid);
        EXPECT_THAT(name.error().message, testing::HasSubstr("invalid reference format"));
    }
}

TEST(Patterns, FitAsTheyRead) {
    struct Row {
        const char *pattern, *image;
        bool wanted;
    };
    const Row rows[] = {
        {"busybox", "busybox:1.36", true},
        {"busybox", "docker.io/library/busybox", true},
        {"busybox", "quay.io/x/busybox", false},
        {"busybox", "busybox2", false},
        {"busybox:1.*", "busybox:1.36", true},
        {"busybox:1.*", "busybox", false},
        {"*/busybox", "quay.io/x/busybox:3", true},
        {"ghcr.io/kubeflow/trainer/mlx-runtime*", "ghcr.io/kubeflow/trainer/mlx-runtime:v2.3",
         true},
        {"ghcr.io/kubeflow/trainer/mlx-runtime*", "ghcr.io/kubeflow/trainer/mlx-runtime-cpu", true},
        {"ghcr.io/kubeflow/trainer/mlx-runtime*", "ghcr.io/kubeflow/trainer/mlx", false},
        {"*/kubeflow/*/mlx-runtime", "mirror:5000/ghcr/kubeflow/trainer/mlx-runtime:x", true},
        {"a/b?", "a/bc", true},
        {"a/b?", "a/b", false},
        {"a/b", "a/b@sha256:0f", true},
        {"a/b:v1", "a/b@sha256:0f", false},
        {"a/b@sha256:0*", "a/b@sha256:0f", true},
        {"a/b@sha256:1*", "a/b@sha256:0f", false},
        {"*", "reg:5000/anything:at-all", true}};
    for (const Row& row : rows) {
        const auto name = parse_image_name(row.image);
        ASSERT_TRUE(name) << row.image;
        EXPECT_EQ(fits(row.pattern, *name), row.wanted) << row.pattern << " " << row.image;
    }
}

TEST(Patterns, ManyStarsEndSoon) {
    const std::string text(5'000, 'a');
    EXPECT_FALSE(glob("a*a*a*a*a*a*a*a*a*a*b", text));
    EXPECT_TRUE(glob("a*a*a*a*a*a*a*a*a*a*", text));
}

TEST(Lines, OfKeysAndListEntries) {
    const std::string text =
        "# images: no\n"          // 1
        "environments:\n"         // 2
        "  a:\n"                  // 3
        "    command: [x]\n"      // 4
        "    files:\n"            // 5
        "      /etc/x: |\n"       // 6
        "        b: in a text\n"  // 7
        "  b: {from: a}\n"        // 8
        "images:\n"               // 9
        "  - pattern: x\n"        // 10
        "    environment: a\n"    // 11
        "\n"                      // 12
        "  - {pattern: y}\n";     // 13
    struct Row {
        YamlPath path;
        int line;
    };
    for (const Row& row : {Row{{"environments"}, 2}, Row{{"environments", "a", "command"}, 4},
                           Row{{"environments", "a", "files", "/etc/x"}, 6},
                           Row{{"environments", "b"}, 8}, Row{{"environments", "b", "from"}, 8},
                           Row{{"images", "0"}, 10}, Row{{"images", "0", "environment"}, 11},
                           Row{{"images", "1"}, 13}, Row{{"images", "1", "pattern"}, 13}}) {
        EXPECT_EQ(line_of(text, row.path), row.line) << row.path.back();
    }
}

}  // namespace
}  // namespace shed::images
