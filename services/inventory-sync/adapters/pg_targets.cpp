#include "adapters/pg_targets.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <map>

#include "adapters/marks.h"
#include "adapters/pg_order_intake.h"
#include "domain/targets.h"

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Rows;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{30};
constexpr std::chrono::minutes kMappingTimeout{5};
constexpr std::size_t kOrdersAtOnce = 500;
// Sales weigh half after seven days, so a steady rate of one a day weighs 7 / ln 2.
constexpr double kWeightOfOnePerDay = 10.0989;

// Marks of the bucket until so many SKUs are together, what guards first.
constexpr std::string_view kDirty = R"sql(
SELECT m.id, s.sku, m.since FROM (
    SELECT id, skus, since, sum(size) OVER (ORDER BY guard DESC, id) - size AS before FROM dirty
    WHERE bucket = $1 AND (guard OR NOT $3::boolean)) m, unnest(m.skus) AS s (sku)
WHERE m.before < $2)sql";
constexpr std::string_view kClear = R"sql(
WITH computed AS (DELETE FROM dirty WHERE id = ANY ($1::bigint[]) RETURNING id, guard)
DELETE FROM guards WHERE mark IN (SELECT id FROM computed WHERE guard))sql";
constexpr std::string_view kLockPairs = R"sql(
SELECT shop, item_id, location_id, sku, pending FROM pairs WHERE sku = ANY ($1::text[])
ORDER BY shop, item_id, location_id FOR UPDATE)sql";
constexpr std::string_view kLevels = R"sql(
SELECT p.sku, p.source, p.location, p.basis, p.unit, (p.level + coalesce(a.sum, 0))::text,
       greatest(p.observed_ns, coalesce(a.newest, 0)), p.lowered
FROM positions p LEFT JOIN LATERAL (
    SELECT sum(c.delta) AS sum, max(c.observed_ns) AS newest FROM adjustments c
    WHERE p.adjusted AND c.sku = p.sku AND c.source = p.source AND c.location = p.location AND c.observed_ns > p.observed_ns) a
    ON true
WHERE p.sku = ANY ($1::text[]))sql";
constexpr std::string_view kReserved =
    "SELECT sku, shop, location_id, quantity, placed_ns, provisional FROM reservations WHERE sku = ANY ($1::text[])";
constexpr std::string_view kShipped =
    "SELECT sku, shop, location_id, quantity, shipped_ns, placed_ns FROM shipments WHERE sku = ANY ($1::text[])";
constexpr std::string_view kItems = R"sql(
SELECT i.sku, i.shop, i.item_id,
       (coalesce(s.weight * power(2, -greatest(0, extract(epoch FROM $2::timestamptz - s.at))::double precision / 604800), 0)
        * 1000)::bigint
FROM items i LEFT JOIN sales s ON s.sku = i.sku AND s.shop = i.shop
WHERE i.sku = ANY ($1::text[]) AND NOT i.deleted AND i.tracked)sql";

// A value that Shopify is expected to show already is not sent. Another name (basis) makes what was believed worthless.
constexpr std::string_view kWritePairs = R"sql(
INSERT INTO pairs AS p (shop, item_id, location_id, sku, basis, target, sellable, lowered, urgency, unsent, since)
SELECT shop, item_id, location_id, sku, basis, target, sellable, lowered, urgency::double precision, false, since
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
            $9::timestamptz[], $10::bigint[])
    AS c (shop, item_id, location_id, sku, basis, target, sellable, urgency, since, lowered)
ON CONFLICT (shop, item_id, location_id) DO UPDATE SET
    sku = excluded.sku, basis = excluded.basis, target = excluded.target, sellable = excluded.sellable,
    lowered = excluded.lowered, urgency = excluded.urgency,
    believed = CASE WHEN (p.basis = 0) = (excluded.basis = 0) THEN p.believed END,
    look = p.look OR (p.basis = 0) <> (excluded.basis = 0),
    unsent = p.believed IS NOT NULL AND (p.basis = 0) = (excluded.basis = 0) AND excluded.target <> p.believed - p.net,
    since = CASE WHEN p.look OR p.believed IS NULL OR (p.basis = 0) <> (excluded.basis = 0)
                   OR excluded.target <> p.believed - p.net
                 THEN coalesce(p.since, excluded.since) END
WHERE (p.sku, p.basis, p.target, p.sellable, p.lowered, p.urgency) IS DISTINCT FROM
      (excluded.sku, excluded.basis, excluded.target, excluded.sellable, excluded.lowered, excluded.urgency)
   OR p.unsent <> (p.believed IS NOT NULL AND excluded.target <> p.believed - p.net))sql";
