// golden-play CASE_DIR OUT_DIR: plays a recorded case on a cluster in memory and writes what
// happened in the recordings' own format, so that the two can be compared by the same means.
#include "tests/flow/golden_player.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

bool write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: golden-play CASE_DIR OUT_DIR\n";
        return 2;
    }
    const auto recorded = shed::GoldenCase::read(argv[1]);
    if (!recorded) {
        std::cerr << "golden-play: " << argv[1] << ": " << recorded.error().message << '\n';
        return 2;
    }
    // Start-up of the cluster throws when its own objects are refused.
    try {
        const shed::PlayedCase played = shed::play(*recorded);
        const std::filesystem::path out = argv[2];
        std::filesystem::create_directories(out);
        std::string timeline;
        for (const shed::Json& line : played.timeline) timeline += shed::dump_json(line) + "\n";
        for (const std::string& refusal : played.refusals)
            std::cerr << "golden-play: answered otherwise than recorded: " << refusal << '\n';
        if (write(out / "timeline.jsonl", timeline) &&
            write(out / "final.json", played.final_objects.dump(1) + "\n") &&
            write(out / "case.json", played.facts.dump(1) + "\n"))
            return 0;
        std::cerr << "golden-play: cannot write to " << argv[2] << '\n';
    } catch (const std::exception& failure) {
        std::cerr << "golden-play: " << argv[1] << ": " << failure.what() << '\n';
    }
    return 1;
}
