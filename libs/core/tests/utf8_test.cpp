#include "syncline/core/utf8.h"

#include <catch2/catch_test_macros.hpp>

using syncline::core::replace_invalid_utf8;
using syncline::core::valid_utf8;

TEST_CASE("utf8: overlong forms, surrogates, stray and missing bytes are not UTF-8", "[core][unit]") {
    for (const std::string_view text :
         {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "abc\xE2\x82", "\xFF", "\xC3("}) {
        CHECK_FALSE(valid_utf8(text));
        CHECK(valid_utf8(replace_invalid_utf8(text)));
    }
    CHECK(valid_utf8(""));
    CHECK(valid_utf8(std::string_view("a\0b", 3)));
    CHECK(valid_utf8("Grüße, 東京 🎁"));
}

TEST_CASE("utf8: only the broken bytes are replaced", "[core][unit]") {
    CHECK(replace_invalid_utf8("a\xFFz") == "a\xEF\xBF\xBDz");
    CHECK(replace_invalid_utf8("東\xE6\x9Dz") == "東\xEF\xBF\xBD\xEF\xBF\xBDz");
    CHECK(replace_invalid_utf8("Grüße") == "Grüße");
}
