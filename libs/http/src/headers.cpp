#include <syncline/http/headers.h>

#include "src/text.h"

namespace syncline::http {

Headers::Headers(std::initializer_list<Header> fields) {
    fields_.reserve(fields.size());
    for (const auto& field : fields) {
        add(field.name, field.value);
    }
}

void Headers::add(std::string_view name, std::string_view value) {
    fields_.push_back({.name = lower(name), .value = std::string(value)});
}

std::optional<std::string_view> Headers::find(std::string_view lower_case_name) const {
    for (const auto& field : fields_) {
        if (field.name == lower_case_name) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::string_view Headers::get(std::string_view lower_case_name) const {
    return find(lower_case_name).value_or(std::string_view{});
}

std::size_t Headers::count(std::string_view lower_case_name) const {
    std::size_t found = 0;
    for (const auto& field : fields_) {
        found += field.name == lower_case_name ? 1U : 0U;
    }
    return found;
}

}  // namespace syncline::http
