#include "src/amount.h"

#include <syncline/core/assert.h>
#include <syncline/core/decimal.h>

#include <algorithm>
#include <numeric>

namespace loadgen {
namespace {

using syncline::core::Int128;

// value / 10^places, trailing zeros dropped down to places_min digits. An order has five hundred of these: no detours.
std::string scaled_text(std::int64_t value, int places, int places_min) {
    const bool negative = value < 0;
    auto text = std::to_string(negative ? -value : value);
    if (places > 0) {
        const auto wanted = static_cast<std::size_t>(places);
        if (text.size() <= wanted) {
            text.insert(0, wanted + 1 - text.size(), '0');
        }
        text.insert(text.size() - wanted, 1, '.');
        for (int dropped = places; dropped > places_min && text.back() == '0'; --dropped) {
            text.pop_back();
        }
    }
    return negative ? "-" + text : text;
}

}  // namespace

Minor share_of(Minor value, std::int64_t numerator, std::int64_t denominator) {
    SYNCLINE_ASSERT(denominator > 0);
    const Int128 product = Int128{value} * numerator;
    const Int128 doubled = (product < 0 ? -product : product) * 2 + denominator;
    const auto rounded = static_cast<Minor>(doubled / (Int128{denominator} * 2));
    return product < 0 ? -rounded : rounded;
}

Amount share_of(Amount value, std::int64_t numerator, std::int64_t denominator) {
    return {share_of(value.shop, numerator, denominator), share_of(value.presentment, numerator, denominator)};
}

std::vector<Minor> spread(Minor total, const std::vector<Minor>& weights) {
    std::vector<Minor> parts(weights.size(), 0);
    const Minor whole = std::accumulate(weights.begin(), weights.end(), Minor{0});
    if (whole == 0) {
        if (!parts.empty()) {
            parts.front() = total;
        }
        return parts;
    }
    std::vector<std::pair<Int128, std::size_t>> remainders;
    Minor given = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const Int128 product = Int128{total} * weights[i];
        parts[i] = static_cast<Minor>(product / whole);
        given += parts[i];
        remainders.emplace_back(product % whole, i);
    }
    std::ranges::sort(remainders,
                      [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    for (std::size_t i = 0; given < total; ++i, ++given) {
        ++parts[remainders[i].second];
    }
    return parts;
}

std::vector<Amount> spread(Amount total, const std::vector<Amount>& weights) {
    std::vector<Minor> shop;
    std::vector<Minor> presentment;
    for (const auto& weight : weights) {
        shop.push_back(weight.shop);
        presentment.push_back(weight.presentment);
    }
    const auto shop_parts = spread(total.shop, shop);
    const auto presentment_parts = spread(total.presentment, presentment);
    std::vector<Amount> parts;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        parts.push_back({shop_parts[i], presentment_parts[i]});
    }
    return parts;
}

std::string amount_text(Minor value, int decimals) {
    return scaled_text(value, decimals, decimals);
}
std::string rate_text(Rate rate) {
    return scaled_text(rate, 5, 1);
}
std::string percent_text(Rate rate) {
    return scaled_text(rate, 3, 1);
}

}  // namespace loadgen
