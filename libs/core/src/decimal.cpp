#include "syncline/core/decimal.h"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <limits>
#include <optional>

#include "syncline/core/assert.h"

namespace syncline::core {
namespace {

__extension__ using Unsigned128 = unsigned __int128;
using Wide = boost::multiprecision::int512_t;

constexpr int kNanosPlaces = 9;
constexpr std::int32_t kNanosPerUnit = 1'000'000'000;

constexpr auto kPowers = [] {
    std::array<Int128, Decimal::kDigitsMax + 2> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

constexpr Int128 power_of_ten(int exponent) {
    return kPowers[static_cast<std::size_t>(exponent)];
}
constexpr Int128 kLimit = power_of_ten(Decimal::kDigitsMax);

std::unexpected<Error> out_of_range() {
    return fail(ErrorKind::malformed, "decimal_out_of_range", "the number has too many digits");
}
std::unexpected<Error> malformed() {
    return fail(ErrorKind::malformed, "decimal_malformed", "not a decimal number");
}

// numerator / denominator for denominator > 0, rounded to a whole number.
template <typename Number>
Number divide_rounded(const Number& numerator, const Number& denominator, Rounding rounding) {
    Number quotient = numerator / denominator;
    Number remainder = numerator % denominator;
    const bool negative = numerator < 0;
    if (negative) {
        remainder = -remainder;
    }
    // Compared as remainder against what is left, so that doubling cannot overflow.
    const Number left = denominator - remainder;
    bool away = false;
    switch (rounding) {
        case Rounding::half_up:
            away = remainder >= left;
            break;
        case Rounding::half_even:
            away = remainder > left || (remainder == left && quotient % 2 != 0);
            break;
        case Rounding::down:
            break;
    }
    if (away && remainder != 0) {
        quotient += negative ? -1 : 1;
    }
    return quotient;
}

std::string digits_of(Unsigned128 value) {
    if (value <= std::numeric_limits<std::uint64_t>::max()) {
        return std::to_string(static_cast<std::uint64_t>(value));
    }
    std::string text;
    do {
        text.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    std::ranges::reverse(text);
    return text;
}

Unsigned128 magnitude(Int128 value) {
    return value < 0 ? static_cast<Unsigned128>(-value) : static_cast<Unsigned128>(value);
}

std::string text_of(Int128 mantissa, int scale) {
    auto digits = digits_of(magnitude(mantissa));
    const auto places = static_cast<std::size_t>(scale);
    if (digits.size() <= places) {
        digits.insert(0, places + 1 - digits.size(), '0');
    }
    if (places > 0) {
        digits.insert(digits.size() - places, 1, '.');
    }
    if (mantissa < 0) {
        digits.insert(0, 1, '-');
    }
    return digits;
}

bool digit(char c) {
    return c >= '0' && c <= '9';
}

// Up to eighteen digits without an exponent: nearly every number there is, in 64 bits and a fifth of the time. Anything else,
// also what is wrong, is left to the general way.
struct Small {
    std::int64_t mantissa;
    std::int32_t scale;
};
std::optional<Small> parse_small(std::string_view text) {
    constexpr int kSmallDigitsMax = 18;
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    std::int64_t mantissa = 0;
    int digits = 0;
    int point_at = -1;
    for (const char c : text) {
        if (digit(c) && digits < kSmallDigitsMax) {
            mantissa = mantissa * 10 + (c - '0');
            ++digits;
        } else if (c == '.' && digits > 0 && point_at < 0) {
            point_at = digits;
        } else {
            return std::nullopt;
        }
    }
    if (digits == 0 || point_at == digits) {
        return std::nullopt;
    }
    int scale = point_at < 0 ? 0 : digits - point_at;
    for (; scale > 0 && mantissa % 10 == 0; --scale) {
        mantissa /= 10;
    }
    return Small{negative ? -mantissa : mantissa, scale};
}

constexpr auto kSmallPowers = [] {
    std::array<std::int64_t, kNanosPlaces + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

}  // namespace

Result<Decimal> Decimal::make(Int128 mantissa, int scale) {
    while (scale > 0 && mantissa % 10 == 0) {
        if (mantissa == 0) {
            scale = 0;
            break;
        }
        mantissa /= 10;
        --scale;
    }
    if (scale > kPlacesMax || mantissa >= kLimit || mantissa <= -kLimit) {
        return out_of_range();
    }
    Decimal value;
    value.mantissa_ = mantissa;
    value.scale_ = scale;
    return value;
}

Result<Decimal> Decimal::parse(std::string_view text) {
    if (const auto small = parse_small(text)) {
        Decimal value;
        value.mantissa_ = small->mantissa;
        value.scale_ = small->scale;
        return value;
    }
    std::size_t at = 0;
    const auto more = [&] {
        return at < text.size();
    };
    const bool negative = more() && text[at] == '-';
    if (negative) {
        ++at;
    }
    Int128 mantissa = 0;
    int scale = 0;           // Digits of `mantissa` after the point.
    long dropped_zeros = 0;  // Zeros that were read and not yet taken into the mantissa.
    bool overflow = false;
    bool after_point = false;
    std::size_t digits = 0;
    while (more() && (digit(text[at]) || (text[at] == '.' && !after_point && digits > 0))) {
        const char c = text[at++];
        if (c == '.') {
            after_point = true;
            if (!more() || !digit(text[at])) {
                return malformed();
            }
            continue;
        }
        ++digits;
        // Zeros are taken only when a digit follows: "1.000…0" with a thousand zeros is a small number.
        if (c == '0') {
            ++dropped_zeros;
            scale += after_point ? 1 : 0;
            continue;
        }
        scale += after_point ? 1 : 0;
        if (mantissa == 0) {
            dropped_zeros = 0;
        }
        if (overflow || dropped_zeros > kDigitsMax) {
            overflow = true;
            continue;
        }
        for (; dropped_zeros >= 0 && !overflow; --dropped_zeros) {
            overflow = mantissa >= kLimit / 10;
            mantissa = overflow ? mantissa : mantissa * 10;
        }
        dropped_zeros = 0;
        mantissa += c - '0';
    }
    if (digits == 0) {
        return malformed();
    }
    long exponent = 0;
    if (more() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const bool down = more() && text[at] == '-';
        if (more() && (text[at] == '-' || text[at] == '+')) {
            ++at;
        }
        if (!more()) {
            return malformed();
        }
        // Beyond this the answer is the same: out of range, or zero for a zero mantissa.
        constexpr long kExponentMax = 1'000'000'000;
        for (; more() && digit(text[at]); ++at) {
            exponent = std::min(exponent * 10 + (text[at] - '0'), kExponentMax);
        }
        exponent = down ? -exponent : exponent;
        if (!digit(text[at - 1])) {
            return malformed();
        }
    }
    if (more()) {
        return malformed();
    }
    if (mantissa == 0) {
        return Decimal{};
    }
    if (overflow) {
        return out_of_range();
    }
    // value = mantissa × 10^shift
    const long shift = exponent + dropped_zeros - scale;
    const Int128 signed_mantissa = negative ? -mantissa : mantissa;
    if (shift >= 0) {
        if (shift >= kDigitsMax || mantissa >= power_of_ten(kDigitsMax - static_cast<int>(shift))) {
            return out_of_range();
        }
        return make(signed_mantissa * power_of_ten(static_cast<int>(shift)), 0);
    }
    if (shift < -2L * kPlacesMax) {
        return out_of_range();
    }
    return make(signed_mantissa, static_cast<int>(-shift));
}

Result<Decimal> Decimal::from_units_nanos(std::int64_t units, std::int32_t nanos) {
    if (nanos <= -kNanosPerUnit || nanos >= kNanosPerUnit || (units > 0 && nanos < 0) || (units < 0 && nanos > 0)) {
        return malformed();
    }
    return make(Int128{units} * kNanosPerUnit + nanos, kNanosPlaces);
}

Result<Decimal> Decimal::from_scaled(std::int64_t mantissa, int places) {
    if (places < 0 || places > kPlacesMax) {
        return out_of_range();
    }
    return make(mantissa, places);
}

Decimal Decimal::rounded(int places, Rounding rounding) const {
    SYNCLINE_ASSERT(places >= 0 && places <= kPlacesMax);
    if (scale_ <= places) {
        return *this;
    }
    const Int128 unit = power_of_ten(scale_ - places);
    auto value = make(divide_rounded<Int128>(mantissa_, unit, rounding), places);
    SYNCLINE_ASSERT(value.has_value());  // Fewer digits than before, or one more than 10^35.
    return *value;
}

Result<Decimal> Decimal::divided_by(const Decimal& divisor, int places, Rounding rounding) const {
    if (divisor.is_zero()) {
        return fail(ErrorKind::malformed, "division_by_zero", "division by zero");
    }
    if (places < 0 || places > kPlacesMax) {
        return out_of_range();
    }
    // this / divisor × 10^places, with all powers of ten on one side each.
    Wide numerator = mantissa_;
    Wide denominator = divisor.mantissa_;
    const int shift = divisor.scale_ - scale_ + places;
    (shift >= 0 ? numerator : denominator) *= boost::multiprecision::pow(Wide{10}, static_cast<unsigned>(std::abs(shift)));
    if (denominator < 0) {
        numerator = -numerator;
        denominator = -denominator;
    }
    Wide quotient = divide_rounded<Wide>(numerator, denominator, rounding);
    int scale = places;
    for (; scale > 0 && quotient % 10 == 0 && quotient != 0; --scale) {
        quotient /= 10;
    }
    if (quotient >= Wide{kLimit} || quotient <= -Wide{kLimit}) {
        return out_of_range();
    }
    return make(static_cast<Int128>(quotient), scale);
}

std::string Decimal::to_string() const {
    return text_of(mantissa_, scale_);
}

std::string Decimal::to_fixed(int places) const {
    const Decimal value = rounded(places, Rounding::half_up);
    std::string text = value.to_string();
    if (places > value.scale_) {
        if (value.scale_ == 0) {
            text.push_back('.');
        }
        text.append(static_cast<std::size_t>(places - value.scale_), '0');
    }
    return text;
}

Result<std::int64_t> Decimal::to_int64() const {
    if (scale_ != 0) {
        return fail(ErrorKind::malformed, "integer_malformed", "not a whole number");
    }
    if (mantissa_ > std::numeric_limits<std::int64_t>::max() || mantissa_ < std::numeric_limits<std::int64_t>::min()) {
        return fail(ErrorKind::malformed, "integer_out_of_range", "the number does not fit");
    }
    return static_cast<std::int64_t>(mantissa_);
}

Result<Decimal::UnitsNanos> Decimal::to_units_nanos() const {
    if (scale_ <= kNanosPlaces && mantissa_ <= std::numeric_limits<std::int64_t>::max() &&
        mantissa_ >= std::numeric_limits<std::int64_t>::min()) {
        const auto mantissa = static_cast<std::int64_t>(mantissa_);
        const auto unit = kSmallPowers[static_cast<std::size_t>(scale_)];
        const auto rest = kSmallPowers[static_cast<std::size_t>(kNanosPlaces - scale_)];
        return UnitsNanos{mantissa / unit, static_cast<std::int32_t>(mantissa % unit * rest)};
    }
    const Decimal value = rounded(kNanosPlaces, Rounding::half_up);
    const Int128 scale = power_of_ten(value.scale_);
    const Int128 units = value.mantissa_ / scale;
    if (units > std::numeric_limits<std::int64_t>::max() || units < std::numeric_limits<std::int64_t>::min()) {
        return out_of_range();
    }
    const Int128 nanos = value.mantissa_ % scale * power_of_ten(kNanosPlaces - value.scale_);
    return UnitsNanos{static_cast<std::int64_t>(units), static_cast<std::int32_t>(nanos)};
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    if (a.scale_ == b.scale_) {
        return a.mantissa_ <=> b.mantissa_;
    }
    // Whole parts first, then the fractions at one scale: nothing can overflow.
    const Int128 unit_a = power_of_ten(a.scale_);
    const Int128 unit_b = power_of_ten(b.scale_);
    if (const auto whole = a.mantissa_ / unit_a <=> b.mantissa_ / unit_b; whole != 0) {
        return whole;
    }
    return a.mantissa_ % unit_a * power_of_ten(Decimal::kPlacesMax - a.scale_) <=>
           b.mantissa_ % unit_b * power_of_ten(Decimal::kPlacesMax - b.scale_);
}

Result<Decimal> operator+(const Decimal& a, const Decimal& b) {
    const int scale = std::max(a.scale_, b.scale_);
    Int128 left = 0;
    Int128 right = 0;
    Int128 sum = 0;
    if (__builtin_mul_overflow(a.mantissa_, power_of_ten(scale - a.scale_), &left) ||
        __builtin_mul_overflow(b.mantissa_, power_of_ten(scale - b.scale_), &right) ||
        __builtin_add_overflow(left, right, &sum)) {
        return out_of_range();
    }
    return Decimal::make(sum, scale);
}

Result<Decimal> operator-(const Decimal& a, const Decimal& b) {
    return a + (-b);
}

Result<Decimal> operator*(const Decimal& a, const Decimal& b) {
    Int128 product = 0;
    if (__builtin_mul_overflow(a.mantissa_, b.mantissa_, &product)) {
        return out_of_range();
    }
    return Decimal::make(product, a.scale_ + b.scale_);
}

std::size_t Decimal::hash() const {
    const auto bits = static_cast<Unsigned128>(mantissa_);
    const auto mixed = static_cast<std::uint64_t>(bits) ^ (static_cast<std::uint64_t>(bits >> 64U) * 0x9E3779B97F4A7C15ULL) ^
                       (static_cast<std::uint64_t>(scale_) << 57U);
    return std::hash<std::uint64_t>{}(mixed);
}

namespace {

template <typename Operation>
Result<Decimal> chain(const Result<Decimal>& a, const Result<Decimal>& b, Operation operation) {
    if (!a) {
        return a;
    }
    if (!b) {
        return b;
    }
    return operation(*a, *b);
}

}  // namespace

Result<Decimal> operator+(const Result<Decimal>& a, const Result<Decimal>& b) {
    return chain(a, b, [](const Decimal& x, const Decimal& y) { return x + y; });
}
Result<Decimal> operator-(const Result<Decimal>& a, const Result<Decimal>& b) {
    return chain(a, b, [](const Decimal& x, const Decimal& y) { return x - y; });
}
Result<Decimal> operator*(const Result<Decimal>& a, const Result<Decimal>& b) {
    return chain(a, b, [](const Decimal& x, const Decimal& y) { return x * y; });
}

}  // namespace syncline::core
