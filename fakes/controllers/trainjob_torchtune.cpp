// What `tune run` is completed to: meeting point, recipe, configuration, and what the runtime fixes.
#include "fakes/controllers/trainjob_build.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace shed::controllers {

namespace {

const std::set<std::string> fixed_by_runtime = {"output_dir", "tokenizer.path", "checkpointer.checkpoint_dir",
                                                "tokenizer.merges_file"};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\n\r");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\n\r") - first + 1);
}

struct Tuning {
    bool lora = false, quantized = false, dora = false;
    bool qlora() const { return quantized && !dora; }
};

Tuning tuning_of(const Json& args) {
    Tuning tuning;
    if (!args.is_array()) return tuning;
    for (const Json& arg : args) {
        const std::string text = arg.get<std::string>();
        tuning.lora = tuning.lora || text.find("model.lora_attn_modules") != std::string::npos;
        const auto equals = text.find('=');
        if (equals == std::string::npos || lower(trimmed(text.substr(equals + 1))) != "true") continue;
        const std::string name = text.substr(0, equals);
        tuning.quantized = tuning.quantized || name.find("model.quantize_base") != std::string::npos;
        tuning.dora = tuning.dora || name.find("model.use_dora") != std::string::npos;
    }
    return tuning;
}

struct Recipe {
    std::string name, config;
};

Recipe recipe_for(std::int64_t nodes, bool one_device, const Tuning& tuning) {
    if (nodes > 1) return {"full_finetune_distributed", "_full_multinode"};
    if (one_device) {
        if (tuning.qlora()) return {"lora_finetune_single_device", "_qlora_single_device"};
        if (tuning.lora) return {"lora_finetune_single_device", "_lora_single_device"};
        return {"full_finetune_single_device", "_full_single_device"};
    }
    if (tuning.qlora()) return {"lora_finetune_distributed", "_qlora"};
    if (tuning.lora) return {"lora_finetune_distributed", "_lora"};
    return {"full_finetune_distributed", "_full"};
}

// torchtune-llama3.2-1b is llama3_2/1B.
std::string model_of(const std::string& runtime) {
    const auto first = runtime.find('-'), second = runtime.find('-', first + 1);
    if (first == std::string::npos || second == std::string::npos || runtime.find('-', second + 1) != std::string::npos)
        return "";
    std::string family = runtime.substr(first + 1, second - first - 1), size = runtime.substr(second + 1);
    std::replace(family.begin(), family.end(), '.', '_');
    std::transform(size.begin(), size.end(), size.begin(), [](unsigned char c) { return std::toupper(c); });
    return family + "/" + size;
}

}  // namespace

Json torchtune_command(Build& build, const std::string& processes, std::int64_t gpus) {
    Json command = member(build.trainer(), "command");
    const std::int64_t nodes = build.trainer_set()->count;
    const bool automatic = processes == "auto";
    const bool several = automatic ? gpus > 1 : std::strtoll(processes.c_str(), nullptr, 10) > 1;
    if (nodes > 1 || several)
        command.push_back("--rdzv_endpoint=" + build.first_node() + ":" + std::to_string(rendezvous_port));
    const bool one_device = processes == "1" || gpus == 1;
    const Recipe recipe = recipe_for(nodes, one_device, tuning_of(member(build.trainer(), "args")));
    command.push_back(recipe.name);
    command.push_back("--config");
    command.push_back(model_of(string_at(build.trainjob, "spec.runtimeRef.name")) + recipe.config);
    const Json* container = build.trainer_container();
    if (const Json& given = member(*container, "command"); given.is_array())
        for (const Json& word : given) {
            const std::string text = word.get<std::string>();
            if (fixed_by_runtime.contains(text.substr(0, text.find('=')))) command.push_back(text);
        }
    return command;
}

}  // namespace shed::controllers
