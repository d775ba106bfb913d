#include "fakes/admission/validate/field.hpp"

#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

Field Field::operator[](std::string_view member_name) const {
    return {member(*value_, member_name), joined_path(path_, member_name), *errors_};
}

Field Field::item(std::size_t index) const {
    return {value_->at(index), item_path(path_, index), *errors_};
}

Field Field::entry(std::string_view key) const {
    return {member(*value_, key), key_path(path_, key), *errors_};
}

Field Field::shown_at(std::string_view name) const { return moved(joined_path(path_, name)); }

Field Field::moved(std::string path) const { return {*value_, std::move(path), *errors_}; }

Field Field::with(const Json& value) const { return {value, path_, *errors_}; }

std::vector<Field> Field::items() const {
    std::vector<Field> all;
    if (!value_->is_array()) return all;
    for (std::size_t i = 0; i < value_->size(); ++i) all.push_back(item(i));
    return all;
}

std::vector<std::pair<std::string, Field>> Field::entries() const {
    std::vector<std::pair<std::string, Field>> all;
    if (!value_->is_object()) return all;
    for (const auto& [key, value] : value_->items())
        all.emplace_back(key, Field(value, key_path(path_, key), *errors_));
    return all;
}

Field::operator bool() const { return !value_->is_null(); }

std::string Field::text() const {
    return value_->is_string() ? value_->get<std::string>() : std::string();
}

bool Field::is(std::string_view text) const {
    return value_->is_string() && value_->get_ref<const std::string&>() == text;
}

std::int64_t Field::number(std::int64_t otherwise) const {
    return value_->is_number_integer() ? value_->get<std::int64_t>() : otherwise;
}

bool Field::flag(bool otherwise) const {
    return value_->is_boolean() ? value_->get<bool>() : otherwise;
}

std::size_t Field::size() const {
    if (value_->is_string()) return value_->get_ref<const std::string&>().size();
    return value_->is_structured() ? value_->size() : 0;
}

void Field::invalid(std::string_view why) const { complain(invalid_value(path_, *value_, why)); }

void Field::invalid(const Json& shown, std::string_view why) const {
    complain(invalid_value(path_, shown, why));
}

void Field::invalid_as(std::string_view go_type, std::string_view why) const {
    complain(invalid_text(path_, go_text(go_type, *value_), why));
}

void Field::invalid_each(const std::vector<std::string>& complaints) const {
    for (const std::string& why : complaints) invalid(text(), why);
}

void Field::invalid_unshown(std::string_view why) const {
    complain({"FieldValueInvalid", path_, "Invalid value: " + std::string(why)});
}

void Field::required(std::string_view why) const { complain(admission::required(path_, why)); }

void Field::forbidden(std::string_view why) const { complain(admission::forbidden(path_, why)); }

void Field::not_supported(std::span<const std::string_view> allowed) const {
    complain(admission::not_supported(path_, *value_, {allowed.begin(), allowed.end()}));
}

void Field::duplicate() const { duplicate(*value_); }

void Field::duplicate(const Json& shown) const { complain(admission::duplicate(path_, shown)); }

void Field::duplicate_as(std::string_view go_type, const Json& shown, std::string_view why) const {
    const std::string text = "Duplicate value: " + go_text(go_type, shown);
    complain({"FieldValueDuplicate", path_, why.empty() ? text : text + ": " + std::string(why)});
}

void Field::not_found(std::string_view why) const {
    const std::string text = "Not found: " + json_quoted(this->text());
    complain({"FieldValueNotFound", path_, why.empty() ? text : text + ": " + std::string(why)});
}

void Field::too_long(std::size_t most) const {
    complain({"FieldValueTooLong", path_,
              "Too long: may not be more than " + std::to_string(most) + " bytes"});
}

void Field::too_many(std::size_t most) const {
    complain({"FieldValueTooMany", path_,
              "Too many: " + std::to_string(size()) + ": must have at most " +
                  std::to_string(most) + " items"});
}

void Field::not_negative() const {
    if (number() < 0) invalid("must be greater than or equal to 0");
}

void Field::positive() const {
    if (number() <= 0) invalid(Json(number()), "must be greater than zero");
}

void Field::in_range(std::int64_t least, std::int64_t most) const {
    if (number() >= least && number() <= most) return;
    invalid(Json(number()), "must be between " + std::to_string(least) + " and " +
                                std::to_string(most) + ", inclusive");
}

void Field::at_most(std::int64_t most, std::string_view why) const {
    if (number() > most) invalid(why);
}

void Field::one_of(std::span<const std::string_view> allowed) const {
    if (text().empty()) required();
    else one_of_if_set(allowed);
}

void Field::one_of_if_set(std::span<const std::string_view> allowed) const {
    if (!*this) return;
    for (const std::string_view each : allowed)
        if (is(each)) return;
    not_supported(allowed);
}

void named(const Field& field, Problems problems) { field.invalid_each(problems(field.text())); }

void named_if_set(const Field& field, Problems problems) {
    if (!field.text().empty()) named(field, problems);
}

void required_text(const Field& field) {
    if (field.text().empty()) field.required();
}

}  // namespace shed::admission