// Pairs that nothing feeds any more are left alone in Shopify: we no longer know better. One on its way goes later.
constexpr std::string_view kDropPairs = R"sql(
WITH gone AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS g (shop, item_id, location_id)),
     kept AS (UPDATE pairs SET unsent = false, look = false
              WHERE (shop, item_id, location_id) IN (SELECT * FROM gone) AND batch IS NOT NULL)
DELETE FROM pairs WHERE (shop, item_id, location_id) IN (SELECT * FROM gone) AND batch IS NULL)sql";

struct Loaded {
    std::map<std::string, SkuState, std::less<>> skus;
    std::map<std::string, core::SystemTime> since;                              // When the oldest mark of each SKU was made.
    std::map<std::string, std::int64_t> lowered;                                // Of all its positions.
    std::map<std::tuple<std::string, std::int64_t, std::int64_t>, bool> pairs;  // Those that exist; true: still fed.
    std::vector<std::pair<Place, std::string>> held;                            // With the reason.
};

// Runs the query for the SKUs and hands each row to `take`.
core::Result<void> each(Transaction& tx, std::string_view sql, const Params& params,
                        const std::function<void(const syncline::postgres::Row&)>& take) {
    const auto rows = tx.exec(sql, params);
    if (!rows) {
        return std::unexpected(rows.error());
    }
    for (const auto row : *rows) {
        take(row);
    }
    return {};
}

core::Result<void> load(Transaction& tx, const Params& skus, const Rules& rules, core::SystemTime now, Loaded& loaded) {
    auto with_now = skus;
    with_now.add(now);
    auto done = each(tx, kLockPairs, skus, [&](const auto& row) {
        loaded.pairs[{row.string(0), row.int64(1), row.int64(2)}] = false;
        if (row.int64(4) > 0) {
            loaded.skus[row.string(3)].pending.push_back(
                {.shop = row.string(0), .item = row.int64(1), .location = row.int64(2), .quantity = row.int64(4)});
        }
    });
    if (!done) {
        return done;
    }
    done = each(tx, kLevels, skus, [&](const auto& row) {
        loaded.lowered[row.string(0)] += row.int64(7);
        if (row.is_null(5)) {
            return;  // Only changes came so far.
        }
        KnownLevel level{.place = {.source = row.string(1), .location = row.string(2)},
                         .basis = static_cast<Basis>(row.int64(3)),
                         .pieces = 0,
                         .known_until = core::time_from_nanos(row.int64(6))};
        const auto quantity = Decimal::parse(row.text(5));
        if (const auto* rule = rules.source(level.place.source); rule != nullptr && quantity) {
            const auto pieces = pieces_of(*quantity, row.string(4), level.place.source, *rule);
            if (!pieces) {
                loaded.held.emplace_back(level.place, pieces.error().waits_for);
                return;
            }
            level.pieces = *pieces;
        }
        loaded.skus[row.string(0)].levels.push_back(std::move(level));
    });
    if (!done) {
        return done;
    }
    done = each(tx, kReserved, skus, [&](const auto& row) {
        loaded.skus[row.string(0)].reserved.push_back({.shop = row.string(1),
                                                       .location = row.int64(2),
                                                       .quantity = row.int64(3),
                                                       .placed = core::time_from_nanos(row.int64(4)),
                                                       .provisional = row.boolean(5)});
    });
    if (!done) {
        return done;
    }
    done = each(tx, kShipped, skus, [&](const auto& row) {
        const auto placed = row.optional_int64(5);
        loaded.skus[row.string(0)].shipped.push_back(
            {.shop = row.string(1),
             .location = row.int64(2),
             .quantity = row.int64(3),
             .at = core::time_from_nanos(row.int64(4)),
             .placed = placed ? std::optional(core::time_from_nanos(*placed)) : std::nullopt});
    });
    if (!done) {
        return done;
    }
    return each(tx, kItems, with_now, [&](const auto& row) {
        loaded.skus[row.string(0)].items.push_back(
            {.shop = row.string(1),
             .item = row.int64(2),
             .sold_per_day = static_cast<double>(row.int64(3)) / 1000 / kWeightOfOnePerDay});
    });
}

