// Where the time before the first collective went, and what models say.
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/svg.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>

namespace shed::measure::report {

namespace {

constexpr int stage_colours = 8;

double total_of(const Launch& launch) {
    double seconds = 0;
    for (const Stage& stage : launch.stages) seconds += stage.seconds;
    return seconds;
}

std::string seconds_text(double seconds) { return time_text(seconds * 1e6); }

// Stages of one name have one colour in all bars.
std::string colour_of(const std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name) - names.begin();
    return "stage" + std::to_string(found % stage_colours);
}

std::string bar(const Launch& launch, const std::vector<std::string>& names, double longest) {
    std::string parts;
    for (const Stage& stage : launch.stages) {
        const std::string tip = stage.name + "\n" + seconds_text(stage.seconds) + ", " +
                                percent_text(stage.seconds / total_of(launch)) + " of " +
                                launch.label;
        parts += "<span class=\"stage " + colour_of(names, stage.name) +
                 "\" style=\"width:" + svg::coordinate(100 * stage.seconds / longest) +
                 "%\" data-tip=\"" + escape_markup(tip) + "\"></span>";
    }
    return tag("div", "bar-label", escape_markup(launch.label)) + tag("div", "bar", parts) +
           tag("div", "bar-total", escape_markup(seconds_text(total_of(launch))));
}

std::string legend(const std::vector<Launch>& launches, const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
        std::string text = escape_markup(name);
        for (const Launch& launch : launches)
            for (const Stage& stage : launch.stages)
                if (stage.name == name)
                    text +=
                        tag("span", "dim",
                            escape_markup(" " + launch.label + " " + seconds_text(stage.seconds)));
        out += tag("span", "key", tag("i", "box " + colour_of(names, name), "") + text);
    }
    return tag("div", "legend", out);
}

std::string coefficient_notes(const ModelLine& model) {
    std::string items;
    for (const std::string& note : model.notes) items += tag("li", "", escape_markup(note));
    return items.empty() ? "" : tag("ul", "", items);
}

}  // namespace

std::string launch(const ReportInput& input) {
    std::vector<std::string> names;
    double longest = 0;
    for (const Launch& launch : input.result.launch) {
        longest = std::max(longest, total_of(launch));
        for (const Stage& stage : launch.stages)
            if (std::find(names.begin(), names.end(), stage.name) == names.end())
                names.push_back(stage.name);
    }
    if (!(longest > 0)) return "";
    std::string bars;
    for (const Launch& launch : input.result.launch)
        if (total_of(launch) > 0) bars += bar(launch, names, longest);
    return section("Launch",
                   "From the command to the end of the first collective, median of the runs.",
                   tag("div", "bars", bars) + legend(input.result.launch, names));
}

std::string models(const ReportInput& input) {
    std::string out;
    for (const ModelLine& model : input.models) {
        std::string head = tag("b", "", escape_markup(model.name));
        if (model.error)
            head += escape_markup(": off by " + percent_text(model.error->median) +
                                  " in the median, " + percent_text(model.error->p90) +
                                  " at p90, " + percent_text(model.error->max) + " at most, over " +
                                  std::to_string(model.error->points) +
                                  " sizes that it was not fitted to");
        out += tag("div", "model-text", tag("p", "", head) + coefficient_notes(model));
    }
    return section("Models", "", out);
}

}  // namespace shed::measure::report
