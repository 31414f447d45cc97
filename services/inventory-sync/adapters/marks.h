// Marks SKUs whose targets are to be computed anew, inside the transaction of what changed.
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

// `guard`: nothing of the SKU is sent until it was computed.
[[nodiscard]] core::Result<void> mark_dirty(syncline::postgres::Transaction& tx, std::vector<std::string> skus, bool guard,
                                            core::SystemTime now);
[[nodiscard]] int bucket_of(const std::string& sku);

}  // namespace inventory_sync
