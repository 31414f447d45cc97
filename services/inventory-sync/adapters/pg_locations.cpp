#include "adapters/pg_locations.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <map>
#include <utility>

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Transaction;

constexpr std::string_view kTake = R"sql(
WITH told AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[], $5::bigint[])
                  AS t (shop, location_id, name, active, version_ns)),
     before AS (SELECT l.shop, l.location_id, l.active FROM locations l JOIN told USING (shop, location_id)),
     taken AS (INSERT INTO locations AS l (shop, location_id, name, active, since, version_ns)
               SELECT shop, location_id, name, active, $6::timestamptz, version_ns FROM told ORDER BY shop, location_id
               ON CONFLICT (shop, location_id) DO UPDATE SET
                   name = CASE WHEN excluded.name = '' THEN l.name ELSE excluded.name END, active = excluded.active,
                   since = CASE WHEN l.active = excluded.active THEN l.since ELSE excluded.since END,
                   version_ns = excluded.version_ns
               WHERE excluded.version_ns >= l.version_ns
               RETURNING l.shop, l.location_id, l.active)
SELECT t.shop, t.location_id FROM taken t JOIN before b USING (shop, location_id) WHERE t.active AND NOT b.active)sql";
constexpr std::string_view kReadAgain = R"sql(
UPDATE pairs p SET look = true, held = '', held_until = NULL, since = coalesce(p.since, $3::timestamptz)
FROM (SELECT q.shop, q.item_id, q.location_id FROM pairs q
      JOIN unnest($1::text[], $2::bigint[]) AS t (shop, location_id) ON q.shop = t.shop AND q.location_id = t.location_id
      ORDER BY q.shop, q.item_id, q.location_id FOR UPDATE OF q) AS f
WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id)sql";

core::Result<void> run(Transaction& tx, std::string_view sql, const Params& params) {
    const auto done = tx.exec(sql, params);
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

core::Result<void> apply(Transaction& tx, const std::vector<ArrivedLocation>& locations, core::SystemTime now) {
    std::map<std::pair<std::string, std::int64_t>, const ArrivedLocation*> newest;
    for (const auto& location : locations) {
        auto& held = newest[{location.shop, location.location}];
        held = held == nullptr || location.version_ns >= held->version_ns ? &location : held;
    }
    if (newest.empty()) {
        return {};
    }
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    std::vector<std::string> names;
    std::vector<bool> active;
    std::vector<std::int64_t> versions;
    for (const auto& [key, location] : newest) {
        shops.push_back(key.first);
        ids.push_back(key.second);
        names.push_back(location->name);
        active.push_back(location->active);
        versions.push_back(location->version_ns);
    }
    const auto reopened =
        tx.exec(kTake, Params{}.add_array(shops).add_array(ids).add_array(names).add_array(active).add_array(versions).add(now));
    if (!reopened) {
        return std::unexpected(reopened.error());
    }
    if (reopened->empty()) {
        return {};
    }
    shops.clear();
    ids.clear();
    for (const auto row : *reopened) {
        shops.push_back(row.string(0));
        ids.push_back(row.int64(1));
    }
    return run(tx, kReadAgain, Params{}.add_array(shops).add_array(ids).add(now));
}

}  // namespace

core::Result<void> take_locations(Transaction& tx, const std::vector<ArrivedLocation>& locations, core::SystemTime now) {
    std::vector<std::string> shops;
    std::vector<ArrivedLocation> stated;
    for (const auto& location : locations) {
        shops.push_back(location.shop);
        if (!location.deleted) {
            stated.push_back(location);
        }
    }
    if (shops.empty()) {
        return {};
    }
    auto due =
        run(tx,
            "INSERT INTO location_checks (shop, due) SELECT DISTINCT shop, $2::timestamptz FROM unnest($1::text[]) AS c (shop) "
            "ORDER BY 1 ON CONFLICT (shop) DO UPDATE SET due = excluded.due",
            Params{}.add_array(shops).add(now));
    return due ? apply(tx, stated, now) : due;
}

core::Result<void> take_all_locations(Transaction& tx, const std::string& shop, const std::vector<ArrivedLocation>& locations,
                                      core::SystemTime now) {
    auto all = locations;
    const auto known = tx.exec("SELECT location_id FROM locations WHERE shop = $1 AND active", Params{}.add(shop));
    if (!known) {
        return std::unexpected(known.error());
    }
    for (const auto row : *known) {
        const auto id = row.int64(0);
        bool there = false;
        for (const auto& location : locations) {
            there = there || location.location == id;
        }
        if (!there) {
            all.push_back({.shop = shop, .location = id, .name = {}, .active = false});
        }
    }
    for (auto& location : all) {
        location.version_ns = core::nanos_since_epoch(now);
    }
    return apply(tx, all, now);
}

}  // namespace inventory_sync
