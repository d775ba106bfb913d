#pragma once
// Shell completion: sub-commands, their flags, and the names of running clusters.
#include <string>

namespace shed {

std::string completion_script(const std::string& shell);  // bash, zsh or fish

}  // namespace shed
