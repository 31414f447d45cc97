#include "syncline/core/money.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "syncline/core/assert.h"

namespace syncline::core {
namespace {

struct Minor {
    std::string_view code;
    int decimals;
};

// ISO 4217 list one: every code whose minor unit is not 2.
constexpr std::array kNotTwo{
    Minor{"BHD", 3}, Minor{"BIF", 0}, Minor{"CLF", 4}, Minor{"CLP", 0}, Minor{"DJF", 0}, Minor{"GNF", 0}, Minor{"IQD", 3},
    Minor{"ISK", 0}, Minor{"JOD", 3}, Minor{"JPY", 0}, Minor{"KMF", 0}, Minor{"KRW", 0}, Minor{"KWD", 3}, Minor{"LYD", 3},
    Minor{"OMR", 3}, Minor{"PYG", 0}, Minor{"RWF", 0}, Minor{"TND", 3}, Minor{"UGX", 0}, Minor{"UYI", 0}, Minor{"UYW", 4},
    Minor{"VND", 0}, Minor{"VUV", 0}, Minor{"XAF", 0}, Minor{"XOF", 0}, Minor{"XPF", 0},
};

std::unexpected<Error> currency_malformed() {
    return fail(ErrorKind::malformed, "currency_malformed", "not a currency code of three upper-case letters");
}

std::unexpected<Error> currency_mismatch() {
    return fail(ErrorKind::malformed, "currency_mismatch", "amounts of two currencies cannot be added");
}

}  // namespace

int currency_decimals(std::string_view code) {
    const auto* const found = std::ranges::find(kNotTwo, code, &Minor::code);
    return found == kNotTwo.end() ? 2 : found->decimals;
}

bool valid_currency_code(std::string_view code) {
    return code.size() == 3 && std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; });
}

Result<Money> parse_money(std::string_view amount, std::string_view currency) {
    if (!valid_currency_code(currency)) {
        return currency_malformed();
    }
    auto value = Decimal::parse(amount);
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    return Money{*value, std::string(currency)};
}

Result<Money> money_from_units_nanos(std::int64_t units, std::int32_t nanos, std::string_view currency) {
    if (!valid_currency_code(currency)) {
        return currency_malformed();
    }
    auto value = Decimal::from_units_nanos(units, nanos);
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    return Money{*value, std::string(currency)};
}

Money rounded(const Money& money) {
    return {money.amount.rounded(currency_decimals(money.currency), Rounding::half_up), money.currency};
}

Result<Money> operator+(const Money& a, const Money& b) {
    if (a.currency != b.currency) {
        return currency_mismatch();
    }
    auto sum = a.amount + b.amount;
    if (!sum) {
        return std::unexpected(std::move(sum).error());
    }
    return Money{*sum, a.currency};
}

Result<Money> operator-(const Money& a, const Money& b) {
    return a + Money{-b.amount, b.currency};
}

Result<std::vector<Money>> split(const Money& total, const std::vector<Decimal>& weights) {
    if (weights.empty()) {
        return fail(ErrorKind::malformed, "weights_missing", "nothing to split an amount over");
    }
    if (std::ranges::any_of(weights, [](const Decimal& weight) { return weight.sign() < 0; })) {
        return fail(ErrorKind::malformed, "weight_negative", "a weight is negative");
    }
    Result<Decimal> sum{Decimal{}};
    for (const auto& weight : weights) {
        sum = sum + weight;
    }
    if (!sum) {
        return std::unexpected(std::move(sum).error());
    }
    const bool equal = sum->is_zero();
    const Decimal whole = equal ? Decimal(static_cast<std::int64_t>(weights.size())) : *sum;
    const int places = std::max(currency_decimals(total.currency), total.amount.places());
    const auto unit = Decimal::from_scaled(1, places);
    if (!unit) {
        return std::unexpected(unit.error());
    }

    struct Share {
        std::size_t index;
        Decimal amount;
        Decimal remainder;  // What rounding down took away, times the sum of weights: exact, and enough to compare.
    };
    std::vector<Share> shares;
    Result<Decimal> given{Decimal{}};
    const Decimal amount = total.amount.abs();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const Decimal weight = equal ? Decimal(1) : weights[i];
        const auto product = amount * weight;
        if (!product) {
            return std::unexpected(product.error());
        }
        const auto down = product->divided_by(whole, places, Rounding::down);
        const auto remainder = *product - down * whole;
        if (!remainder) {
            return std::unexpected(remainder.error());
        }
        given = given + *down;
        shares.push_back({i, *down, *remainder});
    }
    const auto rest = amount - given;
    if (!rest) {
        return std::unexpected(rest.error());
    }
    const auto missing = rest->divided_by(*unit, 0, Rounding::half_up);
    if (!missing) {
        return std::unexpected(missing.error());
    }
    const auto steps = missing->to_int64();
    if (!steps) {
        return std::unexpected(steps.error());
    }
    SYNCLINE_ASSERT(*steps >= 0 && static_cast<std::size_t>(*steps) <= shares.size());
    std::ranges::sort(shares, [](const Share& a, const Share& b) {
        return a.remainder != b.remainder ? a.remainder > b.remainder : a.index < b.index;
    });
    std::vector<Money> parts(weights.size());
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const auto part = i < static_cast<std::size_t>(*steps) ? shares[i].amount + *unit : Result<Decimal>(shares[i].amount);
        if (!part) {
            return std::unexpected(part.error());
        }
        parts[shares[i].index] = Money{total.amount.sign() < 0 ? -*part : *part, total.currency};
    }
    return parts;
}

}  // namespace syncline::core
