// The outbox as SQL: written by closing transactions, emptied by one relay for each bucket.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <span>
#include <string>
#include <vector>

#include "src/store/rows.h"

namespace syncline::kit::store {

inline constexpr int kOutboxBuckets = 16;

// Gives each row the next version of its aggregate under the lock of that aggregate's row.
[[nodiscard]] core::Result<void> insert_outbox(postgres::Transaction& tx, core::SystemTime now,
                                               std::span<const OutboxRow* const> rows);

// Takes or renews the lease of every bucket nobody else holds. Returns the buckets that are ours now.
[[nodiscard]] core::Result<std::vector<int>> lease_buckets(postgres::Pool& pool, const core::Deadline& deadline,
                                                           const std::string& owner, core::SystemTime now,
                                                           core::SystemTime until);
[[nodiscard]] core::Result<void> give_back_buckets(postgres::Pool& pool, const core::Deadline& deadline,
                                                   const std::string& owner);

// The oldest rows of these buckets, at most `limit` of them and about `bytes_max`, without those of aggregates in `besides`
// ("type/id").
[[nodiscard]] core::Result<std::vector<OutboxRow>> read_outbox(postgres::Pool& pool, const core::Deadline& deadline,
                                                               std::span<const int> buckets, std::span<const std::string> besides,
                                                               int limit, std::int64_t bytes_max);
[[nodiscard]] core::Result<void> delete_outbox(postgres::Pool& pool, const core::Deadline& deadline,
                                               std::span<const std::string> ids);

struct OutboxFigures {
    std::int64_t unsent = 0;
    std::optional<core::SystemTime> oldest;
};
[[nodiscard]] core::Result<OutboxFigures> outbox_figures(postgres::Pool& pool, const core::Deadline& deadline);

}  // namespace syncline::kit::store
