#include "syncline/core/utf8.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>

namespace syncline::core {
namespace {

constexpr std::size_t kCharacterBytesMax = 4;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

bool valid_utf8(std::string_view text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

std::string replace_invalid_utf8(std::string_view text) {
    if (valid_utf8(text)) {
        return std::string(text);
    }
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 0;
        for (std::size_t n = 1; n <= std::min(kCharacterBytesMax, text.size()) && length == 0; ++n) {
            length = valid_utf8(text.substr(0, n)) ? n : 0;
        }
        clean += length == 0 ? kReplacement : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return clean;
}

}  // namespace syncline::core
