#pragma once
// Images are local environments, not downloads. The catalogue (YAML; shipped defaults, user
// overrides) maps image name patterns to environments: root layers over the host's own /usr and
// /etc, an image environment, user, entrypoint. An environment with a recipe is built once, by pip
// and, where PyPI has no build for machines without a GPU, from Debian packages.
#include "fakes/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace shed {

using FileContents = std::map<std::string, std::string>;  // in-pod path -> content

struct Environment {
    std::string name;                 // "mlx"
    std::vector<std::string> layers;  // host directories laid over the host's root, top first
    std::vector<std::pair<std::string, std::string>> env;  // PATH and friends, before the pod's own
    std::string user_name = "root";                        // in /etc/passwd for `uid`
    int uid = 0, gid = 0;                                  // when the pod sets no runAsUser
    std::string home = "/root";  // made writable and private per pod; HOME
    std::string working_dir = "/";
    std::vector<std::string> entrypoint, command;  // used when the container sets none
    FileContents files;                            // ssh and MCA files, sshd_config, pip.conf
    bool built = true;        // false: needs `trainshed image build NAME` first
    std::string image_id;     // stable digest shown as imageID
    std::uint64_t bytes = 0;  // of the built layer
};

// What `image build` installs, and what that costs.
struct Recipe {
    std::vector<std::string> packages;                       // requirements, as pip takes them
    std::map<std::string, std::vector<std::string>> extras;  // "cpu", "cuda12", "cuda13"
    std::vector<std::string> debian;  // Debian packages, where no CUDA extra is taken
    int megabytes = 0, seconds = 0;                          // estimates
    int cuda_megabytes = 0, cuda_seconds = 0;
    bool operator==(const Recipe&) const = default;
};

struct ImageRow {
    std::string pattern, environment;
    std::string file;  // the catalogue it stands in
};

class Catalogue {
public:
    // The shipped catalogue, then the user's (~/.config/trainshed/images.yaml) if present; later
    // entries win. Errors name file and line. Every environment also gets `pip_files`, unless it
    // has its own: see host_pip_files(), which is the default.
    static Result<Catalogue> load(const std::string& shipped_file, const std::string& user_file,
                                  const std::string& environments_dir);
    static Result<Catalogue> load(const std::string& shipped_file, const std::string& user_file,
                                  const std::string& environments_dir,
                                  const FileContents& pip_files);
    // Error not_found with a hint when no pattern matches or the environment is not built (looked
    // up now, so that a build helps a running cluster); invalid when it is no image name.
    Result<Environment> resolve(const std::string& image) const;
    // What an image leads to, built or not; the row that decided comes with it.
    Result<std::pair<ImageRow, Environment>> match(const std::string& image) const;
    std::vector<Environment> list() const;
    std::vector<ImageRow> images() const;  // the first one that fits wins

    // Error not_found, naming what there is, or invalid when nothing needs to be built.
    Result<Recipe> recipe(const std::string& environment) const;
    // Where `build_environment` puts the layer.
    std::string layer_path(const std::string& environment) const;
    const std::string& environments_dir() const { return environments_dir_; }

private:
    friend class CatalogueReader;
    Environment with_build_state(Environment environment) const;
    std::map<std::string, Environment> environments_;
    std::map<std::string, Recipe> recipes_;
    // Which layers must have been built for an environment, its own first.
    std::map<std::string, std::vector<std::string>> needs_;
    std::vector<ImageRow> rows_;  // the first one that fits wins
    std::string environments_dir_;
};

// Where environments are kept: /var/lib/trainshed/environments as root, else
// $XDG_DATA_HOME/trainshed/environments.
std::string default_environments_dir();
// $XDG_CONFIG_HOME/trainshed/images.yaml, there or not.
std::string user_catalogue_file();

// /etc/pip.conf for pods, and the certificates it names: this machine's own pip configuration
// (files, PIP_* and certificate variables) as it must read inside a pod, where the way out is the
// gateway's proxy and localhost is host.trainshed.internal. Credentials in URLs go along, as pip
// needs them.
FileContents host_pip_files();

// ---- building

struct BuildOptions {
    // The python3 that pods will run: its version and layout decide where packages land.
    std::string python = "/usr/bin/python3";
    std::string apt_get = "/usr/bin/apt-get", dpkg_deb = "/usr/bin/dpkg-deb";
    // Asked whenever a signal interrupts the waiting; true ends pip and the build.
    std::function<bool()> cancelled = [] { return false; };
};
struct BuildReport {
    bool already_built = false;
    std::string path;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds took{0};
};
using BuildProgress = std::function<void(const std::string& line)>;

// Builds beside the final place and renames when complete, so that a failure leaves nothing.
// One builder at a time: others wait, then find the work done.
Result<BuildReport> build_environment(const Catalogue& catalogue, const std::string& name,
                                      const BuildOptions& options, const BuildProgress& progress);

}  // namespace shed
