#include "syncline/core/ids.h"

#include <algorithm>

namespace syncline::core {
namespace {

constexpr std::size_t kNameBytesMax = 32;

bool letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool valid_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax && letter_or_digit(text.front()) && letter_or_digit(text.back()) &&
           std::ranges::all_of(text, [](char c) { return letter_or_digit(c) || c == '-'; });
}

}  // namespace

Result<ShopAlias> parse_shop_alias(std::string_view text) {
    if (!valid_name(text)) {
        return fail(ErrorKind::malformed, "shop_alias_malformed", "not an alias of a shop",
                    "1 to 32 of a-z, 0-9 and -, beginning and ending with a letter or digit");
    }
    return ShopAlias(std::string(text));
}

Result<ConnectionName> parse_connection_name(std::string_view text) {
    if (!valid_name(text)) {
        return fail(ErrorKind::malformed, "connection_name_malformed", "not a name of a connection",
                    "1 to 32 of a-z, 0-9 and -, beginning and ending with a letter or digit");
    }
    return ConnectionName(std::string(text));
}

}  // namespace syncline::core
