#include "adapters/orders/lookup_rows.h"

#include <syncline/core/time.h>
#include <algorithm>
#include <optional>

namespace reconciliation {

using syncline::postgres::Params;
using syncline::postgres::Transaction;

core::Result<std::vector<std::int64_t>> insert_lookups(Transaction& tx, const std::string& shop, std::vector<Lookup> found,
                                                       core::SystemTime now) {
    if (found.empty()) {
        return std::vector<std::int64_t>{};
    }
    // In one order, so that two instances never wait for each other.
    std::ranges::stable_sort(found, {}, &Lookup::order_id);
    std::vector<std::int64_t> ids;
    std::vector<std::string> runs;
    std::vector<bool> backfill;
    std::vector<std::string> reasons;
    std::vector<std::optional<std::string>> listed;
    for (const auto& lookup : found) {
        ids.push_back(lookup.order_id);
        runs.push_back(lookup.run);
        backfill.push_back(lookup.purpose == Purpose::backfill);
        reasons.emplace_back(to_string(lookup.reason));
        listed.push_back(lookup.listed_at ? std::optional(core::format_rfc3339_utc(*lookup.listed_at)) : std::nullopt);
    }
    const auto made = tx.exec(
        "INSERT INTO order_lookups (shop, order_id, run, backfill, reason, listed_at, found_at, due) SELECT $1, w.*, "
        "$7::timestamptz, $7::timestamptz FROM (SELECT DISTINCT ON (id, run) * FROM unnest($2::bigint[], $3::text[], "
        "$4::boolean[], "
        "$5::text[], $6::timestamptz[]) AS u (id, run, backfill, reason, listed_at) ORDER BY id, run, listed_at DESC) w "
        "ON CONFLICT (shop, order_id, run) DO NOTHING RETURNING order_id",
        Params{}.add(shop).add_array(ids).add_array(runs).add_array(backfill).add_array(reasons).add_array(listed).add(now));
    if (!made) {
        return std::unexpected(made.error());
    }
    std::vector<std::int64_t> fresh;
    for (const auto row : *made) {
        fresh.push_back(row.int64(0));
    }
    return fresh;
}

}  // namespace reconciliation
