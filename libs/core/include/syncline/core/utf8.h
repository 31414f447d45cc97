// Is this text UTF-8? Pure functions over simdjson, any thread.
#pragma once

#include <string>
#include <string_view>

namespace syncline::core {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is allowed.
[[nodiscard]] bool valid_utf8(std::string_view text);

// The text with each byte that does not belong to a well-formed character replaced by U+FFFD.
[[nodiscard]] std::string replace_invalid_utf8(std::string_view text);

}  // namespace syncline::core
