// Reads CEL by recursive descent, one function per level of precedence.
#include "fakes/admission/crd/cel.hpp"

#include <cctype>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    CelTree parse() {
        CelTree tree = choice();
        skip_space();
        return tree && at_ == text_.size() ? std::move(tree) : nullptr;
    }
    std::size_t position() const { return at_; }

private:
    void skip_space() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    }

    bool take(std::string_view token) {
        skip_space();
        if (text_.substr(at_, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }

    CelTree choice() {
        CelTree condition = binary(0);
        if (!condition || !take("?")) return condition;
        CelTree then = choice();
        if (!then || !take(":")) return nullptr;
        CelTree otherwise = choice();
        if (!otherwise) return nullptr;
        return cel_choice(std::move(condition), std::move(then), std::move(otherwise));
    }

    // The operators of one level, longest first so that < does not eat <=.
    static const std::vector<std::string_view>& operators(std::size_t level) {
        static const std::vector<std::vector<std::string_view>> levels = {
            {"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">", "in "}, {"+", "-"}, {"*", "/", "%"}};
        return levels[level];
    }

    CelTree binary(std::size_t level) {
        if (level == 5) return unary();
        CelTree left = binary(level + 1);
        while (left) {
            std::string_view found;
            for (std::string_view op : operators(level))
                if (take(op)) {
                    found = op;
                    break;
                }
            if (found.empty()) return left;
            CelTree right = binary(level + 1);
            if (!right) return nullptr;
            left = cel_binary(found, std::move(left), std::move(right));
        }
        return left;
    }

    CelTree unary() {
        if (take("!")) {
            CelTree operand = unary();
            return operand ? cel_not(std::move(operand)) : nullptr;
        }
        return postfix();
    }

    CelTree postfix() {
        CelTree tree = primary();
        while (tree) {
            if (take(".")) {
                const std::string name = identifier();
                if (name.empty()) return nullptr;
                tree = take("(") ? method(std::move(tree), name) : cel_member(std::move(tree), name);
            } else if (take("[")) {
                CelTree index = choice();
                if (!index || !take("]")) return nullptr;
                tree = cel_index(std::move(tree), std::move(index));
            } else {
                return tree;
            }
        }
        return nullptr;
    }

    CelTree method(CelTree target, const std::string& name) {
        if (is_cel_macro(name)) {
            const std::string variable = identifier();
            if (variable.empty() || !take(",")) return nullptr;
            CelTree body = choice();
            if (!body || !take(")")) return nullptr;
            return cel_macro(name, std::move(target), variable, std::move(body));
        }
        std::vector<CelTree> arguments;
        if (!items(")", arguments)) return nullptr;
        return cel_call(name, std::move(target), std::move(arguments));
    }

    bool items(std::string_view end, std::vector<CelTree>& out) {
        if (take(end)) return true;
        do {
            CelTree item = choice();
            if (!item) return false;
            out.push_back(std::move(item));
        } while (take(","));
        return take(end);
    }

    CelTree primary() {
        skip_space();
        if (at_ >= text_.size()) return nullptr;
        const char c = text_[at_];
        if (c == '\'' || c == '"') return string_literal();
        if (std::isdigit(static_cast<unsigned char>(c)) || c == '-') return number();
        if (take("(")) {
            CelTree inner = choice();
            return inner && take(")") ? std::move(inner) : nullptr;
        }
        if (take("[")) {
            std::vector<CelTree> list;
            return items("]", list) ? cel_list(std::move(list)) : nullptr;
        }
        return named();
    }

    CelTree named() {
        const std::string name = identifier();
        if (name.empty()) return nullptr;
        if (name == "true" || name == "false") return cel_literal(name == "true");
        if (name == "null") return cel_literal(nullptr);
        if (!take("(")) return cel_variable(name);
        if (name == "has") return has();
        std::vector<CelTree> arguments;
        if (!items(")", arguments) || arguments.empty()) return nullptr;
        CelTree target = std::move(arguments.front());
        arguments.erase(arguments.begin());
        return cel_call(name, std::move(target), std::move(arguments));
    }

    // has(a.b.c) asks for c of a.b; the last name must not be evaluated.
    CelTree has() {
        CelTree object = cel_variable(identifier());
        std::string last;
        while (take(".")) {
            if (!last.empty()) object = cel_member(std::move(object), last);
            last = identifier();
        }
        if (last.empty() || !take(")")) return nullptr;
        return cel_has(std::move(object), last);
    }

    CelTree string_literal() {
        const char quote = text_[at_++];
        std::string value;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            value += text_[at_++];
        }
        if (at_ == text_.size()) return nullptr;
        ++at_;
        return cel_literal(value);
    }

    CelTree number() {
        std::size_t end = at_ + 1;
        while (end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end]))) ++end;
        const std::string digits(text_.substr(at_, end - at_));
        at_ = end;
        if (digits == "-" || digits.size() > 18) return nullptr;
        return cel_literal(std::stoll(digits));
    }

    std::string identifier() {
        skip_space();
        std::size_t end = at_;
        while (end < text_.size() &&
               (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
            ++end;
        std::string name(text_.substr(at_, end - at_));
        at_ = end;
        return name;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<std::shared_ptr<const CelNode>> parse_cel(std::string_view text) {
    Parser parser(text);
    CelTree tree = parser.parse();
    if (tree) return std::shared_ptr<const CelNode>(std::move(tree));
    return Error{Reason::invalid, "cannot read the rule \"" + std::string(text) + "\" from column " +
                                      std::to_string(parser.position() + 1)};
}

}  // namespace shed::admission
