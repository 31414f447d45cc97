// Stock in Shopify: read levels, write them by compare-and-set.
//
//   const std::vector<QuantityChange> changes{{.item = item, .location = location, .quantity = 12, .change_from = 5}};
//   auto batch = form_set_quantities(QuantityName::on_hand, changes, "gid://syncline/Stock/eu");
//   …store batch->serialise()…
//   auto outcome = set_quantities(admin, *batch, Priority::stock_and_orders, deadline);
//   if (!outcome) → fate_of(outcome.error());       else if (!outcome->applied) → outcome->pairs, outcome->form_anew
//
// Functions of any thread; each blocks its caller, at most to the deadline. Quantities are whole numbers, as Shopify's.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/shopify/admin.h>
#include <syncline/shopify/batch.h>
#include <syncline/shopify/gid.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::shopify {

inline constexpr std::size_t kQuantitiesMax = 250;  // In one call.

enum class QuantityName : std::uint8_t { available, on_hand };

struct QuantityChange {
    InventoryItemId item;
    LocationId location;
    std::int64_t quantity = 0;
    // What Shopify must hold now, else the pair is stale; nullopt writes without looking.
    std::optional<std::int64_t> change_from;
    friend bool operator==(const QuantityChange&, const QuantityChange&) = default;
};

// Errors are all of kind bug: "batch_empty", "batch_too_large", "duplicate_pair", "quantity_out_of_range" (±1,000,000,000).
[[nodiscard]] core::Result<IdempotentBatch> form_set_quantities(QuantityName name, std::span<const QuantityChange> changes,
                                                                std::string_view reference_uri);

enum class PairProblemKind : std::uint8_t {
    stale,         // Shopify holds another quantity than change_from.
    unknown,       // Item or location does not exist, or the item is not stocked there.
    not_writable,  // A bundle's parent, say.
    bad_quantity,  // Negative or out of range.
    other,
};
struct PairProblem {
    std::size_t index = 0;  // Into the changes of the batch.
    PairProblemKind kind = PairProblemKind::other;
    std::string code;  // Shopify's, lower case.
};
// A batch is all or nothing. Not applied: either form_anew, or `pairs` tells which are bad; with neither, some pair is bad and
// Shopify does not say which: split the batch.
struct SetOutcome {
    bool applied = false;
    bool form_anew = false;  // This key is spent: the same changes need a new batch.
    std::vector<PairProblem> pairs;
};
// Errors: see fate_of() in batch.h.
[[nodiscard]] core::Result<SetOutcome> set_quantities(Admin& admin, const IdempotentBatch& batch, Priority priority,
                                                      const core::Deadline& deadline);

// Begins to stock an item at a location, with that much available. Already stocked is success and changes nothing.
[[nodiscard]] IdempotentBatch form_activate(InventoryItemId item, LocationId location, std::int64_t available);
[[nodiscard]] core::Result<void> activate(Admin& admin, const IdempotentBatch& batch, Priority priority,
                                          const core::Deadline& deadline);

struct Pair {
    InventoryItemId item;
    LocationId location;
    friend bool operator==(const Pair&, const Pair&) = default;
    friend auto operator<=>(const Pair&, const Pair&) = default;
};
struct Level {
    Pair pair;
    bool item_exists = false;
    bool stocked = false;  // Else the quantities are 0, as those that were not asked for.
    std::int64_t available = 0;
    std::int64_t on_hand = 0;
    std::int64_t committed = 0;
};
struct Levels {
    std::vector<Level> levels;       // In the order of the pairs asked for.
    core::SystemTime observed_at{};  // When the first of the calls left.
};
// What is asked about each pair: a pair costs two points and one for each quantity.
enum class Asked : std::uint8_t { on_hand, available, available_and_committed };
// One call for each 160 pairs of a location, 120 of two quantities.
[[nodiscard]] core::Result<Levels> read_levels(Admin& admin, std::span<const Pair> pairs, Asked asked, Priority priority,
                                               const core::Deadline& deadline);
// All quantities of one item at all its locations; nullopt when the item does not exist.
[[nodiscard]] core::Result<std::optional<Levels>> item_levels(Admin& admin, InventoryItemId item, Priority priority,
                                                              const core::Deadline& deadline);

struct Item {
    InventoryItemId id;
    std::string sku;
    bool tracked = false;
    std::int64_t same_sku = 0;  // Other items with this SKU, as Shopify counts them.
};
// Items whose SKU is exactly one of these; SKUs repeat, so one may come several times, and one that does not exist not at all.
[[nodiscard]] core::Result<std::vector<Item>> items_by_sku(Admin& admin, std::span<const std::string> skus, Priority priority,
                                                           const core::Deadline& deadline);

struct Location {
    LocationId id;
    std::string name;
    bool active = false;
    bool fulfills_online_orders = false;
    bool ships = false;
    bool fulfillment_service = false;
};
[[nodiscard]] core::Result<std::vector<Location>> locations(Admin& admin, Priority priority, const core::Deadline& deadline);

}  // namespace syncline::shopify
