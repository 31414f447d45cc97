// What we believe Shopify shows of one pair, and what a look at it tells.
//
// A write names the value it expects to replace. That is `believed` less what orders (of `available`) or shipments (of `on_hand`)
// that we have heard of since have taken. If Shopify shows something else, we look: a fall that nothing known explains is a
// pending reservation. It stays subtracted until its order arrives or the gap check clears it, so that we never raise above
// it. An order that was placed and cancelled before either was heard of explains a fall only together with the rise that its
// cancellation made: units that rose again and were given back are no longer pending. No clocks are compared: only what was heard
// before and after a look counts. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace inventory_sync {

struct Belief {
    std::optional<std::int64_t> believed;  // Unknown before the first look.
    std::int64_t taken = 0;                // Heard of since: what may explain a fall.
    std::int64_t net = 0;                  // taken less what was given back: what we expect it to be lower by.
    std::int64_t pending = 0;              // Fallen without a known cause.
    std::optional<std::int64_t> perhaps;   // A write of ours whose outcome will never be known.
    std::int64_t risen = 0;                // Of what is pending: as much as rose in Shopify again without a known cause.
    std::int64_t returned = 0;             // Units of orders that came and went before they were heard of.
    friend bool operator==(const Belief&, const Belief&) = default;

    // The value that a write names as the one it replaces.
    [[nodiscard]] std::optional<std::int64_t> expected() const;
};

// An order or shipment was heard of (change above zero) or taken back (below zero). What had fallen before it was known is
// explained first.
[[nodiscard]] Belief heard(Belief before, std::int64_t change);

// Shopify shows `found`. `unaccounted` is what Shopify has committed beyond the orders we know; it counts at the first look only,
// when there is no earlier value to compare with. Exactly the value of a write whose outcome is unknown is no fall: it was taken.
[[nodiscard]] Belief looked(const Belief& before, std::int64_t found, std::int64_t unaccounted);

// Orders that took `units` and gave them back were heard of only afterwards. The pair is to be looked at.
[[nodiscard]] Belief came_and_went(Belief before, std::int64_t units);

// Our write of `written` was taken; `taken` and `net` are those of the moment when it was formed.
[[nodiscard]] Belief wrote(const Belief& before, std::int64_t written, std::int64_t taken, std::int64_t net);

// Whether a webhook's value is what we wrote or expect, so that there is nothing to look at.
[[nodiscard]] bool is_own(const Belief& belief, std::span<const std::int64_t> recently_written, std::int64_t available);

}  // namespace inventory_sync
