// The offset and the mark of a partition that is handled in batches (kit/batch.h), as SQL.
//
// The mark is the row of partition_markers: records from the stored offset up to it may have been handed out when a process died.
// Unlike that of handlers by key it is exact: a smaller piece that is tried after a death lowers it.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/partition_rows.h"

namespace syncline::kit::store {

// Where to go on, for each partition in order; nullopt: nothing of it was ever handled.
[[nodiscard]] core::Result<std::vector<std::optional<std::int64_t>>> batch_offsets(postgres::Pool& pool,
                                                                                   const core::Deadline& deadline,
                                                                                   const Identity& who,
                                                                                   std::span<const TopicPartition> partitions);

struct BatchMove {
    TopicPartition partition;
    std::optional<std::int64_t> from;  // nullopt: there is no row yet.
    std::int64_t to = 0;
    std::int64_t epoch = 0;
    std::int64_t mark = 0;  // Records below it may be handed out next.
};
// The first statement of a batch's transaction. False: somebody else has moved on, the batch must be dropped. Fills `id`.
[[nodiscard]] core::Result<bool> move_batch_offset(postgres::Transaction& tx, const Identity& who, const BatchMove& move,
                                                   TransactionId& id);

// Before records are handed out that no transaction has announced.
[[nodiscard]] core::Result<void> set_batch_mark(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                const Mark& mark);

// The record was begun alone and has been settled in this transaction.
[[nodiscard]] core::Result<void> forget_poison_try(postgres::Transaction& tx, const Identity& who, const Position& position);

struct BatchPosition {
    TopicPartition partition;
    std::int64_t next = 0;
};
// All partitions of the group, for the admin port.
[[nodiscard]] core::Result<std::vector<BatchPosition>> list_batch_offsets(postgres::Pool& pool, const core::Deadline& deadline,
                                                                          const Identity& who);

}  // namespace syncline::kit::store
