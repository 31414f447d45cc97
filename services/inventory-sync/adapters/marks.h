// Marks SKUs whose targets are to be computed anew, inside the transaction of what changed.
//
// Marks are only ever added and, once computed, deleted by their id: transactions that mark the same SKU never wait for each
// other. One row holds up to kSkusPerMark SKUs of a bucket, so a batch of thousands of reports costs a handful of rows.
// Whoever reads a mark sees what the transaction that made it wrote, if it reads that after the mark.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <string>
#include <vector>

namespace syncline::postgres {
class Transaction;
}

namespace inventory_sync {

namespace core = syncline::core;

constexpr int kBuckets = 16;  // Computed side by side, each by one instance at a time.
constexpr int kSkusPerMark = 500;

// `guard`: nothing of the SKU is sent until it was computed. Reports need none: a level that falls counts in its position
// (positions.lowered), and a pair is not sent while that count is ahead of the one its target was computed from.
[[nodiscard]] core::Result<void> mark_dirty(syncline::postgres::Transaction& tx, std::vector<std::string> skus, bool guard,
                                            core::SystemTime now);
[[nodiscard]] int bucket_of(const std::string& sku);

}  // namespace inventory_sync
