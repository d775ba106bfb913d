// `image build`, `image list`, `image inspect`: the local environments that stand for images.
#include "fakes/base/text.hpp"
#include "fakes/images/images.hpp"
#include "simulator/commands.hpp"
#include "simulator/paths.hpp"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

using nlohmann::json;

Result<Catalogue> load_catalogue() {
    return Catalogue::load(shared_file("images.yaml"), user_catalogue_file(),
                           default_environments_dir());
}

std::string size_text(std::uint64_t bytes) {
    if (bytes == 0) return "-";
    return std::to_string((bytes + 500'000) / 1'000'000) + " MB";
}

volatile std::sig_atomic_t interrupted = 0;

// While it lives, Ctrl-C asks the build to end and clean up after itself.
class Interruptible {
public:
    Interruptible() {
        interrupted = 0;
        struct sigaction action {};
        action.sa_handler = [](int) { interrupted = 1; };
        for (std::size_t i = 0; i < std::size(signals); ++i)
            ::sigaction(signals[i], &action, &before_[i]);
    }
    Interruptible(const Interruptible&) = delete;
    ~Interruptible() {
        for (std::size_t i = 0; i < std::size(signals); ++i)
            ::sigaction(signals[i], &before_[i], nullptr);
    }

private:
    static constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before_[std::size(signals)]{};
};

// Built, not yet, or nothing to build: the host's own programs do.
std::string built_text(const Catalogue& catalogue, const Environment& environment) {
    if (!environment.built) return "no";
    return catalogue.recipe(environment.name) || environment.bytes > 0 ? "yes" : "host";
}

json to_json(const ImageRow& row, const Environment& environment) {
    return {{"pattern", row.pattern},
            {"environment", environment.name},
            {"built", environment.built},
            {"bytes", environment.bytes},
            {"catalogue", row.file}};
}

json to_json(const Environment& environment) {
    json files = json::array();
    for (const auto& [path, content] : environment.files) files.push_back(path);
    json variables = json::object();
    for (const auto& [name, value] : environment.env) variables[name] = value;
    return {{"name", environment.name},
            {"built", environment.built},
            {"bytes", environment.bytes},
            {"imageID", environment.image_id},
            {"layers", environment.layers},
            {"user",
             {{"name", environment.user_name},
              {"uid", environment.uid},
              {"gid", environment.gid},
              {"home", environment.home}}},
            {"workingDir", environment.working_dir},
            {"entrypoint", environment.entrypoint},
            {"command", environment.command},
            {"env", variables},
            {"files", files}};
}

std::string words_or_dash(const std::vector<std::string>& words) {
    const std::string out = joined(words, " ");
    return out.empty() ? "-" : out;
}

void print_facts(const Catalogue& catalogue, const ImageRow& row, const Environment& e) {
    const auto line = [](const char* name, const std::string& value) {
        std::printf("%-12s %s\n", name, value.c_str());
    };
    line("environment", e.name);
    line("pattern", row.pattern + "  (" + row.file + ")");
    line("built", built_text(catalogue, e));
    line("size", size_text(e.bytes));
    line("image id", e.image_id);
    line("layers", words_or_dash(e.layers));
    line("user", e.user_name + " uid " + std::to_string(e.uid) + " gid " + std::to_string(e.gid) +
                     " home " + e.home);
    line("directory", e.working_dir);
    line("entrypoint", words_or_dash(e.entrypoint));
    line("command", words_or_dash(e.command));
    for (const auto& [name, value] : e.env) line("env", name + "=" + value);
    for (const auto& [path, content] : e.files) line("file", path);
}

}  // namespace

int command_image_build(const CommonOptions& options, const std::string& environment) {
    const Terminal terminal(options.plain, options.quiet);
    const auto catalogue = load_catalogue();
    if (!catalogue) return report(terminal, catalogue.error());
    const Interruptible guard;
    BuildOptions build;
    build.cancelled = [] { return interrupted != 0; };
    const auto built = build_environment(*catalogue, environment, build,
                                         [&](const std::string& line) { terminal.note(line); });
    if (!built) {
        const int code = report(terminal, built.error());
        return interrupted != 0 ? exit_interrupted : code;
    }
    terminal.ok("image", environment + (built->already_built ? " is built: " : ": ") + built->path +
                             " (" + size_text(built->bytes) + ", " + seconds_text(built->took) +
                             ")");
    if (options.output == "json") {
        const json result = {{"environment", environment},
                             {"path", built->path},
                             {"bytes", built->bytes},
                             {"alreadyBuilt", built->already_built}};
        std::cout << result.dump(2) << "\n";
    }
    return exit_ok;
}

int command_image_list(const CommonOptions& options) {
    const Terminal terminal(options.plain, options.quiet);
    const auto catalogue = load_catalogue();
    if (!catalogue) return report(terminal, catalogue.error());
    std::map<std::string, Environment> environments;
    for (Environment& e : catalogue->list()) environments[e.name] = std::move(e);
    if (options.output == "json") {
        json rows = json::array();
        for (const ImageRow& row : catalogue->images())
            rows.push_back(to_json(row, environments[row.environment]));
        std::cout << rows.dump(2) << "\n";
        return exit_ok;
    }
    std::printf("%-46s %-14s %-6s %10s\n", "PATTERN", "ENVIRONMENT", "BUILT", "SIZE");
    for (const ImageRow& row : catalogue->images()) {
        const Environment& e = environments[row.environment];
        std::printf("%-46s %-14s %-6s %10s\n", row.pattern.c_str(), e.name.c_str(),
                    built_text(*catalogue, e).c_str(), size_text(e.bytes).c_str());
    }
    return exit_ok;
}

int command_image_inspect(const CommonOptions& options, const std::string& image) {
    const Terminal terminal(options.plain, options.quiet);
    const auto catalogue = load_catalogue();
    if (!catalogue) return report(terminal, catalogue.error());
    const auto matched = catalogue->match(image);
    if (!matched) return report(terminal, matched.error());
    const auto& [row, environment] = *matched;
    if (options.output == "json") {
        json result = to_json(environment);
        result["pattern"] = row.pattern;
        result["catalogue"] = row.file;
        std::cout << result.dump(2) << "\n";
    } else {
        print_facts(*catalogue, row, environment);
    }
    // Also says what is missing: the same words as in the pod's ErrImagePull.
    if (const auto usable = catalogue->resolve(image); !usable)
        return report(terminal, usable.error());
    return exit_ok;
}

}  // namespace shed
