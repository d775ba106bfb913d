#pragma once
// What the rules for built-in kinds are written with: a value, where it stands, and where
// complaints about it go. As in the real server's structs, an absent member and its zero value are
// the same thing.
#include "fakes/admission/internal.hpp"

namespace shed::admission {

class Field {
public:
    Field(const Json& value, std::string path, FieldErrors& errors)
        : value_(&value), path_(std::move(path)), errors_(&errors) {}

    // ---- around
    Field operator[](std::string_view member_name) const;  // null when absent
    Field item(std::size_t index) const;
    Field entry(std::string_view key) const;      // of a map, at path[key]
    Field shown_at(std::string_view name) const;  // the same value, at path.name
    Field moved(std::string path) const;          // the same value, elsewhere
    Field with(const Json& value) const;          // another value, here
    std::vector<Field> items() const;
    std::vector<std::pair<std::string, Field>> entries() const;  // by key

    // ---- what it is
    explicit operator bool() const;  // there is something
    const Json& json() const { return *value_; }
    const std::string& path() const { return path_; }
    std::string text() const;  // "" unless a string
    bool is(std::string_view text) const;
    std::int64_t number(std::int64_t otherwise = 0) const;
    bool flag(bool otherwise = false) const;
    std::size_t size() const;  // of a list, map or string

    // ---- complaints; `shown` is the value that is quoted
    void invalid(std::string_view why) const;
    void invalid(const Json& shown, std::string_view why) const;
    void invalid_as(std::string_view go_type,
                    std::string_view why) const;  // quotes the server's own struct
    void invalid_each(const std::vector<std::string>& complaints) const;
    void invalid_unshown(std::string_view why) const;
    void required(std::string_view why = "") const;
    void forbidden(std::string_view why) const;
    void not_supported(std::span<const std::string_view> allowed) const;
    void duplicate() const;
    void duplicate(const Json& shown) const;
    void duplicate_as(std::string_view go_type, const Json& shown, std::string_view why = "") const;
    void not_found(std::string_view why = "") const;
    void too_long(std::size_t most) const;
    void too_many(std::size_t most) const;
    void complain(FieldError error) const { errors_->push_back(std::move(error)); }
    std::size_t complaints() const { return errors_->size(); }

    // ---- frequent rules
    void not_negative() const;
    void positive() const;
    void in_range(std::int64_t least,
                  std::int64_t most) const;  // "must be between .. and .., inclusive"
    void at_most(std::int64_t most, std::string_view why) const;
    void one_of(std::span<const std::string_view> allowed) const;  // required, too
    void one_of_if_set(std::span<const std::string_view> allowed) const;

private:
    const Json* value_;
    std::string path_;
    FieldErrors* errors_;
};

using Problems = std::vector<std::string> (*)(std::string_view);

// Each complaint of `problems` about the text, which must be there.
void named(const Field& field, Problems problems);
void named_if_set(const Field& field, Problems problems);
void required_text(const Field& field);
inline constexpr std::int64_t port_max = 65535;
inline constexpr std::int64_t int32_max = 2'147'483'647;

}  // namespace shed::admission
