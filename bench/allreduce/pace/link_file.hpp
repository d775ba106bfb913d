// The file that describes a link: flat YAML ("name: value" lines) or a JSON object.
//
//   latency_us: 20            # per message, >= 0
//   bandwidth_gbps: 10        # per direction, > 0
//   algorithm: ring           # or recursive-doubling, rabenseifner, tree; ring when left out
//   source: datasheet of X    # optional, for people
#pragma once

#include "bench/allreduce/pace/model.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace pace {

// What is wrong, beginning with the file's name and the field's.
struct Complaint {
    std::string text;
};

// Strict: an unknown, repeated or missing field is a mistake.
std::variant<Link, Complaint> parse_link(std::string_view file_name, std::string_view text);
std::variant<Link, Complaint> read_link(const std::string& file_name);

}  // namespace pace
