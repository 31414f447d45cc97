#include "syncline/core/money.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

using syncline::core::Decimal;
using syncline::core::Money;
using syncline::core::Rounding;

namespace {

Money money(std::string_view amount, std::string_view currency) {
    return syncline::core::parse_money(amount, currency).value();
}

}  // namespace

TEST_CASE("money: bad currencies and bad amounts are refused", "[core][unit]") {
    CHECK(syncline::core::parse_money("1", "eur").error().code == "currency_malformed");
    CHECK(syncline::core::parse_money("1", "EURO").error().code == "currency_malformed");
    CHECK(syncline::core::parse_money("1", "").error().code == "currency_malformed");
    CHECK(syncline::core::parse_money("1,00", "EUR").error().code == "decimal_malformed");
    CHECK(syncline::core::money_from_units_nanos(1, -1, "EUR").error().code == "decimal_malformed");
}

TEST_CASE("money: two currencies never add up", "[core][unit]") {
    CHECK((money("1", "EUR") + money("1", "USD")).error().code == "currency_mismatch");
    CHECK((money("1", "EUR") - money("1", "USD")).error().code == "currency_mismatch");
    CHECK((money("1.10", "EUR") - money("0.20", "EUR")).value() == money("0.9", "EUR"));
}

TEST_CASE("money: the minor unit of a currency is that of ISO 4217", "[core][unit]") {
    CHECK(syncline::core::currency_decimals("EUR") == 2);
    CHECK(syncline::core::currency_decimals("JPY") == 0);
    CHECK(syncline::core::currency_decimals("KWD") == 3);
    CHECK(syncline::core::currency_decimals("CLF") == 4);
    CHECK(syncline::core::currency_decimals("XXQ") == 2);
    CHECK(rounded(money("10.5", "JPY")) == money("11", "JPY"));
    CHECK(rounded(money("10.0005", "KWD")) == money("10.001", "KWD"));
}

TEST_CASE("money: a split without weights or with a negative one is refused", "[core][unit]") {
    CHECK_FALSE(split(money("1", "EUR"), {}).has_value());
    CHECK_FALSE(split(money("1", "EUR"), {Decimal(1), Decimal(-1)}).has_value());
}

TEST_CASE("money: a split gives the largest remainders the missing cents, earlier ones first", "[core][unit]") {
    const auto thirds = split(money("10", "EUR"), {Decimal(1), Decimal(1), Decimal(1)}).value();
    CHECK(thirds[0] == money("3.34", "EUR"));
    CHECK(thirds[1] == money("3.33", "EUR"));
    CHECK(thirds[2] == money("3.33", "EUR"));
    const auto none = split(money("0.01", "EUR"), {Decimal(0), Decimal(0)}).value();
    CHECK(none[0] == money("0.01", "EUR"));
    CHECK(none[1] == money("0", "EUR"));
    const auto yen = split(money("-100", "JPY"), {Decimal(1), Decimal(2)}).value();
    CHECK(yen[0] == money("-33", "JPY"));
    CHECK(yen[1] == money("-67", "JPY"));
}

TEST_CASE("money: shares of random splits add up exactly and stay within a unit of the exact share", "[core][unit]") {
    std::mt19937_64 random(42);
    for (int i = 0; i < 2'000; ++i) {
        const auto cents = static_cast<std::int64_t>(random() % 10'000'000) - 5'000'000;
        const Money total{Decimal::from_scaled(cents, 2).value(), "EUR"};
        std::vector<Decimal> weights;
        for (auto n = 1 + random() % 20; n > 0; --n) {
            weights.push_back(Decimal::from_scaled(static_cast<std::int64_t>(random() % 100'000), 3).value());
        }
        syncline::core::Result<Decimal> whole{Decimal{}};
        for (const auto& weight : weights) {
            whole = whole + weight;
        }
        const auto shares = split(total, weights).value();
        syncline::core::Result<Decimal> sum{Decimal{}};
        for (std::size_t k = 0; k < shares.size(); ++k) {
            sum = sum + shares[k].amount;
            REQUIRE(shares[k].amount.places() <= 2);
            if (!whole->is_zero()) {
                const auto exact = (total.amount * weights[k]).value().divided_by(*whole, 12, Rounding::half_up).value();
                REQUIRE((shares[k].amount - exact).value().abs() <= Decimal::from_scaled(1, 2).value());
            }
        }
        REQUIRE(sum.value() == total.amount);
    }
}
