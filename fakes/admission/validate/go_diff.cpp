// Unified diffs as the real server makes them: by the algorithm of Ratcliff and Obershelp, which
// prefers long runs, with lines that occur very often left out of the search. Another algorithm
// would be as right and read differently.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace shed::admission {

namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t context_lines = 3;
constexpr std::size_t popular_from = 200;     // lines
constexpr std::size_t popular_divisor = 100;  // a hundredth of them is often

struct Match {
    std::size_t a, b, size;
};

struct Step {
    char tag;  // 'e'qual, 'r'eplaced, 'd'eleted, 'i'nserted
    std::size_t a1, a2, b1, b2;
};

Lines lines_of(const std::string& text) {
    Lines lines;
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        lines.push_back(text.substr(at, end - at + 1));
    lines.push_back(text.substr(at) + "\n");
    return lines;
}

class Matcher {
public:
    Matcher(const Lines& a, const Lines& b) : a_(a), b_(b) {
        for (std::size_t i = 0; i < b_.size(); ++i) places_[b_[i]].push_back(i);
        if (b_.size() < popular_from) return;
        const std::size_t often = b_.size() / popular_divisor + 1;
        std::erase_if(places_, [often](const auto& entry) { return entry.second.size() > often; });
    }

    std::vector<Step> steps() {
        find_all(0, a_.size(), 0, b_.size());
        matches_.push_back({a_.size(), b_.size(), 0});
        std::vector<Step> all;
        std::size_t a = 0, b = 0;
        for (const Match& match : merged()) {
            const bool deleted = a < match.a, inserted = b < match.b;
            if (deleted || inserted)
                all.push_back({deleted ? (inserted ? 'r' : 'd') : 'i', a, match.a, b, match.b});
            a = match.a + match.size;
            b = match.b + match.size;
            if (match.size > 0) all.push_back({'e', match.a, a, match.b, b});
        }
        return all;
    }

private:
    // The longest run inside the bounds, the first of equals, grown by lines that were left out of
    // the search.
    Match longest(std::size_t a1, std::size_t a2, std::size_t b1, std::size_t b2) const {
        Match best{a1, b1, 0};
        std::unordered_map<std::size_t, std::size_t> lengths;
        for (std::size_t i = a1; i < a2; ++i) {
            std::unordered_map<std::size_t, std::size_t> now;
            if (const auto found = places_.find(a_[i]); found != places_.end())
                for (const std::size_t j : found->second) {
                    if (j < b1) continue;
                    if (j >= b2) break;
                    const auto before = j == 0 ? lengths.end() : lengths.find(j - 1);
                    const std::size_t size = (before == lengths.end() ? 0 : before->second) + 1;
                    now[j] = size;
                    if (size > best.size) best = {i + 1 - size, j + 1 - size, size};
                }
            lengths = std::move(now);
        }
        for (; best.a > a1 && best.b > b1 && a_[best.a - 1] == b_[best.b - 1]; ++best.size)
            --best.a, --best.b;
        while (best.a + best.size < a2 && best.b + best.size < b2 &&
               a_[best.a + best.size] == b_[best.b + best.size])
            ++best.size;
        return best;
    }

    void find_all(std::size_t a1, std::size_t a2, std::size_t b1, std::size_t b2) {
        const Match match = longest(a1, a2, b1, b2);
        if (match.size == 0) return;
        if (a1 < match.a && b1 < match.b) find_all(a1, match.a, b1, match.b);
        matches_.push_back(match);
        if (match.a + match.size < a2 && match.b + match.size < b2)
            find_all(match.a + match.size, a2, match.b + match.size, b2);
    }

    std::vector<Match> merged() const {
        std::vector<Match> all;
        for (const Match& match : matches_) {
            const bool adjacent = !all.empty() && match.size > 0 &&
                                  all.back().a + all.back().size == match.a &&
                                  all.back().b + all.back().size == match.b;
            if (adjacent) all.back().size += match.size;
            else all.push_back(match);
        }
        return all;
    }

    const Lines &a_, &b_;
    std::unordered_map<std::string, std::vector<std::size_t>> places_;
    std::vector<Match> matches_;
};

using Group = std::vector<Step>;

// Changes with what is around them; those that are far apart go into hunks of their own.
std::vector<Group> grouped(std::vector<Step> steps) {
    const auto head = [](Step& c) {
        c.a1 = std::max(c.a1, c.a2 - std::min(c.a2, context_lines));
        c.b1 = std::max(c.b1, c.b2 - std::min(c.b2, context_lines));
    };
    const auto tail = [](Step& c) {
        c.a2 = std::min(c.a2, c.a1 + context_lines);
        c.b2 = std::min(c.b2, c.b1 + context_lines);
    };
    if (!steps.empty() && steps.front().tag == 'e') head(steps.front());
    if (!steps.empty() && steps.back().tag == 'e') tail(steps.back());
    std::vector<Group> groups;
    Group group;
    for (Step step : steps) {
        if (step.tag == 'e' && step.a2 - step.a1 > 2 * context_lines) {
            Step end = step;
            tail(end);
            group.push_back(end);
            groups.push_back(std::move(group));
            group.clear();
            head(step);
        }
        group.push_back(step);
    }
    if (group.size() > 1 || (group.size() == 1 && group[0].tag != 'e'))
        groups.push_back(std::move(group));
    return groups;
}

std::string range(std::size_t first, std::size_t last) {
    const std::size_t length = last - first;
    if (length == 1) return std::to_string(first + 1);
    return std::to_string(length == 0 ? first : first + 1) + "," + std::to_string(length);
}

void append(std::string& out, char mark, const Lines& lines, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) out += mark + lines[i];
}

}  // namespace

std::string unified_diff(const std::string& before, const std::string& after) {
    const Lines a = lines_of(before), b = lines_of(after);
    std::string out;
    for (const Group& group : grouped(Matcher(a, b).steps())) {
        out += "@@ -" + range(group.front().a1, group.back().a2) + " +" +
               range(group.front().b1, group.back().b2) + " @@\n";
        for (const Step& step : group) {
            if (step.tag == 'e') {
                append(out, ' ', a, step.a1, step.a2);
                continue;
            }
            append(out, '-', a, step.a1, step.a2);
            append(out, '+', b, step.b1, step.b2);
        }
    }
    return out;
}

}  // namespace shed::admission
