// ASCII text as HTTP means it, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace syncline::http {

[[nodiscard]] constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = lower(c);
    }
    return out;
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view left, std::string_view right_lower_case) noexcept {
    if (left.size() != right_lower_case.size()) {
        return false;
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (lower(left[i]) != right_lower_case[i]) {
            return false;
        }
    }
    return true;
}

}  // namespace syncline::http
