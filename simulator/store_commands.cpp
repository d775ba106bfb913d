// `store check` and `store repair`: a durable store's file while no cluster has it.
#include "fakes/journal/repair.hpp"
#include "fakes/journal/store_file.hpp"
#include "fakes/journal/store_lock.hpp"
#include "simulator/commands.hpp"

#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

Result<StoreLock> take_existing(const std::string& file) {
    if (::access(file.c_str(), F_OK) != 0)
        return Error{Reason::bad_request, "there is no store " + file};
    return StoreLock::take(file);
}

}  // namespace

int command_store_check(const CommonOptions& options, const std::string& file) {
    const Terminal terminal(options.plain, options.quiet);
    const auto lock = take_existing(file);
    if (!lock) return report(terminal, lock.error());
    std::string warning;
    auto opened = StoreFile::open(file, "", &warning);
    auto state = opened ? opened->load() : Result<StoredState>(opened.error());
    if (!state) {
        report(terminal, state.error());
        return exit_failed;
    }
    if (options.output == "json") {
        const nlohmann::json found = {{"file", file},
                                      {"objects", state->objects.size()},
                                      {"resourceVersion", std::to_string(state->version)},
                                      {"warning", warning}};
        std::cout << found.dump(2) << "\n";
        return exit_ok;
    }
    if (!warning.empty()) terminal.warn("store", warning);
    terminal.ok("store", file + " is whole: " + std::to_string(state->objects.size()) +
                             " objects, resourceVersion " + std::to_string(state->version));
    return exit_ok;
}

int command_store_repair(const CommonOptions& options, const std::string& file) {
    const Terminal terminal(options.plain, options.quiet);
    const auto lock = take_existing(file);
    if (!lock) return report(terminal, lock.error());
    if (StoreFile::open(file)) {
        terminal.ok("store", file + " is whole: nothing to repair");
        return exit_ok;
    }
    const auto repaired = repair_store(file);
    if (!repaired) return report(terminal, repaired.error());
    terminal.ok("store", file + " has " + std::to_string(repaired->kept) + " objects again; " +
                             std::to_string(repaired->damaged) +
                             " damaged ones were found and left out, others may be missing");
    terminal.ok("damaged file", repaired->aside);
    return exit_ok;
}

}  // namespace shed
