#include "fakes/podinit/spec.hpp"

#include "fakes/podinit/util.hpp"

namespace shed::podinit {

std::string read_spec(const std::string& path, std::vector<Record>& records) {
    std::string text;
    if (!read_text(path.c_str(), text)) return failure("read " + path);
    Record record;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = text.find('\0', at);
        if (end == std::string::npos) return path + ": the last field has no end";
        // A record may hold empty fields (an empty environment value is "NAME="), but never begins with one.
        if (end == at) {
            if (!record.empty()) records.push_back(static_cast<Record&&>(record));
            record = Record();
        } else {
            record.emplace_back(text, at, end - at);
        }
        at = end + 1;
    }
    if (!record.empty()) return path + ": the last record has no end";
    return "";
}

}  // namespace shed::podinit
