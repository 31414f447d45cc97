// Text to whole numbers, strictly: the whole text, ASCII digits, an optional minus for signed types, in range.
//
// No spaces, no plus, no locale, no partial success. Errors: kind malformed, code "integer_malformed" or
// "integer_out_of_range"; the text is never in the message. Any thread.
#pragma once

#include <syncline/core/error.h>
#include <charconv>
#include <concepts>
#include <string_view>
#include <system_error>

namespace syncline::core {

template <std::integral T>
    requires(!std::same_as<T, bool>)
[[nodiscard]] Result<T> parse_int(std::string_view text) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    if (code == std::errc::result_out_of_range && stop == end) {
        return fail(ErrorKind::malformed, "integer_out_of_range", "the number does not fit");
    }
    if (code != std::errc{} || stop != end) {
        return fail(ErrorKind::malformed, "integer_malformed", "not a whole number");
    }
    return value;
}

// "true" or "false", nothing else; code "boolean_malformed".
[[nodiscard]] Result<bool> parse_bool(std::string_view text);

}  // namespace syncline::core
