#include "adapters/marks.h"

#include <syncline/postgres/pool.h>
#include <algorithm>
#include <cstdint>

namespace inventory_sync {
namespace {

// The update takes the row's lock even where nothing changes but seq: a computation that has read before us sees the new seq and
// leaves the mark. Rows come sorted, so that two transactions never wait for each other.
constexpr std::string_view kMark = R"sql(
INSERT INTO dirty AS d (sku, bucket, seq, since, guard)
SELECT sku, bucket, nextval('dirty_seq'), $3::timestamptz, $4::boolean
FROM unnest($1::text[], $2::bigint[]) AS marked (sku, bucket)
ON CONFLICT (sku) DO UPDATE SET seq = excluded.seq, guard = d.guard OR excluded.guard)sql";

}  // namespace

int bucket_of(const std::string& sku) {
    // FNV-1a: the same in every instance and version, unlike std::hash.
    std::uint32_t hash = 2'166'136'261U;
    for (const char c : sku) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
    }
    return static_cast<int>(hash % kBuckets);
}

core::Result<void> mark_dirty(syncline::postgres::Transaction& tx, std::vector<std::string> skus, bool guard,
                              core::SystemTime now) {
    std::ranges::sort(skus);
    const auto repeated = std::ranges::unique(skus);
    skus.erase(repeated.begin(), repeated.end());
    if (skus.empty()) {
        return {};
    }
    std::vector<std::int64_t> buckets;
    buckets.reserve(skus.size());
    for (const auto& sku : skus) {
        buckets.push_back(bucket_of(sku));
    }
    const auto done = tx.exec(kMark, syncline::postgres::Params{}.add_array(skus).add_array(buckets).add(now).add(guard));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

}  // namespace inventory_sync
