// The offset of a partition that is handled in batches (kit/batch.h), as SQL.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <cstdint>
#include <optional>

#include "src/store/closing_rows.h"

namespace syncline::kit::store {

// Where to go on; nullopt: nothing of this partition was ever handled.
[[nodiscard]] core::Result<std::optional<std::int64_t>> batch_offset(postgres::Pool& pool, const core::Deadline& deadline,
                                                                     const Identity& who, const TopicPartition& partition);

// The first statement of a batch's transaction. False: somebody else has moved on from `start`, the batch must be dropped.
[[nodiscard]] core::Result<bool> move_batch_offset(postgres::Transaction& tx, const Identity& who,
                                                   const TopicPartition& partition, std::int64_t start, std::int64_t end);

}  // namespace syncline::kit::store
