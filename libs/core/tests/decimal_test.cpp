#include "syncline/core/decimal.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_adapters.hpp>
#include <catch2/generators/catch_generators_random.hpp>
#include <limits>
#include <random>
#include <string>

using syncline::core::Decimal;
using syncline::core::Rounding;

namespace {

Decimal number(std::string_view text) {
    const auto value = Decimal::parse(text);
    INFO(text);
    REQUIRE(value.has_value());
    return *value;
}

std::string code_of(std::string_view text) {
    const auto value = Decimal::parse(text);
    return value ? "parsed as " + value->to_string() : value.error().code;
}

// A random number of at most `digits` digits, as text of our own making.
std::string random_text(std::mt19937_64& random, int digits) {
    const auto below = [&](int n) {
        return static_cast<int>(random() % static_cast<unsigned>(n));
    };
    std::string text = below(2) == 0 ? "-" : "";
    const int whole = 1 + below(digits - 1);
    for (int i = 0; i < whole; ++i) {
        text.push_back(static_cast<char>('0' + below(10)));
    }
    const int places = below(digits - whole + 1);
    for (int i = 0; i < places; ++i) {
        text += i == 0 ? "." : "";
        text.push_back(static_cast<char>('0' + below(10)));
    }
    return text;
}

}  // namespace

TEST_CASE("decimal: text that is not a number is refused without quoting it", "[core][unit]") {
    for (const std::string_view text : {"",     " ",     "-",  "--1", "+1",    "1.",  ".5",  ".",     "1..2", "1.2.3", "1,5",
                                        "1 ",   " 1",    "1e", "1e+", "1e-",   "1ex", "e5",  "0x1F",  "NaN",  "nan",   "Infinity",
                                        "-inf", "1_000", "١",  "１",  "1e1.5", "1-",  "12a", "1e5e5", "-.5",  "1.-5"}) {
        INFO(text);
        CHECK(code_of(text) == "decimal_malformed");
    }
    CHECK(code_of(std::string_view("1\0", 2)) == "decimal_malformed");
    CHECK(Decimal::parse("secret12").error().message.find("secret") == std::string::npos);
}

