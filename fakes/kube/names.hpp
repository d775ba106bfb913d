#pragma once
// What names of all sorts may look like. Each function returns its complaints about a text, in the
// words of the real server; none means that the text is good.
#include <string>
#include <string_view>
#include <vector>

namespace shed {

std::vector<std::string> dns_label_problems(std::string_view text);
std::vector<std::string> dns_1035_problems(std::string_view text);
std::vector<std::string> dns_subdomain_problems(std::string_view text);
std::vector<std::string> dns_subdomain_or_underscore_problems(std::string_view text);
std::vector<std::string> path_segment_problems(std::string_view text);
std::vector<std::string> http_header_problems(std::string_view text);
std::vector<std::string> percent_problems(std::string_view text);
std::vector<std::string> qualified_name_problems(std::string_view text);
std::vector<std::string> label_value_problems(std::string_view text);
std::vector<std::string> config_key_problems(std::string_view text);
std::vector<std::string> env_name_problems(std::string_view text);
std::vector<std::string> port_name_problems(std::string_view text);
bool is_domain_prefixed_path(std::string_view text);

}  // namespace shed
