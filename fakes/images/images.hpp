#pragma once
// Images are local environments, not downloads. The catalogue (YAML; shipped defaults, user overrides) maps image name
// patterns to environments: root layers over the host's own /usr and /etc, an image environment, user, entrypoint.
#include "fakes/base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace shed {

struct Environment {
    std::string name;                                    // "mlx"
    std::vector<std::string> layers;                     // host directories laid over the host's root, top first
    std::vector<std::pair<std::string, std::string>> env;  // PATH and friends, before the pod's own env
    std::string user_name = "root";                      // in /etc/passwd for `uid`
    int uid = 0, gid = 0;                                // when the pod sets no runAsUser
    std::string home = "/root";                          // made writable and private per pod; HOME
    std::string working_dir = "/";
    std::vector<std::string> entrypoint, command;        // used when the container sets none
    std::map<std::string, std::string> files;            // in-pod path -> content: ssh and MCA files, sshd_config, pip.conf
    bool built = true;                                   // false: needs `trainshed image build NAME` first
    std::string image_id;                                // stable digest shown as imageID
};

class Catalogue {
public:
    // The shipped catalogue, then the user's (~/.config/trainshed/images.yaml) if present; later entries win.
    static Result<Catalogue> load(const std::string& shipped_file, const std::string& user_file,
                                  const std::string& environments_dir);
    // Error not_found with a hint when no pattern matches or the environment is not built.
    Result<Environment> resolve(const std::string& image) const;
    std::vector<Environment> list() const;

private:
    struct Entry {
        std::string pattern;
        Environment environment;
    };
    std::vector<Entry> entries_;
};

// Where environments are kept: /var/lib/trainshed/environments as root, else $XDG_DATA_HOME/trainshed/environments.
std::string default_environments_dir();

}  // namespace shed
