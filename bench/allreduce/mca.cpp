#include "bench/allreduce/mca.hpp"

#include <dlfcn.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

namespace allreduce {

namespace {

using namespace std::string_view_literals;

constexpr int dump_simple = 2;  // MCA_BASE_VAR_DUMP_SIMPLE

std::string source_text(std::string_view source) {
    constexpr auto file = "file ("sv;
    if (!source.starts_with(file)) return std::string(source);
    // file (/etc/openmpi/openmpi-mca-params.conf:68)
    source = source.substr(file.size(), source.rfind(')') - file.size());
    return "file " + std::string(source.substr(0, source.rfind(':')));
}

std::string_view next_word(std::string_view& words) {
    const std::string_view word = words.substr(0, words.find('\0'));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    return word;
}

bool is_mpirun(std::string_view program) {
    constexpr std::array names = {"mpirun"sv,  "mpiexec"sv,        "orterun"sv,
                                  "prterun"sv, "mpirun.openmpi"sv, "mpiexec.openmpi"sv};
    program.remove_prefix(program.rfind('/') + 1);
    return std::find(names.begin(), names.end(), program) != names.end();
}

std::string parents_command_line() {
    std::ifstream file("/proc/" + std::to_string(getppid()) + "/cmdline");
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<McaParameter> parse_mca(std::string_view line) {
    const auto equals = line.find('=');
    // The last: values may have parentheses, too.
    auto source = line.rfind(" (");
    if (equals == std::string_view::npos || source == std::string_view::npos ||
        !line.ends_with(')'))
        return std::nullopt;
    // A file's own parenthesis.
    constexpr auto file = " (file"sv;
    if (const auto outer = line.rfind(file); outer != std::string_view::npos) source = outer;
    if (source < equals) return std::nullopt;
    const std::string_view words = line.substr(source + 2, line.size() - source - 3);
    return McaParameter{std::string(line.substr(0, equals)),
                        std::string(line.substr(equals + 1, source - equals - 1)),
                        source_text(words)};
}

bool is_runtime_own(std::string_view name) {
    constexpr std::array prefixes = {"ess"sv, "orte_ess"sv, "pmix"sv};
    constexpr std::array names = {"orte_tmpdir_base"sv,        "orte_top_session_dir"sv,
                                  "orte_jobfam_session_dir"sv, "orte_hnp_uri"sv,
                                  "orte_local_daemon_uri"sv,   "orte_app_num"sv,
                                  "orte_num_nodes"sv,          "mpi_oversubscribe"sv};
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](auto prefix) { return name.starts_with(prefix); }) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> names_on_command_line(std::string_view command_line) {
    std::vector<std::string> names;
    if (!is_mpirun(next_word(command_line))) return names;
    constexpr std::array options = {"--mca"sv, "-mca"sv, "--gmca"sv, "-gmca"sv, "--omca"sv};
    while (!command_line.empty()) {
        const std::string_view word = next_word(command_line);
        if (std::find(options.begin(), options.end(), word) != options.end())
            names.emplace_back(next_word(command_line));
    }
    return names;
}

std::vector<McaParameter> set_parameters(std::vector<McaParameter> all,
                                         const std::vector<std::string>& by_command_line) {
    std::erase_if(all, [](const McaParameter& parameter) {
        return parameter.source == "default" || is_runtime_own(parameter.name);
    });
    for (McaParameter& parameter : all) {
        const bool typed = std::find(by_command_line.begin(), by_command_line.end(),
                                     parameter.name) != by_command_line.end();
        if (typed && parameter.source == "environment") parameter.source = "command line";
    }
    return all;
}

std::vector<McaParameter> mca_parameters() {
    const auto count = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "mca_base_var_get_count"));
    const auto dump =
        reinterpret_cast<int (*)(int, char***, int)>(dlsym(RTLD_DEFAULT, "mca_base_var_dump"));
    std::vector<McaParameter> parameters;
    if (!count || !dump) return parameters;
    for (int i = 0; i < count(); ++i) {
        char** lines = nullptr;
        if (dump(i, &lines, dump_simple) != 0 || !lines) continue;
        if (lines[0])
            if (auto parameter = parse_mca(lines[0])) parameters.push_back(std::move(*parameter));
        for (char** line = lines; *line; ++line) std::free(*line);
        std::free(lines);
    }
    return parameters;
}

std::vector<McaParameter> mca_parameters_set() {
    return set_parameters(mca_parameters(), names_on_command_line(parents_command_line()));
}

std::string mca_value(const std::vector<McaParameter>& parameters, std::string_view name) {
    const auto found =
        std::find_if(parameters.begin(), parameters.end(),
                     [&](const McaParameter& parameter) { return parameter.name == name; });
    return found == parameters.end() ? "" : found->value;
}

}  // namespace allreduce