core::Result<void> write_holds(Transaction& tx, const std::vector<std::pair<Place, std::string>>& held,
                               const std::vector<std::pair<std::string, std::string>>& unknown, core::SystemTime now) {
    if (!held.empty()) {
        std::map<std::pair<Place, std::string>, bool> once;
        for (const auto& one : held) {
            once[one] = true;
        }
        std::vector<std::string> sources;
        std::vector<std::string> locations;
        std::vector<std::string> reasons;
        for (const auto& [key, flag] : once) {
            sources.push_back(key.first.source);
            locations.push_back(key.first.location);
            reasons.push_back(key.second);
        }
        const auto done = tx.exec(R"sql(
INSERT INTO unmapped (source, location, since, reason)
SELECT source, location, $4::timestamptz, reason FROM unnest($1::text[], $2::text[], $3::text[]) AS h (source, location, reason)
ON CONFLICT DO NOTHING)sql",
                                  Params{}.add_array(sources).add_array(locations).add_array(reasons).add(now));
        if (!done) {
            return std::unexpected(done.error());
        }
    }
    if (!unknown.empty()) {
        std::vector<std::string> shops;
        std::vector<std::string> skus;
        for (const auto& [shop, sku] : unknown) {
            shops.push_back(shop);
            skus.push_back(sku);
        }
        const auto done = tx.exec(R"sql(
INSERT INTO lookups (shop, sku, due, unknown)
SELECT shop, sku, $3::timestamptz, false FROM unnest($1::text[], $2::text[]) AS l (shop, sku) ON CONFLICT DO NOTHING)sql",
                                  Params{}.add_array(shops).add_array(skus).add(now));
        if (!done) {
            return std::unexpected(done.error());
        }
    }
    return {};
}

core::Result<std::uint64_t> write_targets(Transaction& tx, Loaded& loaded, const Rules& rules, core::SystemTime now) {
    std::map<std::tuple<std::string, std::int64_t, std::int64_t>, std::pair<Target, std::string>> targets;
    std::vector<std::pair<std::string, std::string>> unknown;
    for (auto& [sku, state] : loaded.skus) {
        state.sku = sku;
        auto computed = targets_of(state, rules);
        for (auto& place : computed.unmapped) {
            auto waits_for = "location:" + place.source + "/" + place.location;
            loaded.held.emplace_back(std::move(place), std::move(waits_for));
        }
        for (const auto& source : computed.basis_differs) {
            loaded.held.emplace_back(Place{.source = source, .location = ""}, "basis:" + source);
        }
        for (const auto& shop : computed.shops_without) {
            unknown.emplace_back(shop, sku);
        }
        for (auto& target : computed.pairs) {
            auto key = std::tuple(target.shop, target.item, target.location);
            targets.insert_or_assign(std::move(key), std::pair(std::move(target), sku));
        }
    }
    if (auto held = write_holds(tx, loaded.held, unknown, now); !held) {
        return std::unexpected(std::move(held.error()));
    }
    std::vector<std::string> shops;
    std::vector<std::int64_t> items;
    std::vector<std::int64_t> locations;
    std::vector<std::string> skus;
    std::vector<std::int64_t> bases;
    std::vector<std::int64_t> values;
    std::vector<std::int64_t> sellable;
    std::vector<std::string> urgencies;
    std::vector<core::SystemTime> since;
    std::vector<std::int64_t> lowered;
    for (const auto& [key, target] : targets) {
        shops.push_back(target.first.shop);
        items.push_back(target.first.item);
        locations.push_back(target.first.location);
        skus.push_back(target.second);
        bases.push_back(static_cast<std::int64_t>(target.first.basis));
        values.push_back(target.first.quantity);
        sellable.push_back(target.first.sellable);
        urgencies.push_back(std::to_string(target.first.urgency));
        since.push_back(loaded.since.at(target.second));
        lowered.push_back(loaded.lowered[target.second]);
        if (const auto known = loaded.pairs.find(key); known != loaded.pairs.end()) {
            known->second = true;
        }
    }
    std::uint64_t changed = 0;
    if (!items.empty()) {
        const auto written = tx.exec(kWritePairs, Params{}
                                                      .add_array(shops)
                                                      .add_array(items)
                                                      .add_array(locations)
                                                      .add_array(skus)
                                                      .add_array(bases)
                                                      .add_array(values)
                                                      .add_array(sellable)
                                                      .add_array(urgencies)
                                                      .add_array(std::span<const core::SystemTime>(since))
                                                      .add_array(lowered));
        if (!written) {
            return std::unexpected(written.error());
        }
        changed = static_cast<std::uint64_t>(written->affected());
    }
    shops.clear();
    items.clear();
    locations.clear();
    for (const auto& [key, fed] : loaded.pairs) {
        if (!fed) {
            shops.push_back(std::get<0>(key));
            items.push_back(std::get<1>(key));
            locations.push_back(std::get<2>(key));
        }
    }
    if (!items.empty()) {
        if (const auto done = tx.exec(kDropPairs, Params{}.add_array(shops).add_array(items).add_array(locations)); !done) {
            return std::unexpected(done.error());
        }
    }
    return changed;
}

}  // namespace

