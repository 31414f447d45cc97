// Two sorted snapshots side by side, in constant memory: what differs goes to a sink, what agrees is counted.
//
//   const auto totals = compare_stock(shopify, other, {.rules = {.now_ns = now}}, sink);
//   if (!totals) { … }          // a snapshot was not complete, or not sorted: nothing that the sink got may be used
//
// What the sink got counts only when the whole comparison has come to its end, because a snapshot may turn out to be truncated at
// its last row. Blocks as its rows do. Errors: those of the rows; kind malformed, code "snapshot_not_sorted"; those of the sink.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "domain/divergence.h"
#include "domain/stock_rows.h"

namespace reconciliation {

// Rows of one side with the same SKU and location.
enum class SameKey : std::uint8_t {
    several_items,  // Different items are a duplicate SKU (Shopify).
    parts,          // Different item_id are parts of one quantity (warehouses that feed one location): they are added.
};

struct CompareOptions {
    ClassifyRules rules;
    SameKey other_same_key = SameKey::parts;
    // Of one pair, where policies differ; empty: rules.policy of all.
    std::function<StockPolicy(std::string_view sku, std::string_view location)> policy_of = {};
};

struct CompareTotals {
    std::uint64_t shopify_rows = 0;  // Levels; rows that only name an item are not counted.
    std::uint64_t other_rows = 0;
    std::uint64_t pairs = 0;     // SKU and location, on either side.
    std::uint64_t repeated = 0;  // Rows that say again what the row before said.
    std::array<std::uint64_t, kDivergenceClasses> by_class{};
    [[nodiscard]] std::uint64_t of(DivergenceClass kind) const { return by_class[static_cast<std::size_t>(kind)]; }
};

using DifferenceSink = std::function<core::Result<void>(const Difference&)>;

[[nodiscard]] core::Result<CompareTotals> compare_stock(StockRows& shopify, StockRows& other, const CompareOptions& options,
                                                        const DifferenceSink& sink);

// Which side was not sorted, when that is why a comparison ended: so that it can be sorted and the comparison begun anew.
inline constexpr std::string_view kShopifyNotSorted = "snapshot_not_sorted_shopify";
inline constexpr std::string_view kOtherNotSorted = "snapshot_not_sorted_other";

}  // namespace reconciliation
