// Money of the generator: whole minor units, in the shop's and in the customer's currency side by side. Exact, and quick enough
// to make a thousand orders a second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace loadgen {

using Minor = std::int64_t;

struct Amount {
    Minor shop = 0;
    Minor presentment = 0;
    friend Amount operator+(Amount a, Amount b) { return {a.shop + b.shop, a.presentment + b.presentment}; }
    friend Amount operator-(Amount a, Amount b) { return {a.shop - b.shop, a.presentment - b.presentment}; }
    friend Amount operator-(Amount a) { return {-a.shop, -a.presentment}; }
    friend Amount operator*(Amount a, std::int64_t n) { return {a.shop * n, a.presentment * n}; }
    Amount& operator+=(Amount b) { return *this = *this + b; }
    friend bool operator==(Amount, Amount) = default;
    [[nodiscard]] bool is_zero() const { return shop == 0 && presentment == 0; }
};

// A share in hundred-thousandths: 8.875 % is 8875.
using Rate = std::int64_t;
inline constexpr Rate kWhole = 100'000;

// value × numerator / denominator, halves away from zero, as Shopify rounds.
[[nodiscard]] Minor share_of(Minor value, std::int64_t numerator, std::int64_t denominator);
[[nodiscard]] Amount share_of(Amount value, std::int64_t numerator, std::int64_t denominator);

// `total` over `weights` by largest remainder: the parts add up exactly. All weights zero: everything to the first.
[[nodiscard]] std::vector<Minor> spread(Minor total, const std::vector<Minor>& weights);
[[nodiscard]] std::vector<Amount> spread(Amount total, const std::vector<Amount>& weights);

// "12.30" for 1230 and two decimals, "1230" for none.
[[nodiscard]] std::string amount_text(Minor value, int decimals);
// "0.08875" for 8875.
[[nodiscard]] std::string rate_text(Rate rate);
// "8.875", "20.0": percent with at least one decimal.
[[nodiscard]] std::string percent_text(Rate rate);

}  // namespace loadgen
