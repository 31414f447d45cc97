#include "syncline/core/error.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

using syncline::core::ErrorKind;

TEST_CASE("error: every kind has a name of its own that leads back to it", "[core][unit]") {
    std::set<std::string> names;
    for (int i = 0; i <= static_cast<int>(ErrorKind::bug); ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        const auto name = syncline::core::to_string(kind);
        CHECK(names.emplace(name).second);
        CHECK(syncline::core::error_kind_from(name) == kind);
    }
    CHECK(syncline::core::error_kind_from("no such kind") == ErrorKind::bug);
}

TEST_CASE("error: fail() remembers where it was called", "[core][unit]") {
    const syncline::core::Result<int> result = syncline::core::fail(ErrorKind::rejected, "no_lines", "the order has no lines");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == "no_lines");
    CHECK(std::string(result.error().where.file_name()).ends_with("error_test.cpp"));
}
