// Orders, fulfillments and what Shopify tells of its inventory, into rows, set-based.
//
// Called inside the transaction of a batch (kit/batch.h). Orders are locked in one order, read, changed by domain/order_book and
// written back with what they take from stock; pairs then learn how much lower Shopify's value is to be expected. The same
// events again change nothing. `rules` may be null before the first mapping: then nothing can be placed, and a change of the
// mapping places it. Errors: those of the transaction.
#pragma once

#include <syncline/core/error.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/order_book.h"
#include "domain/rules.h"

namespace syncline::postgres {
class Transaction;
}

namespace inventory_sync {

struct ArrivedFulfillment {
    OrderKey order;
    Fulfillment fulfillment;
};

struct OrderIntake {
    std::uint64_t taken = 0;
    std::uint64_t superseded = 0;
};
[[nodiscard]] core::Result<OrderIntake> take_orders(syncline::postgres::Transaction& tx,
                                                    const std::vector<OrderSnapshot>& snapshots,
                                                    const std::vector<ArrivedFulfillment>& fulfillments, const Rules* rules,
                                                    core::SystemTime now);

// Something happened to fulfillment orders: their places are read anew. Orders that are not known yet are ignored: they will be
// located when they come.
[[nodiscard]] core::Result<void> notice_orders(syncline::postgres::Transaction& tx, const std::vector<OrderKey>& orders,
                                               core::SystemTime now);

// Where the open units of an order leave from, as just read; nullopt: Shopify does not know the order.
[[nodiscard]] core::Result<void> place_order(syncline::postgres::Transaction& tx, const OrderKey& order,
                                             const std::optional<std::vector<PlacedLine>>& places, const Rules* rules,
                                             core::SystemTime now);

// Somebody says that this order was deleted: it is read again, and ends once Shopify does not know it; a confirmed one ends now.
struct ArrivedDeletion {
    OrderKey order;
    bool confirmed = false;
};
[[nodiscard]] core::Result<void> delete_orders(syncline::postgres::Transaction& tx, const std::vector<ArrivedDeletion>& deletions,
                                               const Rules* rules, core::SystemTime now);

// Makes reservations and shipments of these orders anew under rules that have changed. Returns how many orders were known.
[[nodiscard]] core::Result<std::size_t> derive_orders(syncline::postgres::Transaction& tx, const std::vector<OrderKey>& orders,
                                                      const Rules& rules, core::SystemTime now);

struct ArrivedItem {
    std::string shop;
    std::int64_t item = 0;
    std::string sku;
    bool tracked = true;
    bool deleted = false;
    std::int64_t version_ns = 0;
};
[[nodiscard]] core::Result<void> take_items(syncline::postgres::Transaction& tx, const std::vector<ArrivedItem>& items,
                                            core::SystemTime now);

// What Shopify says can be sold, or that an item is no longer stocked (available absent).
struct ArrivedAvailable {
    std::string shop;
    std::int64_t item = 0;
    std::int64_t location = 0;
    std::int64_t available = 0;
};
struct AvailableIntake {
    std::uint64_t own = 0;      // What we wrote or expected.
    std::uint64_t foreign = 0;  // To be looked at.
};
[[nodiscard]] core::Result<AvailableIntake> take_available(syncline::postgres::Transaction& tx,
                                                           const std::vector<ArrivedAvailable>& levels);

}  // namespace inventory_sync
