// Computes anew what is to be shown of the SKUs that were marked dirty: rows in, domain/targets, rows out, in one transaction.
//
// A bucket is computed by one instance at a time (an advisory lock), its marks are read first, its pairs are locked before
// anything else is read, and only the marks that were read are taken away: what changed meanwhile has a mark of its own. Any
// thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <string>

#include "domain/rules.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

struct ComputeCount {
    std::uint64_t skus = 0;
    std::uint64_t pairs_changed = 0;
    bool busy = false;  // Another instance has the bucket.
};

class PgTargets {
public:
    PgTargets(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {}
    // `guarded_only`: leaves what only awaits a computation for later.
    [[nodiscard]] core::Result<ComputeCount> compute(int bucket, std::size_t skus_max, const Rules& rules,
                                                     bool guarded_only = false);

    // Once for each version of the mapping, by whichever instance comes first: what counts at a shop's first location moves to
    // the one that is first now, orders without a place are located again, holds are looked at again and every SKU is marked.
    // True: it was this call.
    [[nodiscard]] core::Result<bool> apply_mapping(const Rules& rules, const std::string& version);

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
};

}  // namespace inventory_sync
