#pragma once
// Reading typed members of a JSON object and remembering the first that is missing or wrong.
#include "fakes/kube/kube.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shed::measure {

// Every reader answers its zero value once something was wrong; ask error() at the end.
class Fields {
public:
    // `where` begins each message: "run.log:12".
    Fields(const Json& object, std::string where);

    bool has(std::string_view name) const;
    std::string text(std::string_view name);
    std::string text_or(std::string_view name, std::string otherwise);
    bool boolean(std::string_view name);
    // A finite number of at least `least`.
    double number(std::string_view name, double least = 0);
    double number_or(std::string_view name, double otherwise);
    std::int64_t whole(std::string_view name, std::int64_t least = 0);
    int count(std::string_view name, int least = 0);  // a whole number that an int holds
    std::vector<double> numbers(std::string_view name, double least = 0);
    std::vector<std::string> texts(std::string_view name);
    const Json& array(std::string_view name);
    const Json& object(std::string_view name);

    void refuse(std::string_view why);  // with `where` before it
    void refuse_as(const Error& error);
    const std::optional<Error>& error() const { return error_; }
    const std::string& where() const { return where_; }

private:
    void wrong(std::string_view name, std::string_view expected);
    const Json& object_;
    std::string where_;
    std::optional<Error> error_;
};

}  // namespace shed::measure
