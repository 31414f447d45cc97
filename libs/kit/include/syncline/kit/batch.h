// The second shape of a handler, for volume (stock reports, ledgers): a partition's batch and one set-based transaction.
//
//   service.on_batch({
//       .topic = topics::inventory,
//       .consumer_group = "inventory-sync.main.v1",
//       .types = {"syncline.inventory.v1.StockReported"},
//       .apply = [&](std::span<const kit::BatchRecord> records, postgres::Transaction& tx) -> core::Result<kit::BatchOutcome> { …
//       },
//   });
//
// batch_events.h reads the messages as well: service.on_batch(kit::batch_of<StockReported, StockAdjusted>({…})).
//
// The kit begins the transaction with `UPDATE batch_offsets SET next_offset = $end WHERE next_offset = $start`: no row changed
// means that another owner has gone on, and the batch is dropped. Then `apply` writes its rows with few set-based statements, and
// the kit adds the dead letters of what `apply` calls bad, each with its group, topic, partition and offset, in the same
// transaction. There is no inbox and no intent: state is versioned, applying a record twice changes nothing. Consumption starts
// at the stored offset (without one: at the oldest record); Kafka's committed offset follows, for lag only.
//
// Consumer groups: handlers that name the same group share one consumer over all their topics; each topic once in a group. A
// group is a contract (renaming it reads everything again) and never that of handlers by key (Service::on).
//
// Threads: one batch of a partition at a time, partitions side by side, a replay by an operator beside them: `apply` may run on
// several threads at once, and rows that several partitions share are its own care (lock them in one order, change them
// conditionally). It holds a database connection and so calls nobody else; it may be called again with the same records.
//
// Errors of `apply`, by kind:
//   transient, unauthorized   only from the transaction: PostgreSQL is away. Partitions pause, the batch is tried until it works.
//   conflict                  a lock, a serialization failure, a time-out: tried again; after many tries in halves. No dead
//   letter. any other, an exception   the batch is halved until the bad record stands alone; that one is a dead letter.
// A record that kills the process is found by halving too, after the restart, and dead-lettered as process_died.
// What is not in `types` is passed over and counted; a record whose headers cannot be read is a dead letter.
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
    std::size_t index = 0;  // In the span given to `apply`.
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
