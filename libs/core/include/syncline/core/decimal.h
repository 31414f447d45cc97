// An exact decimal number: amounts, quantities, rates. Never a double, from any source.
//
//   const auto net = Decimal::parse("19.99").value() * Decimal(3) - discount;   // Result<Decimal>
//   if (net) { … net->rounded(2, Rounding::half_up) … }
//
// A value has at most 36 significant digits, at most 30 of them after the point; arithmetic that would leave this range gives
// an Error (kind malformed, code "decimal_out_of_range") instead of a wrong number. + - * take and give Results, so that a chain
// needs one check at its end. Values are kept canonical: equal numbers compare, hash and print alike ("1.50" is "1.5", no "-0").
// Trivially copyable, 32 bytes; any thread.
#pragma once

#include <syncline/core/error.h>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace syncline::core {

__extension__ using Int128 = __int128;

enum class Rounding : std::uint8_t {
    half_up,    // Halves go away from zero: 0.125 → 0.13, -0.125 → -0.13. Shopify's and most tax authorities' rule.
    half_even,  // Halves go to the even neighbour.
    down,       // Towards zero.
};

class Decimal {
public:
    static constexpr int kDigitsMax = 36;
    static constexpr int kPlacesMax = 30;

    // Zero.
    constexpr Decimal() = default;
    template <std::integral Int>
        requires(sizeof(Int) <= sizeof(std::int64_t) && !std::same_as<Int, bool>)
    explicit constexpr Decimal(Int value) : mantissa_(value) {}

    // "-12.340", "7", "1.5e3": optional minus, ASCII digits with at most one point between digits, optional exponent.
    // No plus sign before the number, no spaces, no separators, no bare point ("1.", ".5"). Errors: kind malformed, code
    // "decimal_malformed" or "decimal_out_of_range"; the text itself is never in the message.
    [[nodiscard]] static Result<Decimal> parse(std::string_view text);

    // units + nanos / 10^9, as on the wire; nanos outside ±999,999,999 or of the other sign is "decimal_malformed".
    [[nodiscard]] static Result<Decimal> from_units_nanos(std::int64_t units, std::int32_t nanos);

    // mantissa / 10^places.
    [[nodiscard]] static Result<Decimal> from_scaled(std::int64_t mantissa, int places);

    [[nodiscard]] constexpr bool is_zero() const { return mantissa_ == 0; }
    // -1, 0 or 1.
    [[nodiscard]] constexpr int sign() const { return mantissa_ == 0 ? 0 : (mantissa_ < 0 ? -1 : 1); }
    // Digits after the point of the canonical form.
    [[nodiscard]] constexpr int places() const { return static_cast<int>(scale_); }
    [[nodiscard]] constexpr Decimal abs() const { return sign() < 0 ? -*this : *this; }

    // Rounded to at most `places` (0 … 30) digits after the point. Rounding never overflows.
    [[nodiscard]] Decimal rounded(int places, Rounding rounding) const;
    // this / divisor, rounded to `places`. A zero divisor is kind malformed, code "division_by_zero".
    [[nodiscard]] Result<Decimal> divided_by(const Decimal& divisor, int places, Rounding rounding) const;

    // Canonical: no exponent, no trailing zeros, no "-0".
    [[nodiscard]] std::string to_string() const;
    // With exactly `places` digits after the point; rounds half up if there are more.
    [[nodiscard]] std::string to_fixed(int places) const;

    // The whole number, if it is one and fits.
    [[nodiscard]] Result<std::int64_t> to_int64() const;
    // units and nanos of the wire; more than nine places are rounded half up; out of range of int64 is an Error.
    struct UnitsNanos {
        std::int64_t units = 0;
        std::int32_t nanos = 0;
        friend bool operator==(const UnitsNanos&, const UnitsNanos&) = default;
    };
    [[nodiscard]] Result<UnitsNanos> to_units_nanos() const;

    constexpr Decimal operator-() const {
        Decimal negated = *this;
        negated.mantissa_ = -negated.mantissa_;
        return negated;
    }
    friend constexpr bool operator==(const Decimal&, const Decimal&) = default;
    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

    friend Result<Decimal> operator+(const Decimal& a, const Decimal& b);
    friend Result<Decimal> operator-(const Decimal& a, const Decimal& b);
    friend Result<Decimal> operator*(const Decimal& a, const Decimal& b);

    [[nodiscard]] std::size_t hash() const;

private:
    Int128 mantissa_ = 0;  // |mantissa_| < 10^36, no trailing zero while scale_ > 0.
    std::int32_t scale_ = 0;

    static Result<Decimal> make(Int128 mantissa, int scale);
};

// Chains: the first Error goes through.
[[nodiscard]] Result<Decimal> operator+(const Result<Decimal>& a, const Result<Decimal>& b);
[[nodiscard]] Result<Decimal> operator-(const Result<Decimal>& a, const Result<Decimal>& b);
[[nodiscard]] Result<Decimal> operator*(const Result<Decimal>& a, const Result<Decimal>& b);

}  // namespace syncline::core

template <>
struct std::hash<syncline::core::Decimal> {
    std::size_t operator()(const syncline::core::Decimal& value) const { return value.hash(); }
};
