#include "syncline/core/parse.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "syncline/core/ids.h"

using syncline::core::parse_int;

TEST_CASE("parse: only a whole number and nothing else is a whole number", "[core][unit]") {
    for (const std::string_view text : {"", " ", "1 ", " 1", "+1", "--1", "1.0", "1e3", "0x10", "one", "١", "-"}) {
        INFO(text);
        CHECK(parse_int<int>(text).error().code == "integer_malformed");
    }
    CHECK(parse_int<std::uint64_t>("-1").error().code == "integer_malformed");
    CHECK(parse_int<std::int64_t>("9223372036854775808").error().code == "integer_out_of_range");
    CHECK(parse_int<std::uint16_t>("65536").error().code == "integer_out_of_range");
    CHECK(parse_int<std::int64_t>("99999999999999999999x").error().code == "integer_malformed");
    CHECK(parse_int<std::uint64_t>("18446744073709551615").value() == UINT64_MAX);
    CHECK(parse_int<std::int64_t>("-9223372036854775808").value() == INT64_MIN);
    CHECK(parse_int<int>("007").value() == 7);
    CHECK_FALSE(syncline::core::parse_bool("True").has_value());
    CHECK(syncline::core::parse_bool("true").value());
}

TEST_CASE("ids: an alias of a shop is short, lower case and has no dots or slashes", "[core][unit]") {
    using syncline::core::parse_shop_alias;
    for (const std::string_view text : {"", "EU", "eu.myshopify.com", "eu/1", "-eu", "eu-", "e u", "eü", "eu\n"}) {
        INFO(text);
        CHECK(parse_shop_alias(text).error().code == "shop_alias_malformed");
    }
    CHECK_FALSE(parse_shop_alias(std::string(33, 'a')).has_value());
    CHECK(parse_shop_alias("us-b2b").value().value() == "us-b2b");
    CHECK(syncline::core::parse_connection_name("odoo-main").value().text() == "odoo-main");
    CHECK(syncline::core::parse_connection_name("odoo_main").error().code == "connection_name_malformed");
    CHECK(syncline::core::OrderId{820982911946154508ULL}.text() == "820982911946154508");
}
