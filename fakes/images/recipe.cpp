// What to ask of pip, and what to tell of its answers.
#include "fakes/images/internal.hpp"

#include "fakes/base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace shed::images {

namespace {

// Raise it when the layer is made differently from the same recipe.
constexpr const char* layout = "1";

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

struct Explanation {
    const char* sign;
    const char* hint;
};

constexpr Explanation explanations[] = {
    {"No module named pip", "sudo apt-get install python3-pip"},
    {"No space left on device", "free some disk space, or set TMPDIR to a directory with more"},
    {"CERTIFICATE_VERIFY_FAILED", "name the certificates of your network: PIP_CERT=FILE"},
    {"SSLError", "name the certificates of your network: PIP_CERT=FILE"},
    {"not a trusted or secure host", "use https, or trust it: PIP_TRUSTED_HOST=HOST"},
    {"ProxyError", "check the proxy: python3 -m pip config list"},
    {"Name or service not known", "this machine is offline, or needs a mirror: PIP_INDEX_URL=URL"},
    {"Temporary failure in name resolution",
     "this machine is offline, or needs a mirror: PIP_INDEX_URL=URL"},
    {"NewConnectionError", "this machine is offline, or needs a mirror: PIP_INDEX_URL=URL"},
    {"Network is unreachable", "this machine is offline, or needs a mirror: PIP_INDEX_URL=URL"},
    {"Read timed out", "the index is slow: try again, or PIP_DEFAULT_TIMEOUT=120"},
    {"401 ", "the index wants credentials: PIP_INDEX_URL=https://USER:TOKEN@HOST/simple"},
    {"403 ", "the index refuses you: python3 -m pip config list"},
    {"No matching distribution found",
     "the index has no such version for this Python and machine: python3 -m pip config list"},
    {"Permission denied", "the environments' directory must be yours"}};

}  // namespace

