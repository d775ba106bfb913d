#pragma once
// Writes down what happens in one namespace of a cluster on paper, in the form of the recordings: a
// line for each watch event, and the objects that are there at the end.
#include "simulator/paper/cluster.hpp"

namespace shed {

class Recorder {
public:
    Recorder(PaperCluster& cluster, std::string ns);  // from now on
    // {seq, ms, resource, type, object}, in the order of the writes.
    std::vector<Json> timeline();
    Json final_objects();

private:
    PaperCluster& cluster_;
    std::string ns_;
    Time start_;
    std::vector<std::unique_ptr<Watch>> watches_;
    std::vector<Json> lines_;
};

}  // namespace shed
