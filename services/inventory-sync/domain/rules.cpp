#include "domain/rules.h"

#include <algorithm>

namespace inventory_sync {
namespace {

constexpr std::int64_t kPiecesMax = 1'000'000'000;  // Shopify takes no more, nor less than its negative.

void widen(Policy& policy, const Policy& wider) {
    policy.buffer = policy.buffer ? policy.buffer : wider.buffer;
    policy.minimum = policy.minimum ? policy.minimum : wider.minimum;
    policy.hide_below = policy.hide_below ? policy.hide_below : wider.hide_below;
}

}  // namespace

const LocationRule* ShopRules::find(std::int64_t location) const {
    const auto found = std::ranges::find(locations, location, &LocationRule::location);
    return found == locations.end() ? nullptr : &*found;
}

ShownBy ShopRules::shown_by(const std::string& sku, std::int64_t location) const {
    Policy policy;
    if (const auto found = by_sku_and_location.find({sku, location}); found != by_sku_and_location.end()) {
        widen(policy, found->second);
    }
    if (const auto found = by_sku.find(sku); found != by_sku.end()) {
        widen(policy, found->second);
    }
    if (const auto found = by_location.find(location); found != by_location.end()) {
        widen(policy, found->second);
    }
    widen(policy, all);
    return {
        .buffer = policy.buffer.value_or(0), .minimum = policy.minimum.value_or(0), .hide_below = policy.hide_below.value_or(0)};
}

bool Rules::is_mapped(const Place& place) const {
    return std::ranges::any_of(shops, [&](const auto& shop) {
        return std::ranges::any_of(shop.second.locations,
                                   [&](const auto& rule) { return std::ranges::find(rule.from, place) != rule.from.end(); });
    });
}

const ShopRules* Rules::shop(std::string_view alias) const {
    const auto found = shops.find(alias);
    return found == shops.end() ? nullptr : &found->second;
}

const SourceRule* Rules::source(std::string_view alias) const {
    const auto found = sources.find(alias);
    return found == sources.end() ? nullptr : &found->second;
}

core::Result<std::int64_t> pieces_of(const Decimal& quantity, const std::string& unit, const std::string& source,
                                     const SourceRule& rule) {
    core::Result<Decimal> pieces = quantity;
    if (const auto factor = rule.units.find(unit); factor != rule.units.end()) {
        pieces = quantity * factor->second;
    } else if (!unit.empty() && unit != "piece") {
        auto missing = core::fail(core::ErrorKind::mapping_missing, "unit_unknown",
                                  "the source counts in a unit that the mapping does not know",
                                  "say how many pieces it has: sources." + source + ".units");
        missing.error().waits_for = "unit:" + source + "/" + unit;
        return missing;
    }
    if (!pieces) {
        return std::unexpected(pieces.error());
    }
    auto whole = pieces->rounded(0, core::Rounding::down);
    if (whole > *pieces) {
        // Rounded towards zero: what is less than none stays less than none.
        whole = (whole - Decimal(1)).value_or(whole);
    }
    const auto bounded = std::clamp(whole, Decimal(-kPiecesMax), Decimal(kPiecesMax));
    return bounded.to_int64();
}

std::int64_t shown(std::int64_t sellable, const ShownBy& policy) {
    auto left = sellable - policy.buffer;
    if (left < policy.hide_below) {
        left = 0;
    }
    return std::max({left, policy.minimum, std::int64_t{0}});
}

std::string_view policy_at_work(std::int64_t sellable, const ShownBy& policy) {
    const auto value = shown(sellable, policy);
    if (value == sellable) {
        return "";
    }
    if (value > sellable) {
        return policy.minimum > 0 && value == policy.minimum ? "minimum" : "never_negative";
    }
    return value == 0 && sellable - policy.buffer > 0 ? "hidden" : "buffer";
}

}  // namespace inventory_sync
