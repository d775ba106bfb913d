#pragma once
// What this machine can do for pods, found by trying it, and how to mend the rest.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace shed {

struct Finding {
    enum class Verdict { ok, warn, fail };
    std::string id;  // stable: "user-namespaces", "sshd"; scripts and tests check it
    Verdict verdict = Verdict::ok;
    std::string found, hint;
};

std::vector<Finding> examine_machine();
nlohmann::json to_json(const std::vector<Finding>& findings);

}  // namespace shed
