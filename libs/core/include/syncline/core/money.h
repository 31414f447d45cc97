// An exact amount of one currency, and what ISO 4217 says about currencies.
//
// Arithmetic of amounts of two currencies is an Error (kind malformed, code "currency_mismatch"), never a number.
// Value types; any thread; nothing blocks.
#pragma once

#include <syncline/core/decimal.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::core {

struct Money {
    Decimal amount;
    std::string currency;  // ISO 4217, upper case.
    friend bool operator==(const Money&, const Money&) = default;
};

// Digits after the point of the currency's minor unit (EUR 2, JPY 0, KWD 3, CLF 4); 2 for a code that ISO 4217 does not list.
[[nodiscard]] int currency_decimals(std::string_view code);

// Three upper-case ASCII letters; says nothing of whether the currency exists.
[[nodiscard]] bool valid_currency_code(std::string_view code);

// Checks the code and parses the amount; nothing is rounded.
[[nodiscard]] Result<Money> parse_money(std::string_view amount, std::string_view currency);
[[nodiscard]] Result<Money> money_from_units_nanos(std::int64_t units, std::int32_t nanos, std::string_view currency);

// Rounded half up to the currency's minor unit.
[[nodiscard]] Money rounded(const Money& money);

[[nodiscard]] Result<Money> operator+(const Money& a, const Money& b);
[[nodiscard]] Result<Money> operator-(const Money& a, const Money& b);

// Splits `total` into one share for each weight by largest remainder: shares are multiples of the minor unit (of `total`'s own
// last digit if that is finer), add up to `total` exactly and differ from the exact share by less than one unit. Equal
// remainders go to the earlier weight. Weights must not be negative; if all are zero, each counts as one. No weights: an Error.
[[nodiscard]] Result<std::vector<Money>> split(const Money& total, const std::vector<Decimal>& weights);

}  // namespace syncline::core
