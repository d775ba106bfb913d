#pragma once
// The part of CEL that rules in CRDs use: comparisons, logic, in, size, matches, has, exists, all, filter, map.
// An expression that cannot be evaluated gives no value; && and || absorb that as CEL demands.
#include "fakes/base/result.hpp"

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace shed::admission {

// A value that may be borrowed from the object under test; empty when evaluation failed.
using CelValue = std::shared_ptr<const nlohmann::json>;
using CelVariables = std::map<std::string, CelValue, std::less<>>;

class CelNode {
public:
    virtual ~CelNode() = default;
    virtual CelValue evaluate(CelVariables& variables) const = 0;
};
using CelTree = std::unique_ptr<CelNode>;

// An Error says where the text stopped making sense.
Result<std::shared_ptr<const CelNode>> parse_cel(std::string_view text);

// For the parser only.
CelTree cel_literal(nlohmann::json value);
CelTree cel_variable(std::string name);
CelTree cel_list(std::vector<CelTree> items);
CelTree cel_member(CelTree object, std::string name);
CelTree cel_index(CelTree object, CelTree index);
CelTree cel_has(CelTree object, std::string name);
CelTree cel_not(CelTree operand);
CelTree cel_binary(std::string_view op, CelTree left, CelTree right);
CelTree cel_choice(CelTree condition, CelTree then, CelTree otherwise);
// size, matches, startsWith, endsWith, contains
CelTree cel_call(std::string function, CelTree target, std::vector<CelTree> arguments);
// exists, all, filter, map: `variable` takes each item of the list in turn.
CelTree cel_macro(std::string macro, CelTree list, std::string variable, CelTree body);
bool is_cel_macro(std::string_view name);

}  // namespace shed::admission