TEST_CASE("decimal: numbers beyond the range are refused, never rounded or wrapped", "[core][unit]") {
    for (const std::string_view text : {"1e400", "-1e400", "1e-999999", "1e999999999999999999999", "1e-99999999999999999999",
                                        "1234567890123456789012345678901234567", "0.0000000000000000000000000000001", "1e36"}) {
        INFO(text);
        CHECK(code_of(text) == "decimal_out_of_range");
    }
    CHECK(code_of(std::string(100'000, '9')) == "decimal_out_of_range");
    CHECK(code_of("1" + std::string(100'000, '0')) == "decimal_out_of_range");
    CHECK(code_of("1" + std::string(100'000, '0') + "1") == "decimal_out_of_range");
    CHECK(code_of("0." + std::string(100'000, '0') + "1") == "decimal_out_of_range");
}

TEST_CASE("decimal: long texts of small numbers are read exactly", "[core][unit]") {
    CHECK(number("1." + std::string(100'000, '0')) == Decimal(1));
    CHECK(number(std::string(100'000, '0') + "7") == Decimal(7));
    CHECK(number("0e999999999999").is_zero());
    CHECK(number("0." + std::string(100'000, '0')).is_zero());
    CHECK(number("1000000000000000000000000000000000000e-36") == Decimal(1));
}

TEST_CASE("decimal: the canonical text is unique to the number", "[core][unit]") {
    CHECK(number("1.50").to_string() == "1.5");
    CHECK(number("-0").to_string() == "0");
    CHECK(number("-0.00").sign() == 0);
    CHECK(number("0.10").to_string() == "0.1");
    CHECK(number("100").to_string() == "100");
    CHECK(number("1e3").to_string() == "1000");
    CHECK(number("12.5E-3").to_string() == "0.0125");
    CHECK(number("-12.340").to_string() == "-12.34");
    CHECK(number("999999999999999999999999999999999999").to_string() == "999999999999999999999999999999999999");
    CHECK(number("0.000000000000000000000000000001").to_string() == "0.000000000000000000000000000001");
    CHECK(number("1.50") == number("1.5"));
    CHECK(number("1.50").hash() == number("1.5").hash());
    CHECK(Decimal(std::numeric_limits<std::int64_t>::min()).to_string() == "-9223372036854775808");
    CHECK(Decimal(std::numeric_limits<std::uint64_t>::max()).to_string() == "18446744073709551615");
}

TEST_CASE("decimal: fixed text pads and rounds half up", "[core][unit]") {
    CHECK(number("1").to_fixed(2) == "1.00");
    CHECK(number("1.5").to_fixed(2) == "1.50");
    CHECK(number("1.005").to_fixed(2) == "1.01");
    CHECK(number("-1.005").to_fixed(2) == "-1.01");
    CHECK(number("1200.4").to_fixed(0) == "1200");
}

TEST_CASE("decimal: arithmetic out of range is an error and runs through a chain", "[core][unit]") {
    const Decimal largest = number("999999999999999999999999999999999999");
    CHECK_FALSE((largest + Decimal(1)).has_value());
    CHECK_FALSE((-largest - Decimal(1)).has_value());
    CHECK_FALSE((largest * Decimal(2)).has_value());
    CHECK_FALSE((largest + number("0.000000000000000000000000000001")).has_value());
    CHECK((largest + Decimal(1) - largest * Decimal(0)).error().code == "decimal_out_of_range");
    CHECK((largest - largest).value().is_zero());
    CHECK_FALSE((number("0.0000000000000001") * number("0.0000000000000001")).has_value());
    CHECK((number("0.5") * number("0.2")).value().to_string() == "0.1");
}

TEST_CASE("decimal: rounding knows its rules on both sides of zero", "[core][unit]") {
    struct Row {
        std::string_view text;
        int places;
        std::string_view half_up, half_even, down;
    };
    for (const Row& row : std::to_array<Row>({{"0.125", 2, "0.13", "0.12", "0.12"},
                                              {"-0.125", 2, "-0.13", "-0.12", "-0.12"},
                                              {"0.135", 2, "0.14", "0.14", "0.13"},
                                              {"2.5", 0, "3", "2", "2"},
                                              {"-2.5", 0, "-3", "-2", "-2"},
                                              {"0.4999999999", 0, "0", "0", "0"},
                                              {"0.5", 0, "1", "0", "0"},
                                              {"9.995", 2, "10", "10", "9.99"},
                                              {"1.1", 5, "1.1", "1.1", "1.1"}})) {
        INFO(row.text);
        CHECK(number(row.text).rounded(row.places, Rounding::half_up).to_string() == row.half_up);
        CHECK(number(row.text).rounded(row.places, Rounding::half_even).to_string() == row.half_even);
        CHECK(number(row.text).rounded(row.places, Rounding::down).to_string() == row.down);
    }
}

TEST_CASE("decimal: division by zero is an error and division rounds once", "[core][unit]") {
    CHECK(Decimal(1).divided_by(Decimal(0), 2, Rounding::half_up).error().code == "division_by_zero");
    CHECK(Decimal(1).divided_by(number("0.000000000000000000000000000001"), 30, Rounding::half_up).has_value());
    CHECK_FALSE(number("999999999999999999999999999999999999")
                    .divided_by(number("0.000000000000000000000000000001"), 30, Rounding::half_up)
                    .has_value());
    CHECK(Decimal(1).divided_by(Decimal(3), 4, Rounding::half_up).value().to_string() == "0.3333");
    CHECK(Decimal(-2).divided_by(Decimal(3), 4, Rounding::half_up).value().to_string() == "-0.6667");
    CHECK(Decimal(2).divided_by(Decimal(-3), 0, Rounding::down).value().is_zero());
    CHECK(number("19.99").divided_by(number("1.2"), 2, Rounding::half_up).value().to_string() == "16.66");
}

TEST_CASE("decimal: units and nanos of one sign go both ways, others are refused", "[core][unit]") {
    CHECK_FALSE(Decimal::from_units_nanos(1, -1).has_value());
    CHECK_FALSE(Decimal::from_units_nanos(-1, 1).has_value());
    CHECK_FALSE(Decimal::from_units_nanos(0, 1'000'000'000).has_value());
    CHECK_FALSE(Decimal::from_units_nanos(0, -1'000'000'000).has_value());
    CHECK_FALSE(number("9223372036854775808").to_units_nanos().has_value());
    CHECK(Decimal::from_units_nanos(-3, -990'000'000).value().to_string() == "-3.99");
    CHECK(number("-0.5").to_units_nanos().value() == Decimal::UnitsNanos{0, -500'000'000});
    CHECK(number("9223372036854775807.999999999").to_units_nanos().value() ==
          Decimal::UnitsNanos{std::numeric_limits<std::int64_t>::max(), 999'999'999});
}

TEST_CASE("decimal: whole numbers convert only when they are whole and fit", "[core][unit]") {
    CHECK(number("1.5").to_int64().error().code == "integer_malformed");
    CHECK(number("9223372036854775808").to_int64().error().code == "integer_out_of_range");
    CHECK(number("-9223372036854775808").to_int64().value() == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("decimal: random numbers keep the laws of arithmetic", "[core][unit]") {
    std::mt19937_64 random(20'261'120);
    for (int i = 0; i < 20'000; ++i) {
        const Decimal a = number(random_text(random, 16));
        const Decimal b = number(random_text(random, 16));
        INFO(a.to_string() << " and " << b.to_string());
        REQUIRE(number(a.to_string()) == a);
        REQUIRE((a + b).value() == (b + a).value());
        REQUIRE((a * b).value() == (b * a).value());
        REQUIRE((a + b - b).value() == a);
        REQUIRE((a <=> b) == ((a - b).value() <=> Decimal(0)));
        REQUIRE((a == b) == (a.to_string() == b.to_string()));
        const int places = static_cast<int>(random() % 6);
        const Decimal rounded = a.rounded(places, Rounding::half_up);
        REQUIRE(rounded.places() <= places);
        const auto doubled_error = ((rounded - a) * Decimal(2)).value().abs();
        REQUIRE(doubled_error <= number("1e-" + std::to_string(places)));
        if (!b.is_zero()) {
            const auto quotient = a.divided_by(b, 6, Rounding::half_up);
            REQUIRE(quotient.has_value());
            REQUIRE(((*quotient * b - a) * Decimal(2)).value().abs() <= (b.abs() * number("0.000001")).value());
        }
    }
}

TEST_CASE("decimal: short numbers are read by another way to the same value", "[core][unit]") {
    // An exponent takes the general way.
    std::mt19937_64 random(23);
    for (int i = 0; i < 50'000; ++i) {
        const auto text = random_text(random, 2 + static_cast<int>(random() % 22));
        const auto plain = number(text);
        const auto general = number(text + "e0");
        INFO(text);
        REQUIRE(plain == general);
        REQUIRE(plain.places() == general.places());
        const auto wire = plain.rounded(9, Rounding::half_up).to_units_nanos();
        if (wire.has_value()) {
            REQUIRE(Decimal::from_units_nanos(wire->units, wire->nanos) == plain.rounded(9, Rounding::half_up));
        }
    }
    for (const std::string_view text : {"0", "-0", "0.0", "-0.00", "000", "999999999999999999", "-999999999999999999",
                                        "0.00000000000000001", "9999999999999999.99", "1000000000000000000", "100", "-10.50"}) {
        INFO(text);
        CHECK(number(text) == number(std::string(text) + "e0"));
    }
    for (const std::string_view text : {"", "-", ".", "-.5", "1.", "1..2", "1.2.3", "--1", "1-", "+1", " 1", "1 "}) {
        INFO(text);
        CHECK(code_of(text) == "decimal_malformed");
    }
}

TEST_CASE("decimal: random bytes never crash the parser and never parse to something that prints otherwise", "[core][unit]") {
    std::mt19937_64 random(7);
    constexpr std::string_view kAlphabet = "0123456789.-eE+ \0x,";
    for (int i = 0; i < 50'000; ++i) {
        std::string text;
        for (auto length = random() % 24; length > 0; --length) {
            text.push_back(kAlphabet[random() % kAlphabet.size()]);
        }
        if (const auto value = Decimal::parse(text)) {
            REQUIRE(number(value->to_string()) == *value);
        } else {
            REQUIRE(value.error().kind == syncline::core::ErrorKind::malformed);
        }
    }
}
