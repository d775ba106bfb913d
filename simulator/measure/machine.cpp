#include "simulator/measure/machine.hpp"

#include "fakes/base/rng.hpp"
#include "fakes/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace shed::measure {

namespace {

std::string layout_text(const std::vector<int>& ranks_per_host) {
    std::vector<std::string> texts;
    for (const int ranks : ranks_per_host) texts.push_back(std::to_string(ranks));
    return joined(texts, "+");
}

// The order in which a library reports its transports means nothing.
std::string set_text(std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    return joined(texts, "+");
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

}  // namespace

std::string fingerprint(const MachineFacts& machine) {
    constexpr std::uint64_t GiB = std::uint64_t{1} << 30;
    const std::string text =
        joined(std::vector<std::string>{machine.cpu_model, std::to_string(machine.cores),
                std::to_string((machine.memory_bytes + GiB / 2) / GiB),
                machine.kernel.substr(0, machine.kernel.find('.')), machine.gpu, machine.mpi},
               "\n");
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx",
                  static_cast<unsigned long long>(hash_text(text)));
    return digits.data();
}

Configuration configuration_of(const RunFacts& facts) {
    Configuration out;
    out.tier = facts.link.empty() ? Tier::raw : Tier::paced;
    out.ranks = facts.ranks;
    for (const Host& host : facts.hosts) out.ranks_per_host.push_back(host.ranks);
    out.backend = facts.backend;
    out.dtype = facts.dtype;
    out.op = facts.op;
    out.in_place = facts.in_place;
    out.timing = facts.timing;
    out.transports = facts.transports;
    out.yield_when_idle = facts.yield_when_idle;
    out.binding = facts.binding;
    out.single_copy = facts.single_copy;
    out.algorithm = facts.algorithm;
    out.pacing = facts.link.substr(facts.link.rfind('/') + 1);
    return out;
}

std::vector<std::pair<std::string, std::string>> fields_of(const Configuration& configuration) {
    return {{"benchmark", configuration.benchmark},
            {"tier", std::string(tier_name(configuration.tier))},
            {"ranks", std::to_string(configuration.ranks)},
            {"ranks_per_host", layout_text(configuration.ranks_per_host)},
            {"backend", configuration.backend},
            {"dtype", configuration.dtype},
            {"op", configuration.op},
            {"in_place", yes_no(configuration.in_place)},
            {"timing", configuration.timing},
            {"transports", set_text(configuration.transports)},
            {"yield_when_idle", yes_no(configuration.yield_when_idle)},
            {"binding", configuration.binding},
            {"single_copy", configuration.single_copy},
            {"algorithm", configuration.algorithm},
            {"pacing", configuration.pacing}};
}

std::string configuration_key(const Configuration& configuration) {
    std::vector<std::string> texts;
    for (const auto& [name, text] : fields_of(configuration))
        if (!text.empty()) texts.push_back(name + "=" + text);
    return joined(texts, " ");
}

std::optional<std::string> difference(const Configuration& a, const Configuration& b) {
    const auto first = fields_of(a), second = fields_of(b);
    for (std::size_t i = 0; i < first.size(); ++i) {
        const auto said = [](const std::string& text) {
            return text.empty() ? std::string("none") : text;
        };
        if (first[i].second != second[i].second)
            return first[i].first + ": " + said(first[i].second) + " and " + said(second[i].second);
    }
    return std::nullopt;
}

}  // namespace shed::measure
