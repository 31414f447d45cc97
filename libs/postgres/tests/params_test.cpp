#include <syncline/postgres/params.h>
#include <catch2/catch_test_macros.hpp>

using syncline::postgres::array_literal;
using syncline::postgres::bytea_literal;
using syncline::postgres::Params;
using namespace std::string_literals;
using Texts = std::vector<std::optional<std::string>>;

TEST_CASE("postgres: a text with a NUL byte is refused by its number, not cut off", "[postgres-params][unit]") {
    CHECK(Params{}.add("a").add("b\0c"s).add("\0"s).first_with_nul() == 2);
    CHECK(Params{}.add("a").add_array(std::vector<std::string>{"x", "y\0"s}).first_with_nul() == 2);
    CHECK(Params{}.add("a").add_null().add(1).first_with_nul() == 0);
}

TEST_CASE("postgres: bytes with NUL travel as hex and are not refused", "[postgres-params][unit]") {
    const auto params = Params{}.add_bytes("\0\xff"s).add_bytes_array(std::vector<std::string>{"\0"s, ""});
    CHECK(params.first_with_nul() == 0);
    CHECK(params.values()[0] == "\\x00ff");
    CHECK(params.values()[1] == R"({"\\x00","\\x"})");
}

TEST_CASE("postgres: an array literal keeps quotes, backslashes, commas, braces and the word NULL apart from NULL",
          "[postgres-params][unit]") {
    CHECK(array_literal(Texts{}) == "{}");
    CHECK(array_literal(Texts{std::nullopt}) == "{NULL}");
    CHECK(array_literal(Texts{"NULL", "", std::nullopt}) == R"({"NULL","",NULL})");
    CHECK(array_literal(Texts{"a,b", "{c}", " d "}) == R"({"a,b","{c}"," d "})");
    CHECK(array_literal(Texts{R"(say "hi")", R"(back\slash)", R"(\")"}) == R"({"say \"hi\"","back\\slash","\\\""})");
}

TEST_CASE("postgres: numbers, booleans and nulls have PostgreSQL's text forms", "[postgres-params][unit]") {
    const auto params = Params{}
                            .add(std::int64_t{-9'223'372'036'854'775'807 - 1})
                            .add(true)
                            .add(std::optional<std::string>{})
                            .add_array(std::vector<std::optional<std::int64_t>>{1, std::nullopt})
                            .add_array(std::vector<bool>{true, false});
    CHECK(params.values()[0] == "-9223372036854775808");
    CHECK(params.values()[1] == "t");
    CHECK(params.values()[2] == std::nullopt);
    CHECK(params.values()[3] == "{1,NULL}");
    CHECK(params.values()[4] == "{t,f}");
}

TEST_CASE("postgres: a time is cut to microseconds, never rounded into the future", "[postgres-params][unit]") {
    const syncline::core::SystemTime time{std::chrono::nanoseconds{1'700'000'000'123'456'999}};
    CHECK(Params{}.add(time).values()[0] == "2023-11-14T22:13:20.123456Z");
}
