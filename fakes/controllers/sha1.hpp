#pragma once
// SHA-1 for JobSet's job-key label; not for secrets.
#include <string>

namespace shed::controllers {

std::string sha1_hex(const std::string& text);

}  // namespace shed::controllers