core::Result<ComputeCount> PgTargets::compute(int bucket, std::size_t skus_max, const Rules& rules, bool guarded_only) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<ComputeCount> {
        const auto lock = tx.exec("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.compute'), $1::integer)",
                                  Params{}.add(bucket));
        if (!lock) {
            return std::unexpected(lock.error());
        }
        if (!(*lock)[0].boolean(0)) {
            return ComputeCount{.busy = true};
        }
        Loaded loaded;
        std::vector<std::string> skus;
        std::vector<std::int64_t> marks;
        const auto dirty = tx.exec(kDirty, Params{}.add(bucket).add(skus_max).add(guarded_only));
        if (!dirty) {
            return std::unexpected(dirty.error());
        }
        for (const auto row : *dirty) {
            if (marks.empty() || marks.back() != row.int64(0)) {
                marks.push_back(row.int64(0));
            }
            const auto [since, first] = loaded.since.try_emplace(row.string(1), row.time(2));
            if (first) {
                skus.push_back(row.string(1));
                loaded.skus[row.string(1)].sku = row.string(1);
            }
            since->second = std::min(since->second, row.time(2));
        }
        if (skus.empty()) {
            return ComputeCount{};
        }
        if (auto done = load(tx, Params{}.add_array(skus), rules, now, loaded); !done) {
            return std::unexpected(std::move(done.error()));
        }
        const auto changed = write_targets(tx, loaded, rules, now);
        if (!changed) {
            return std::unexpected(changed.error());
        }
        const auto cleared = tx.exec(kClear, Params{}.add_array(marks));
        if (!cleared) {
            return std::unexpected(cleared.error());
        }
        return ComputeCount{.skus = skus.size(), .pairs_changed = *changed};
    });
}

core::Result<bool> PgTargets::apply_mapping(const Rules& rules, const std::string& version) {
    const auto now = clock_.now();
    std::vector<std::string> shops;
    std::vector<std::int64_t> first;
    for (const auto& [alias, shop] : rules.shops) {
        shops.push_back(alias);
        first.push_back(shop.priority_location());
    }
    return pool_.run(core::Deadline(clock_, kMappingTimeout), [&](Transaction& tx) -> core::Result<bool> {
        const auto mine = tx.exec(R"sql(
INSERT INTO mapping_applied AS m (version) VALUES ($1) ON CONFLICT (sole) DO UPDATE SET version = excluded.version
WHERE m.version <> excluded.version)sql",
                                  Params{}.add(version));
        if (!mine) {
            return std::unexpected(mine.error());
        }
        if (mine->affected() == 0) {
            return false;
        }
        // What counted at the first location counts at the one that is first now.
        const auto moved = tx.exec(R"sql(
UPDATE reservations r SET location_id = f.location_id FROM unnest($1::text[], $2::bigint[]) AS f (shop, location_id)
WHERE r.shop = f.shop AND r.provisional AND r.location_id <> f.location_id AND f.location_id <> 0
  AND NOT EXISTS (SELECT FROM reservations o WHERE o.shop = r.shop AND o.order_id = r.order_id AND o.sku = r.sku
                  AND o.location_id = f.location_id))sql",
                                   Params{}.add_array(shops).add_array(first));
        if (!moved) {
            return std::unexpected(moved.error());
        }
        if (const auto forgotten = tx.exec("DELETE FROM unmapped"); !forgotten) {
            return std::unexpected(forgotten.error());
        }
        // By the clock that looks for what is due.
        const auto located = tx.exec(
            "UPDATE orders SET locate_due = $2::timestamptz WHERE locate_due IS NULL AND shop = ANY ($1::text[]) AND body LIKE "
            "'%\"located\":false%'",
            Params{}.add_array(shops).add(now));
        if (!located) {
            return std::unexpected(located.error());
        }
        // Fulfillments of which Shopify states no location count at the first, which is another one now.
        const auto placeless =
            tx.exec(R"sql(SELECT shop, order_id FROM orders WHERE shop = ANY ($1::text[]) AND body ~ '"f":\[[0-9]+,0,false')sql",
                    Params{}.add_array(shops));
        if (!placeless) {
            return std::unexpected(placeless.error());
        }
        std::vector<OrderKey> orders;
        for (std::size_t i = 0; i < placeless->size(); ++i) {
            orders.push_back({.shop = (*placeless)[i].string(0), .order = (*placeless)[i].int64(1)});
            if (orders.size() == kOrdersAtOnce || i + 1 == placeless->size()) {
                if (const auto derived = derive_orders(tx, orders, rules, now); !derived) {
                    return std::unexpected(derived.error());
                }
                orders.clear();
            }
        }
        const auto known = tx.exec("SELECT DISTINCT sku FROM positions");
        if (!known) {
            return std::unexpected(known.error());
        }
        std::vector<std::string> skus;
        skus.reserve(known->size());
        for (const auto row : *known) {
            skus.push_back(row.string(0));
        }
        // Guarded: under the new mapping less may be for sale than what is about to be sent.
        if (auto marked = mark_dirty(tx, std::move(skus), true, now); !marked) {
            return std::unexpected(std::move(marked.error()));
        }
        return true;
    });
}

}  // namespace inventory_sync
