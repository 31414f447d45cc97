// What came of each order: a compact ledger in PostgreSQL, fed by the batches of orders.v1 and asked by the gap check.
//
//   service.migration("0001_received_orders", kReceivedOrdersSchema);
//   service.on_batch({.topic = topics::orders, .consumer_group = …, .types = ReceivedOrders::types(),
//                     .apply = [&](auto records, auto& tx) { return orders.apply(records, tx); }});
//
// One row an order, whatever came of it; events in any order and again end in the same row (domain/order_gaps.h). Any thread;
// each call blocks for one or two statements. Errors: those of libs/postgres; records that cannot be read are the batch's bad
// ones.
#pragma once

#include <syncline/kit/batch.h>
#include <syncline/postgres/pool.h>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/order_gaps.h"

namespace reconciliation {

namespace kit = syncline::kit;
namespace postgres = syncline::postgres;

extern const std::string_view kReceivedOrdersSchema;

// A refund ("refund") or a movement of its money ("transaction", with the state it was told in).
struct ReceivedFact {
    std::string kind;
    std::int64_t id = 0;
    std::string state;
    friend auto operator<=>(const ReceivedFact&, const ReceivedFact&) = default;
};

class ReceivedOrders {
public:
    // Full names of the events of orders.v1 that tell something of an order's state, and of its money's facts.
    [[nodiscard]] static std::vector<std::string> types();

    // In the batch's transaction: locks the rows in one order, folds the events into them, writes them back.
    [[nodiscard]] core::Result<kit::BatchOutcome> apply(std::span<const kit::BatchRecord> records,
                                                        postgres::Transaction& tx) const;

    // Those of `ids` that are known.
    [[nodiscard]] core::Result<std::map<std::int64_t, ReceivedOrder>> find(postgres::Pool& pool, const std::string& shop,
                                                                           std::span<const std::int64_t> ids,
                                                                           const core::Deadline& deadline) const;
    // Facts that came of an order.
    [[nodiscard]] core::Result<std::vector<ReceivedFact>> facts(postgres::Transaction& tx, const std::string& shop,
                                                                std::int64_t order_id) const;
    // Orders that wait for something since before `before`, the longest waiting first.
    [[nodiscard]] core::Result<std::vector<std::pair<std::int64_t, ReceivedOrder>>> waiting(postgres::Pool& pool,
                                                                                            const std::string& shop,
                                                                                            core::SystemTime before, int limit,
                                                                                            const core::Deadline& deadline) const;
    // Forgets up to `limit` rows that wait for nothing and whose order last changed before `before`; gives how many. A scan never
    // asks for orders that old.
    [[nodiscard]] core::Result<std::int64_t> forget(postgres::Pool& pool, core::SystemTime before, int limit,
                                                    const core::Deadline& deadline) const;
};

}  // namespace reconciliation
