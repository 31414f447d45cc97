#include "adapters/marks.h"

#include <syncline/postgres/pool.h>
#include <algorithm>
#include <array>
#include <cstdint>

namespace inventory_sync {
namespace {

constexpr std::string_view kMark = R"sql(
INSERT INTO dirty (bucket, since, guard, size, skus)
SELECT bucket, $4::timestamptz, $5::boolean, count(*), array_agg(sku)
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS marked (sku, bucket, part) GROUP BY bucket, part)sql";
constexpr std::string_view kGuard = R"sql(
WITH marks AS (INSERT INTO dirty (bucket, since, guard, size, skus)
    SELECT bucket, $4::timestamptz, $5::boolean, count(*), array_agg(sku)
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS marked (sku, bucket, part) GROUP BY bucket, part RETURNING id, skus)
INSERT INTO guards (sku, mark) SELECT unnest(skus), id FROM marks)sql";

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
    std::vector<std::int64_t> parts;
    buckets.reserve(skus.size());
    parts.reserve(skus.size());
    std::array<std::int64_t, kBuckets> held{};
    for (const auto& sku : skus) {
        const auto bucket = bucket_of(sku);
        buckets.push_back(bucket);
        parts.push_back(held.at(static_cast<std::size_t>(bucket))++ / kSkusPerMark);
    }
    const auto done =
        tx.exec(guard ? kGuard : kMark,
                syncline::postgres::Params{}.add_array(skus).add_array(buckets).add_array(parts).add(now).add(guard));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

}  // namespace inventory_sync
