// What a difference between two snapshots of stock means, and what is likely behind it. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/stock_rows.h"

namespace reconciliation {

// The numbers are those of the event contract, less one.
enum class DivergenceClass : std::uint8_t {
    in_flight,           // Younger than the delay of the synchronisation: expected to go by itself.
    policy,              // Explained by rounding, by a policy, or a zero that the other side does not list.
    drift,               // The two truths drifted apart.
    missing_in_shopify,  // The item exists, but is not stocked at the location.
    missing_in_source,   // The other side does not have it.
    unknown_sku,         // No item of the shop has this SKU.
    negative,            // A side states less than nothing.
    duplicate_sku,       // Several items of Shopify, or contradicting rows of the other side, share the SKU.
};
inline constexpr std::size_t kDivergenceClasses = 8;
[[nodiscard]] std::string_view to_string(DivergenceClass value);

// What Shopify shows of a source's quantity: whole, less a buffer, nothing below a limit, at least a minimum, never negative.
struct StockPolicy {
    core::Decimal buffer;
    core::Decimal hide_below;
    core::Decimal minimum;
};
// Errors only where the arithmetic leaves the range of Decimal.
[[nodiscard]] core::Result<core::Decimal> shown(const core::Decimal& quantity, const StockPolicy& policy);

struct SideValue {
    core::Decimal quantity;
    std::int64_t observed_at_ns = 0;  // 0: unknown.
    bool duplicate = false;           // Several values are there, and they contradict each other.
};

struct ClassifyRules {
    std::int64_t now_ns = 0;
    // A value younger than this may still be travelling.
    std::int64_t sync_delay_ns = 120'000'000'000;
    // How far the clocks of two systems may be apart. A value from a more distant future is not believed to be young.
    std::int64_t skew_ns = 120'000'000'000;
    // A source's value older than this is a likely cause by itself.
    std::int64_t stale_ns = 86'400'000'000'000;
    StockPolicy policy;
};

struct Verdict {
    DivergenceClass kind = DivergenceClass::drift;
    std::string_view cause;               // Stable code; empty when none is likely.
    std::optional<core::Decimal> wanted;  // What Shopify should show, where that is known.
};

// Nothing: the sides agree. At least one side is there. `shopify_knows`: some item of the shop has this SKU.
[[nodiscard]] core::Result<std::optional<Verdict>> classify(const std::optional<SideValue>& shopify,
                                                            const std::optional<SideValue>& other, bool shopify_knows,
                                                            const ClassifyRules& rules);

// One line of a report.
struct Difference {
    std::string sku;
    std::string location;
    std::optional<core::Decimal> shopify;
    std::optional<core::Decimal> other;
    DivergenceClass kind = DivergenceClass::drift;
    std::string_view cause;
    std::optional<core::Decimal> wanted;
    std::int64_t observed_at_ns = 0;  // Of the younger value; 0: unknown.
    std::int64_t item_id = 0;
};

}  // namespace reconciliation