std::string sha256(std::string_view text) {
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string out;
    for (const unsigned char byte : digest) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

Plan plan_of(const Recipe& recipe, const Machine& machine) {
    const auto extra_of = [&](const std::string& name) {
        const auto found = recipe.extras.find(name);
        return found == recipe.extras.end() ? std::vector<std::string>() : found->second;
    };
    std::vector<std::string> extra = extra_of(machine.cuda);
    const bool cuda = !extra.empty();
    if (!cuda) extra = extra_of("cpu");
    Plan plan;
    plan.requirements = extra;
    plan.requirements.insert(plan.requirements.end(), recipe.packages.begin(),
                             recipe.packages.end());
    plan.megabytes = cuda ? recipe.cuda_megabytes : recipe.megabytes;
    plan.seconds = cuda ? recipe.cuda_seconds : recipe.seconds;
    if (!cuda) plan.debian = recipe.debian;
    std::vector<std::string> facts = {layout, joined(plan.requirements, " "), machine.python,
                                      machine.libmpi_link, machine.libmpi};
    if (!plan.debian.empty()) facts.push_back(joined(plan.debian, " "));
    plan.digest = sha256(joined(facts, "\n"));
    return plan;
}

std::string cuda_extra(std::string_view driver_version) {
    int major = 0;
    std::from_chars(driver_version.data(), driver_version.data() + driver_version.size(), major);
    if (major >= 580) return "cuda13";
    // CUDA 12's first driver; MLX has no build for older ones.
    return major >= 525 ? "cuda12" : "";
}

std::vector<std::string> pip_words(const std::string& python, const std::string& root,
                                   const Plan& plan) {
    std::vector<std::string> words = {python, "-m", "pip", "install", "--root", root,
                                      // What the host has must not count: a pod's layer is whole.
                                      "--ignore-installed", "--no-warn-script-location",
                                      "--no-input", "--progress-bar", "off", "--no-color"};
    words.insert(words.end(), plan.requirements.begin(), plan.requirements.end());
    return words;
}

std::vector<std::string> pip_environment(const std::vector<std::string>& own) {
    // Each of them sends packages elsewhere, or leaves some out. Distributions' pip also looks at
    // DEB_PYTHON_INSTALL_LAYOUT.
    static constexpr std::string_view out[] = {"PIP_USER",
                                               "PIP_TARGET",
                                               "PIP_PREFIX",
                                               "PIP_ROOT",
                                               "PIP_REQUIRE_VIRTUALENV",
                                               "PIP_DRY_RUN",
                                               "PIP_PYTHON",
                                               "PIP_NO_DEPS",
                                               "PIP_EDITABLE",
                                               "PIP_REQUIREMENT",
                                               "PIP_NO_COMPILE",
                                               "PIP_QUIET",
                                               "PIP_VERBOSE",
                                               "PIP_REPORT",
                                               "PIP_LOG",
                                               "PYTHONHOME",
                                               "PYTHONPATH",
                                               "PYTHONDONTWRITEBYTECODE",
                                               "VIRTUAL_ENV",
                                               "DEB_PYTHON_INSTALL_LAYOUT",
                                               "PIP_PROGRESS_BAR",
                                               "PIP_BREAK_SYSTEM_PACKAGES"};
    std::vector<std::string> environment;
    for (const std::string& entry : own) {
        const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
        if (std::find(std::begin(out), std::end(out), name) == std::end(out))
            environment.push_back(entry);
    }
    // As variables they win over pip.conf, and a pip too old to know one ignores it: before 23.0
    // there is no break-system-packages, nor the PEP 668 marker that asks for it.
    for (const char* entry :
         {"PIP_USER=0", "PIP_REQUIRE_VIRTUALENV=0", "PIP_BREAK_SYSTEM_PACKAGES=1",
          "PIP_ROOT_USER_ACTION=ignore", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONUNBUFFERED=1"})
        environment.emplace_back(entry);
    return environment;
}

std::optional<std::string> condense(std::string_view pip_line) {
    const auto begin = pip_line.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    const std::string_view line = pip_line.substr(begin);
    std::istringstream words{std::string(line)};
    std::string first, second;
    words >> first >> second;
    if (line.starts_with("Downloading ") || line.starts_with("Using cached ")) {
        const bool cached = first == "Using";
        std::string name = second;
        if (cached) words >> name;
        name = name.substr(name.rfind('/') + 1);
        const auto size = line.rfind(" (");
        // Metadata and small change would hide what takes the time.
        if (size == std::string_view::npos || !has(line.substr(size), "MB")) return std::nullopt;
        return (cached ? "cached " : "downloading ") + name + std::string(line.substr(size));
    }
    if (line.starts_with("Installing collected packages:")) {
        const auto count = std::count(line.begin(), line.end(), ',') + 1;
        return "installing " + std::to_string(count) + " packages";
    }
    if (line.starts_with("Building wheel for ")) {
        std::string preposition, package;
        words >> preposition >> package;
        return "building " + package;
    }
    return line.starts_with("WARNING: Retrying") ? std::optional<std::string>(line) : std::nullopt;
}

std::string explain_failure(const std::vector<std::string>& tail, int exit_code,
                            const std::string& python) {
    std::string text = joined(tail, "\n");
    std::string hint = "see: " + python + " -m pip config list";
    for (const Explanation& e : explanations) {
        if (!has(text, e.sign)) continue;
        hint = e.hint;
        break;
    }
    // What pip says last of an error is what it was about; the rest is how it got there.
    std::vector<std::string> shown;
    for (const std::string& line : tail)
        if (line.find_first_not_of(" \t") != std::string::npos) shown.push_back(line);
    if (shown.size() > 4) shown.erase(shown.begin(), shown.end() - 4);
    std::string cause = joined(shown, "\n  ");
    for (auto at = cause.find("; "); at != std::string::npos; at = cause.find("; "))
        cause.replace(at, 2, ", ");
    return "pip failed with exit code " + std::to_string(exit_code) + ":\n  " + cause + "; " + hint;
}

std::string stamp_path(const std::string& layer) { return layer + "/.trainshed.json"; }

std::optional<Stamp> read_stamp(const std::string& layer) {
    std::ifstream in(stamp_path(layer));
    if (!in) return std::nullopt;
    const auto json = nlohmann::json::parse(in, nullptr, false);
    if (!json.is_object() || !json.contains("digest") || !json["digest"].is_string())
        return std::nullopt;
    Stamp stamp;
    stamp.digest = json["digest"].get<std::string>();
    if (const auto bytes = json.find("bytes"); bytes != json.end() && bytes->is_number())
        stamp.bytes = bytes->get<std::uint64_t>();
    return stamp;
}

}  // namespace shed::images
