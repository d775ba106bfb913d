#pragma once
// The same recorded case with other names for what its client made.
#include "tests/flow/golden_case.hpp"

namespace shed {

class Renaming {
public:
    explicit Renaming(const GoldenCase& recorded);
    GoldenCase operator()(GoldenCase recorded) const;
    Json operator()(const Json& value) const;
    // Names within text: alone, before a dash (children), behind a slash, a dot, a quote or ": ".
    std::string text(const std::string& value) const;

private:
    std::vector<std::string> names_;  // longest first: one may begin with another
};

// Turns round the replicatedJobs of every step, where none depends on or starts before another: their order then
// means nothing but the numbers that JobSet gives Jobs over all of them. True when there were any.
bool reverse_replicated_jobs(GoldenCase& recorded);

}  // namespace shed
