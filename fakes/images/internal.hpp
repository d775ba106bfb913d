#pragma once
// The parts of the module that are functions of their inputs, for its sources and its tests.
#include "fakes/images/images.hpp"

#include <optional>
#include <string_view>

namespace shed::images {

// ---- catalogue.cpp
Result<std::string> text_of(const std::string& path);

// ---- names.cpp
struct ImageName {
    std::string repository;   // "docker.io/library/busybox"
    std::string tag, digest;  // "latest", ""; "sha256:..."
    std::string text() const;
};
Result<ImageName> parse_image_name(std::string_view image);
// `*` is any text, `?` one character.
bool glob(std::string_view pattern, std::string_view text);
// A pattern without a tag fits every tag, without a registry it means docker.io.
bool fits(std::string_view pattern, const ImageName& name);

// ---- lines.cpp: where in a YAML text of block style a value stands
using YamlPath = std::vector<std::string>;  // keys, and "0", "1" for list entries
int line_of(std::string_view text, const YamlPath& path);

// ---- pip_config.cpp
struct PipHost {
    std::vector<std::string> files;                // contents, later ones win
    std::map<std::string, std::string> variables;  // PIP_* and certificate variables
    // A certificate file that a pod would not see; nullopt when it cannot be read.
    std::function<std::optional<std::string>(const std::string& path)> read;
};
FileContents pip_files(const PipHost& host);
// Paths of pip's configuration files on this machine, the least important first.
std::vector<std::string> pip_config_paths(
    const std::function<std::string(const char* variable)>& get,
    const std::function<bool(const std::string& path)>& exists);

// ---- recipe.cpp
struct Machine {
    std::string python;        // real path, "/usr/bin/python3.11"
    std::string cuda;          // "", "cuda12", "cuda13"
    std::string libmpi_link;   // in-pod path of the libmpi.so that the layer must bring, or ""
    std::string libmpi;        // what it points to
    bool has_openmpi = false;  // any libmpi at all
};
struct Plan {
    std::vector<std::string> requirements, debian;
    int megabytes = 0, seconds = 0;
    std::string digest;  // of all that decides what is in the layer
};
Plan plan_of(const Recipe& recipe, const Machine& machine);
std::string cuda_extra(std::string_view driver_version);  // "580.65.06" -> "cuda13"
std::vector<std::string> pip_words(const std::string& python, const std::string& root,
                                   const Plan& plan);
// pip's environment: ours without what would send the packages elsewhere.
std::vector<std::string> pip_environment(const std::vector<std::string>& own);
// What a person wants to know of a line of pip's, or nothing.
std::optional<std::string> condense(std::string_view pip_line);
// "cause; hint" from the end of pip's output.
std::string explain_failure(const std::vector<std::string>& tail, int exit_code,
                            const std::string& python);
std::string sha256(std::string_view text);  // lower-case hexadecimal

struct Stamp {
    std::string digest;
    std::uint64_t bytes = 0;
};
std::string stamp_path(const std::string& layer);
std::optional<Stamp> read_stamp(const std::string& layer);

// ---- machine.cpp
Result<Machine> examine_machine(const std::string& python);

// ---- process.cpp
struct Output {
    int exit_code = 0;
    bool cancelled = false;
    std::vector<std::string> tail;  // last lines
};
// Runs a program, stdout and stderr as lines. The child keeps `held` open for as long as it lives.
Result<Output> run_lines(const std::vector<std::string>& words,
                         const std::vector<std::string>& environment, int held,
                         const std::function<bool()>& cancelled,
                         const std::function<void(const std::string&)>& line);

// ---- debian.cpp
// How a step of a build runs a program: its output is told to the person, and may be cancelled.
using Runner = std::function<Result<Output>(const std::vector<std::string>& words)>;
// Unpacks the packages, with all they need that this machine lacks, below `root`; nothing of this
// machine changes. The Output is that of the last step: of the one that failed, if one did.
Result<Output> unpack_debian(const std::vector<std::string>& packages, const std::string& root,
                             const BuildOptions& options, const Runner& run);
// What a person wants to know of a line of apt-get's, or nothing.
std::optional<std::string> condense_apt(std::string_view line);
std::string explain_unpacking(const std::string& program, const std::vector<std::string>& tail,
                              int exit_code);

}  // namespace shed::images
