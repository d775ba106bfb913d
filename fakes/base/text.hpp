#pragma once
// Small things done to text everywhere.
#include <string>
#include <string_view>

namespace shed {

// The texts of a container one after the other, `separator` between them; empty ones at the
// beginning leave none.
template <class Texts>
std::string joined(const Texts& texts, std::string_view separator) {
    std::string all;
    for (const auto& text : texts) {
        if (!all.empty()) all += separator;
        all += text;
    }
    return all;
}

}  // namespace shed
