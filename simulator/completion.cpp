#include "simulator/completion.hpp"

#include <array>
#include <string_view>

namespace shed {

namespace {

struct Command {
    std::string_view name, about, flags;
};
constexpr std::string_view topology_flags =
    "--name --nodes --fake-gpus --gpu-share --strict-gpus --strict-resources --faithful-timing "
    "--allow-host-namespaces --time-scale --pod-pids-limit --port --mount --allow-host-path --no-share-caches";
constexpr auto commands = std::to_array<Command>({
    {"up", "Start a cluster", "--detach --store"},
    {"down", "End a cluster", "--name"},
    {"status", "The running clusters", "--name --output"},
    {"run", "Run a manifest on a cluster of its own", "--timeout"},
    {"render", "Print the objects a manifest becomes", "--output"},
    {"logs", "Print a TrainJob's log", "--name --namespace --step --follow --previous --attempt --timestamps --tail"},
    {"why", "Why a TrainJob failed or waits", "--name --namespace --output"},
    {"kubeconfig", "Print the kubeconfig", "--name --export"},
    {"image", "Local environments", ""},
    {"bench", "Measure all-reduce, compare results", ""},
    {"store", "The file of a durable cluster", ""},
    {"doctor", "What this machine can do", "--output"},
    {"version", "Versions", "--output"},
    {"completion", "Completion for a shell", ""},
});

std::string flags_of(const Command& command) {
    std::string flags(command.flags);
    if (command.name == "up" || command.name == "run") flags.append(" ").append(topology_flags);
    return flags;
}

std::string words_of(const Command& command) {
    if (command.name == "image") return "build list inspect";
    if (command.name == "store") return "check repair";
    if (command.name == "bench") return "allreduce compare history";
    if (command.name == "completion") return "bash zsh fish";
    return flags_of(command);
}

std::string bash_script() {
    std::string names, cases;
    for (const Command& c : commands) {
        names.append(names.empty() ? "" : " ").append(c.name);
        cases.append("        ").append(c.name).append(") words=\"").append(words_of(c)).append("\" ;;\n");
    }
    return "_trainshed() {\n"
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" words\n"
           "    if [ \"$previous\" = --name ]; then\n"
           "        words=$(trainshed status -o json 2>/dev/null | sed -n 's/.*\"name\": \"\\(.*\\)\".*/\\1/p')\n"
           "    elif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        words=\"" + names + "\"\n"
           "    else\n"
           "        case \"${COMP_WORDS[1]}\" in\n" + cases +
           "        esac\n"
           "    fi\n"
           "    if [ \"${COMP_WORDS[1]}\" = run ] && [[ $current != -* ]]; then\n"
           "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
           "    else\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "    fi\n"
           "}\n"
           "complete -F _trainshed trainshed\n";
}

std::string fish_script() {
    std::string text = "complete -c trainshed -f\n";
    for (const Command& c : commands) {
        text.append("complete -c trainshed -n __fish_use_subcommand -a ").append(c.name);
        text.append(" -d '").append(c.about).append("'\n");
        std::string words = words_of(c);
        text.append("complete -c trainshed -n '__fish_seen_subcommand_from ").append(c.name);
        text.append("' -a '").append(words).append("'\n");
    }
    return text + "complete -c trainshed -n '__fish_seen_subcommand_from run' -F\n";
}

}  // namespace

std::string completion_script(const std::string& shell) {
    if (shell == "fish") return fish_script();
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script();
    return bash_script();
}

}  // namespace shed
