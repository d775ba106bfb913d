// Reads JSON as Go's encoding/json does, only to say what is wrong in Go's words and to find members given twice.
#include "fakes/api/internal.hpp"

#include <set>

namespace shed {

namespace {

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    JsonScan run() {
        skip_spaces();
        if (value(0)) {
            skip_spaces();
            if (at_ < text_.size()) unexpected("after top-level value");
        }
        return std::move(result_);
    }

private:
    static constexpr int depth_max = 10'000;

    bool fail(std::string message) {
        if (result_.error.empty()) result_.error = std::move(message);
        return false;
    }

    bool unexpected(std::string_view where) {
        if (at_ >= text_.size()) return fail("unexpected end of JSON input");
        const auto c = static_cast<unsigned char>(text_[at_]);
        std::string shown;
        if (c == '\'') shown = "'\\''";
        else if (c == '\n') shown = "'\\n'";
        else if (c < 0x80) shown = std::string("'") + static_cast<char>(c) + "'";
        // Go takes the byte for a rune.
        else shown = std::string("'") + static_cast<char>(0xc0 | (c >> 6)) +
                     static_cast<char>(0x80 | (c & 0x3f)) + "'";
        return fail("invalid character " + shown + " " + std::string(where));
    }

    void skip_spaces() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) !=
                                         std::string_view::npos)
            ++at_;
    }

    bool value(int depth) {
        if (depth > depth_max) return fail("exceeded max depth");
        if (at_ >= text_.size()) return unexpected("looking for beginning of value");
        switch (text_[at_]) {
            case '{': return object(depth);
            case '[': return array(depth);
            case '"': return string(nullptr);
            case 't': return literal("true");
            case 'f': return literal("false");
            case 'n': return literal("null");
            default: return number();
        }
    }

    bool object(int depth) {
        std::set<std::string> seen;
        ++at_;
        skip_spaces();
        if (at_ < text_.size() && text_[at_] == '}') return ++at_, true;
        for (;;) {
            skip_spaces();
            if (at_ >= text_.size() || text_[at_] != '"')
                return unexpected("looking for beginning of object key string");
            std::string key;
            if (!string(&key)) return false;
            path_.push_back({key, -1});
            if (!seen.insert(std::move(key)).second) result_.duplicates.push_back(path_text());
            skip_spaces();
            if (at_ >= text_.size() || text_[at_] != ':') return unexpected("after object key");
            ++at_;
            skip_spaces();
            if (!value(depth + 1)) return false;
            path_.pop_back();
            skip_spaces();
            if (at_ < text_.size() && text_[at_] == '}') return ++at_, true;
            if (at_ >= text_.size() || text_[at_] != ',')
                return unexpected("after object key:value pair");
            ++at_;
        }
    }

    bool array(int depth) {
        ++at_;
        skip_spaces();
        if (at_ < text_.size() && text_[at_] == ']') return ++at_, true;
        for (int i = 0;; ++i) {
            skip_spaces();
            path_.push_back({"", i});
            if (!value(depth + 1)) return false;
            path_.pop_back();
            skip_spaces();
            if (at_ < text_.size() && text_[at_] == ']') return ++at_, true;
            if (at_ >= text_.size() || text_[at_] != ',')
                return unexpected("after array element");
            ++at_;
        }
    }

    bool string(std::string* out) {
        const std::size_t begin = ++at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20)
                return unexpected("in string literal");
            if (text_[at_] == '\\') {
                ++at_;
                if (at_ >= text_.size() ||
                    std::string_view("\"\\/bfnrtu").find(text_[at_]) == std::string_view::npos)
                    return unexpected("in string escape code");
            }
            ++at_;
        }
        if (at_ >= text_.size()) return unexpected("in string literal");
        if (out != nullptr) *out = text_.substr(begin, at_ - begin);
        ++at_;
        return true;
    }

    bool literal(std::string_view word) {
        for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
            if (at_ < text_.size() && text_[at_] == word[i]) continue;
            return unexpected("in literal " + std::string(word) + " (expecting '" + word[i] + "')");
        }
        return true;
    }

    bool digits(std::string_view where) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return at_ > begin || unexpected(where);
    }

    bool number() {
        const bool negative = text_[at_] == '-';
        if (negative) ++at_;
        if (!digits(negative ? "in numeric literal" : "looking for beginning of value")) return false;
        if (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            if (!digits("after decimal point in numeric literal")) return false;
        }
        if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            ++at_;
            if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
            return digits("in exponent of numeric literal");
        }
        return true;
    }

    std::string path_text() const {
        std::string text;
        for (const Step& step : path_) {
            if (step.index >= 0) text += "[" + std::to_string(step.index) + "]";
            else text += (text.empty() ? "" : ".") + step.key;
        }
        return text;
    }

    struct Step {
        std::string key;
        int index;  // -1: a member of an object
    };

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Step> path_;
    JsonScan result_;
};

}  // namespace

JsonScan scan_json(std::string_view text) { return Scanner(text).run(); }

}  // namespace shed
