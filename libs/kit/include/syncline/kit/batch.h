// The second shape of a handler, for volume (stock reports, ledgers): a partition's batch and one set-based transaction.
//
//   kit::BatchHandler handler{
//       .topic = "inventory.v1",
//       .consumer_group = "inventory-sync.main.v1",
//       .types = {"syncline.inventory.v1.StockReported"},
//       .apply = [&](std::span<const kit::BatchRecord> records, postgres::Transaction& tx) -> core::Result<kit::BatchOutcome> { …
//       },
//   };
//
// The kit begins the transaction with `UPDATE batch_offsets SET next_offset = $end WHERE next_offset = $start`: no row changed
// means that another owner has gone on, and the batch is dropped. Then `apply` writes its rows with few set-based statements, and
// the kit adds the dead letters of what `apply` calls bad, one inbox-like row for each, in the same transaction. There is no
// inbox and no intent: state is versioned, applying a record twice changes nothing. Consumption starts at the stored offset;
// Kafka's committed offset follows, for lag only.
//
// One batch of a partition at a time, partitions side by side. `apply` runs on a worker thread, holds a database connection and
// so calls nobody else; it may be called again with the same records after an error. Errors: kinds of libs/postgres are tried
// again; rejected or bug make the kit halve the batch until the bad record stands alone and is dead-lettered.
#pragma once

#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/transport.h>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::postgres {
class Transaction;
}

namespace syncline::kit {

struct BatchRecord {
    EventHeaders headers;
    std::string_view value;  // Borrowed for the call.
};

// A record that cannot be applied: it becomes a dead letter, the rest of its batch counts.
struct BadRecord {
    std::size_t index = 0;
    core::Error error;
};

struct BatchOutcome {
    std::vector<BadRecord> bad;
    // Events for the outbox, in the order in which they shall leave.
    std::vector<std::pair<OutgoingEvent, std::shared_ptr<const google::protobuf::MessageLite>>> events;
};

struct BatchHandler {
    std::string topic;  // Without prefix.
    std::string consumer_group;
    std::vector<std::string> types;  // Full Protobuf names; others are passed over and counted.
    std::size_t records_max = 5'000;
    std::function<core::Result<BatchOutcome>(std::span<const BatchRecord>, postgres::Transaction&)> apply;
};

}  // namespace syncline::kit
