#include "src/conninfo.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using syncline::postgres::check_url;
using syncline::postgres::session_conninfo;
using syncline::postgres::valid_schema_name;

TEST_CASE("postgres: an unreadable url is refused without quoting it", "[postgres-conninfo][unit]") {
    const auto refused = check_url("postgresql://user:s3cret@host:port/db?nonsense=1");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "postgres_unavailable");
    CHECK_THAT(refused.error().message, !ContainsSubstring("s3cret"));
    CHECK_FALSE(check_url("").has_value());
}

TEST_CASE("postgres: a schema name that could carry SQL is refused", "[postgres-conninfo][unit]") {
    CHECK_FALSE(valid_schema_name("a; DROP TABLE b"));
    CHECK_FALSE(valid_schema_name("1a"));
    CHECK_FALSE(valid_schema_name(std::string(64, 'a')));
    CHECK(valid_schema_name("order_export"));
    CHECK_FALSE(session_conninfo({.url = "host=h", .schema = "A b"}).has_value());
}

TEST_CASE("postgres: time-outs and search_path are part of the connection string", "[postgres-conninfo][unit]") {
    const auto text =
        session_conninfo({.url = "postgresql://u@h:5433/d", .schema = "ledger", .statement_timeout = std::chrono::seconds{7}});
    REQUIRE(text.has_value());
    CHECK_THAT(*text, ContainsSubstring("-c search_path=ledger"));
    CHECK_THAT(*text, ContainsSubstring("-c statement_timeout=7000"));
    CHECK_THAT(*text, ContainsSubstring("tcp_user_timeout='30000'"));
    CHECK_THAT(*text, ContainsSubstring("host='h'"));
}

TEST_CASE("postgres: what the url says itself is kept, odd passwords too", "[postgres-conninfo][unit]") {
    const auto text = session_conninfo({.url = R"(host=h password='a\'b\\c d' connect_timeout=9 options='-c work_mem=8MB')"});
    REQUIRE(text.has_value());
    CHECK_THAT(*text, ContainsSubstring(R"(password='a\'b\\c d')"));
    CHECK_THAT(*text, ContainsSubstring("connect_timeout='9'"));
    CHECK_THAT(*text, ContainsSubstring("options='-c work_mem=8MB -c statement_timeout="));
}
