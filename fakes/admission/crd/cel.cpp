// Evaluates CEL. Values are borrowed from the object where possible, so that comparing two large
// members copies nothing.
#include "fakes/admission/crd/cel.hpp"

#include <nlohmann/json.hpp>
#include <regex>
#include <unordered_map>

namespace shed::admission {

namespace {

using Json = nlohmann::json;

CelValue owned(Json value) { return std::make_shared<const Json>(std::move(value)); }
CelValue borrowed(const CelValue& owner, const Json& part) { return {owner, &part}; }
CelValue failed() { return nullptr; }

bool is_true(const CelValue& value) { return value && value->is_boolean() && value->get<bool>(); }
bool is_false(const CelValue& value) { return value && value->is_boolean() && !value->get<bool>(); }

template <class Evaluate>
class Node final : public CelNode {
public:
    explicit Node(Evaluate evaluate) : evaluate_(std::move(evaluate)) {}
    CelValue evaluate(CelVariables& variables) const override { return evaluate_(variables); }

private:
    Evaluate evaluate_;
};

template <class Evaluate>
CelTree node(Evaluate evaluate) {
    return std::make_unique<Node<Evaluate>>(std::move(evaluate));
}

const Json* find_member(const CelValue& object, const std::string& name) {
    if (!object || !object->is_object()) return nullptr;
    const auto found = object->find(name);
    return found == object->end() ? nullptr : &*found;
}

std::int64_t size_of(const Json& value) {
    if (!value.is_string()) return static_cast<std::int64_t>(value.size());
    std::int64_t characters = 0;
    for (const char c : value.get_ref<const std::string&>()) characters += (c & 0xC0) != 0x80;
    return characters;
}

CelValue logic(bool any, const CelNode& left, const CelNode& right, CelVariables& variables) {
    const auto decides = [any](const CelValue& v) { return any ? is_true(v) : is_false(v); };
    const CelValue first = left.evaluate(variables);
    if (decides(first)) return first;
    const CelValue second = right.evaluate(variables);
    if (decides(second)) return second;
    return first && second ? owned(!any) : failed();
}

CelValue contains(const CelValue& item, const CelValue& list) {
    if (!item || !list) return failed();
    if (list->is_object())
        return owned(item->is_string() && list->contains(item->get_ref<const std::string&>()));
    for (const Json& each : *list)
        if (each == *item) return owned(true);
    return owned(false);
}

CelValue arithmetic(char op, const Json& a, const Json& b) {
    if (op == '+' && a.is_string() && b.is_string())
        return owned(a.get<std::string>() + b.get<std::string>());
    if (!a.is_number_integer() || !b.is_number_integer()) return failed();
    const auto x = a.get<std::int64_t>();
    const auto y = b.get<std::int64_t>();
    std::int64_t result = 0;
    if (op == '+') return __builtin_add_overflow(x, y, &result) ? failed() : owned(result);
    if (op == '-') return __builtin_sub_overflow(x, y, &result) ? failed() : owned(result);
    if (op == '*') return __builtin_mul_overflow(x, y, &result) ? failed() : owned(result);
    if (y == 0 || y == -1) return failed();
    return owned(op == '/' ? x / y : x % y);
}

CelValue compare(std::string_view op, const CelValue& a, const CelValue& b) {
    if (!a || !b) return failed();
    if (op == "==") return owned(*a == *b);
    if (op == "!=") return owned(*a != *b);
    if (op.size() == 1 && std::string_view("+-*/%").find(op[0]) != std::string_view::npos)
        return arithmetic(op[0], *a, *b);
    const bool comparable = (a->is_number() && b->is_number()) || (a->is_string() && b->is_string());
    if (!comparable) return failed();
    if (op == "<") return owned(*a < *b);
    if (op == "<=") return owned(*a <= *b);
    if (op == ">") return owned(*a > *b);
    return owned(*a >= *b);
}

const std::regex* compiled(const std::string& pattern) {
    static std::unordered_map<std::string, std::unique_ptr<std::regex>> cache;
    auto& entry = cache[pattern];
    if (entry) return entry.get();
    // std::regex reports a bad pattern only by throwing.
    try {
        entry = std::make_unique<std::regex>(pattern);
    } catch (const std::regex_error&) {
        return nullptr;
    }
    return entry.get();
}

CelValue call_text(const std::string& function, const std::string& text, const std::string& other) {
    if (function == "startsWith") return owned(text.starts_with(other));
    if (function == "endsWith") return owned(text.ends_with(other));
    if (function == "contains") return owned(text.find(other) != std::string::npos);
    if (function != "matches") return failed();
    const std::regex* pattern = compiled(other);
    return pattern ? owned(std::regex_search(text, *pattern)) : failed();
}

CelValue fold(const std::string& macro, const CelValue& list, const std::string& variable,
              const CelNode& body, CelVariables& variables) {
    if (!list || !list->is_array()) return failed();
    const CelValue outer = variables[variable];
    Json kept = Json::array();
    bool error = false;
    bool decided = false;
    for (const Json& item : *list) {
        variables[variable] = borrowed(list, item);
        const CelValue value = body.evaluate(variables);
        error = error || !value;
        if (macro == "map" && value) kept.push_back(*value);
        if (macro == "filter" && is_true(value)) kept.push_back(item);
        decided = decided || (macro == "exists" && is_true(value)) || (macro == "all" && is_false(value));
    }
    variables[variable] = outer;
    if (macro == "exists" || macro == "all") {
        if (decided) return owned(macro == "exists");
        return error ? failed() : owned(macro == "all");
    }
    return error ? failed() : owned(std::move(kept));
}

}  // namespace

bool is_cel_macro(std::string_view name) {
    return name == "exists" || name == "all" || name == "filter" || name == "map";
}

CelTree cel_literal(Json value) {
    return node([v = owned(std::move(value))](CelVariables&) { return v; });
}

CelTree cel_variable(std::string name) {
    return node([name = std::move(name)](CelVariables& variables) -> CelValue {
        const auto found = variables.find(name);
        return found == variables.end() ? failed() : found->second;
    });
}

CelTree cel_list(std::vector<CelTree> items) {
    return node([items = std::move(items)](CelVariables& variables) -> CelValue {
        Json list = Json::array();
        for (const CelTree& item : items) {
            const CelValue value = item->evaluate(variables);
            if (!value) return failed();
            list.push_back(*value);
        }
        return owned(std::move(list));
    });
}

CelTree cel_member(CelTree object, std::string name) {
    return node([object = std::move(object), name = std::move(name)](CelVariables& variables) -> CelValue {
        const CelValue value = object->evaluate(variables);
        const Json* found = find_member(value, name);
        return found ? borrowed(value, *found) : failed();
    });
}

CelTree cel_index(CelTree object, CelTree index) {
    return node([object = std::move(object), index = std::move(index)](CelVariables& variables) -> CelValue {
        const CelValue value = object->evaluate(variables);
        const CelValue key = index->evaluate(variables);
        if (!value || !key) return failed();
        if (key->is_string()) {
            const Json* found = find_member(value, key->get_ref<const std::string&>());
            return found ? borrowed(value, *found) : failed();
        }
        if (!value->is_array() || !key->is_number_integer()) return failed();
        const auto i = key->get<std::int64_t>();
        if (i < 0 || i >= static_cast<std::int64_t>(value->size())) return failed();
        return borrowed(value, (*value)[static_cast<std::size_t>(i)]);
    });
}

CelTree cel_has(CelTree object, std::string name) {
    return node([object = std::move(object), name = std::move(name)](CelVariables& variables) -> CelValue {
        const CelValue value = object->evaluate(variables);
        if (!value) return failed();
        return owned(find_member(value, name) != nullptr);
    });
}

CelTree cel_not(CelTree operand) {
    return node([operand = std::move(operand)](CelVariables& variables) -> CelValue {
        const CelValue value = operand->evaluate(variables);
        return value && value->is_boolean() ? owned(!value->get<bool>()) : failed();
    });
}

CelTree cel_binary(std::string_view op, CelTree left, CelTree right) {
    return node([op, left = std::move(left), right = std::move(right)](CelVariables& variables) -> CelValue {
        if (op == "||" || op == "&&") return logic(op == "||", *left, *right, variables);
        const CelValue a = left->evaluate(variables);
        const CelValue b = right->evaluate(variables);
        return op == "in " ? contains(a, b) : compare(op, a, b);
    });
}

CelTree cel_choice(CelTree condition, CelTree then, CelTree otherwise) {
    return node([condition = std::move(condition), then = std::move(then),
                 otherwise = std::move(otherwise)](CelVariables& variables) -> CelValue {
        const CelValue value = condition->evaluate(variables);
        if (!value || !value->is_boolean()) return failed();
        return (value->get<bool>() ? then : otherwise)->evaluate(variables);
    });
}

CelTree cel_call(std::string function, CelTree target, std::vector<CelTree> arguments) {
    return node([function = std::move(function), target = std::move(target),
                 arguments = std::move(arguments)](CelVariables& variables) -> CelValue {
        const CelValue value = target->evaluate(variables);
        if (!value) return failed();
        if (function == "size" && arguments.empty()) return owned(size_of(*value));
        if (arguments.size() != 1 || !value->is_string()) return failed();
        const CelValue argument = arguments[0]->evaluate(variables);
        if (!argument || !argument->is_string()) return failed();
        return call_text(function, value->get<std::string>(), argument->get<std::string>());
    });
}

CelTree cel_macro(std::string macro, CelTree list, std::string variable, CelTree body) {
    return node([macro = std::move(macro), list = std::move(list), variable = std::move(variable),
                 body = std::move(body)](CelVariables& variables) -> CelValue {
        return fold(macro, list->evaluate(variables), variable, *body, variables);
    });
}

}  // namespace shed::admission
