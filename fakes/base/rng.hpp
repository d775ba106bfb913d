#pragma once
// Random numbers as an input, so that the same seed gives the same names, uids and schedule.
#include <cstdint>
#include <string>
#include <string_view>

namespace shed {

class Rng {
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();                      // splitmix64
    std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound)
    std::string uuid();                        // version 4
    // Letters and digits of apimachinery's rand.String: no vowels, no look-alikes.
    std::string suffix(int length = 5);

private:
    std::uint64_t state_;
};

std::uint64_t hash_text(std::string_view text);  // FNV-1a; for deterministic names, not for secrets

}  // namespace shed
