#pragma once
// Plays a recorded case against a fresh cluster in memory and writes down what happened, in the
// form of the recordings.
#include "tests/flow/played_node.hpp"

namespace shed {

struct PlayedCase {
    std::vector<Json> timeline;  // one watch event a line: seq, ms, resource, type, object
    Json final_objects = Json::array();
    Json facts;                        // case.json: namespace, note, pods under the names here
    std::vector<std::string> refusals; // steps that were answered otherwise than recorded
};

PlayedCase play(const GoldenCase& recorded);

}  // namespace shed
