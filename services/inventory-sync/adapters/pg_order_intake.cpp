#include "adapters/pg_order_intake.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <map>
#include <set>

#include "adapters/marks.h"
#include "adapters/order_text.h"

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Transaction;

// An order that comes for the first time gets its row first, so that two batches that bring it meet in a lock.
constexpr std::string_view kMeet = R"sql(
INSERT INTO orders (shop, order_id, body, locate_due, changed_at)
SELECT shop, order_id, '', NULL, $3::timestamptz FROM unnest($1::text[], $2::bigint[]) AS met (shop, order_id)
ON CONFLICT DO NOTHING)sql";
constexpr std::string_view kLock = R"sql(
SELECT shop, order_id, body FROM orders WHERE (shop, order_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))
ORDER BY shop, order_id FOR UPDATE)sql";
constexpr std::string_view kWrite = R"sql(
UPDATE orders o SET body = w.body, changed_at = $5::timestamptz,
    locate_due = CASE WHEN w.locate THEN coalesce(o.locate_due, $5::timestamptz) ELSE NULL END
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[]) AS w (shop, order_id, body, locate)
WHERE o.shop = w.shop AND o.order_id = w.order_id)sql";
constexpr std::string_view kUnreserve =
    "DELETE FROM reservations WHERE (shop, order_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))";
constexpr std::string_view kReserve = R"sql(
INSERT INTO reservations (shop, order_id, sku, location_id, quantity, provisional, placed_ns)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bigint[]))sql";
constexpr std::string_view kUnship =
    "DELETE FROM shipments WHERE (shop, order_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))";
constexpr std::string_view kShip = R"sql(
INSERT INTO shipments (shop, order_id, fulfillment_id, sku, location_id, quantity, shipped_ns, placed_ns)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]))sql";

// heard() of domain/belief. What lowers available is an order, whether open or left; what lowers on_hand is what left.
constexpr std::string_view kLockPairs = R"sql(
SELECT 1 FROM pairs p JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS t (shop, sku, location_id)
    ON p.shop = t.shop AND p.sku = t.sku AND p.location_id = t.location_id
ORDER BY p.shop, p.item_id, p.location_id FOR UPDATE OF p)sql";
// Where a look has found another value than was expected, it may have had in it what is heard of only now: counted once more, it
// would leave us with a value that Shopify does not show and nobody would notice. So such a pair is looked at again.
constexpr std::string_view kHear = R"sql(
UPDATE pairs p SET
    look = p.look OR (coalesce(p.doubted > $6::timestamptz - interval '1 day', false) AND (h.change < 0 OR h.change > p.pending)),
    pending = p.pending - least(p.pending, greatest(h.change, 0)),
    taken = p.taken + greatest(h.change, 0) - least(p.pending, greatest(h.change, 0)),
    net = p.net + h.change - least(p.pending, greatest(h.change, 0))
FROM (SELECT q.shop, q.item_id, q.location_id, CASE WHEN q.basis = 0 THEN t.shipped ELSE t.reserved + t.shipped END AS change
      FROM pairs q JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
          AS t (shop, sku, location_id, reserved, shipped)
      ON q.shop = t.shop AND q.sku = t.sku AND q.location_id = t.location_id) AS h
WHERE p.shop = h.shop AND p.item_id = h.item_id AND p.location_id = h.location_id AND h.change <> 0)sql";
// came_and_went() of domain/belief, of units whose location nobody knows any more. Only where a fall was seen or a look is under
// way: elsewhere there is nothing to explain. on_hand does not fall with an order.
constexpr std::string_view kReturn = R"sql(
UPDATE pairs p SET
    pending = p.pending - least(p.pending, p.risen, p.returned + r.units),
    risen = p.risen - least(p.pending, p.risen, p.returned + r.units),
    returned = p.returned + r.units - least(p.pending, p.risen, p.returned + r.units),
    look = true, since = coalesce(p.since, $4::timestamptz)
FROM (SELECT q.shop, q.item_id, q.location_id, t.units FROM pairs q
      JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS t (shop, sku, units) ON q.shop = t.shop AND q.sku = t.sku
      WHERE q.basis <> 0 AND (q.pending > 0 OR q.look)
      ORDER BY q.shop, q.item_id, q.location_id FOR UPDATE OF q) AS r
WHERE p.shop = r.shop AND p.item_id = r.item_id AND p.location_id = r.location_id)sql";
// What Shopify makes of the units of a deleted order is not promised anywhere.
constexpr std::string_view kLookAt = R"sql(
UPDATE pairs p SET look = true, since = coalesce(p.since, $3::timestamptz)
FROM (SELECT q.shop, q.item_id, q.location_id FROM pairs q
      JOIN unnest($1::text[], $2::text[]) AS t (shop, sku) ON q.shop = t.shop AND q.sku = t.sku
      ORDER BY q.shop, q.item_id, q.location_id FOR UPDATE OF q) AS r
WHERE p.shop = r.shop AND p.item_id = r.item_id AND p.location_id = r.location_id)sql";
// Sales of about the last week: a weight that halves every seven days.
constexpr std::string_view kSell = R"sql(
INSERT INTO sales AS s (shop, sku, weight, at)
SELECT shop, sku, sold::double precision, $4::timestamptz FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (shop, sku, sold)
ON CONFLICT (sku, shop) DO UPDATE SET
    weight = s.weight * power(2, -greatest(0, extract(epoch FROM excluded.at - s.at))::double precision / 604800) + excluded.weight,
    at = greatest(s.at, excluded.at))sql";

struct OrderKeys {
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    void add(const OrderKey& key) {
        shops.push_back(key.shop);
        ids.push_back(key.order);
    }
    [[nodiscard]] Params params() const { return Params{}.add_array(shops).add_array(ids); }
};

core::Result<std::map<OrderKey, OrderState>> lock_orders(Transaction& tx, const OrderKeys& keys, bool meet,
                                                         core::SystemTime now) {
    if (meet) {
        if (const auto met = tx.exec(kMeet, keys.params().add(now)); !met) {
            return std::unexpected(met.error());
        }
    }
    const auto rows = tx.exec(kLock, keys.params());
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::map<OrderKey, OrderState> states;
    for (const auto row : *rows) {
        OrderKey key{.shop = row.string(0), .order = row.int64(1)};
        if (row.text(2).empty()) {
            states[key].key = key;
            continue;
        }
        auto state = order_from(key, row.text(2));
        if (!state) {
            return std::unexpected(std::move(state.error()));
        }
        states.emplace(std::move(key), std::move(*state));
    }
    return states;
}

std::int64_t priority_of(const Rules* rules, const std::string& shop) {
    const auto* of_shop = rules != nullptr ? rules->shop(shop) : nullptr;
    return of_shop != nullptr ? of_shop->priority_location() : 0;
}

core::Result<void> write_derived(Transaction& tx, const OrderKeys& keys, const std::vector<const OrderState*>& states,
                                 const Rules* rules) {
    OrderKeys reserved;
    OrderKeys shipped;
    std::vector<std::string> reserved_skus;
    std::vector<std::int64_t> reserved_at;
    std::vector<std::int64_t> reserved_units;
    std::vector<bool> provisional;
    std::vector<std::int64_t> placed;
    std::vector<std::int64_t> fulfillments;
    std::vector<std::string> shipped_skus;
    std::vector<std::int64_t> shipped_from;
    std::vector<std::int64_t> shipped_units;
    std::vector<std::int64_t> left_at;
    std::vector<std::optional<std::int64_t>> shipped_placed;
    for (const auto* state : states) {
        const auto first = priority_of(rules, state->key.shop);
        for (const auto& reservation : reservations(*state, first)) {
            reserved.add(state->key);
            reserved_skus.push_back(reservation.sku);
            reserved_at.push_back(reservation.location);
            reserved_units.push_back(reservation.quantity);
            provisional.push_back(reservation.provisional);
            placed.push_back(core::nanos_since_epoch(state->placed));
        }
        for (const auto& shipment : shipments(*state, first)) {
            shipped.add(state->key);
            fulfillments.push_back(shipment.fulfillment);
            shipped_skus.push_back(shipment.sku);
            shipped_from.push_back(shipment.location);
            shipped_units.push_back(shipment.quantity);
            left_at.push_back(core::nanos_since_epoch(shipment.at));
            shipped_placed.push_back(state->version ? std::optional(core::nanos_since_epoch(state->placed)) : std::nullopt);
        }
    }
    for (const auto sql : {kUnreserve, kUnship}) {
        if (const auto done = tx.exec(sql, keys.params()); !done) {
            return std::unexpected(done.error());
        }
    }
    if (!reserved.ids.empty()) {
        const auto done = tx.exec(kReserve, reserved.params()
                                                .add_array(reserved_skus)
                                                .add_array(reserved_at)
                                                .add_array(reserved_units)
                                                .add_array(provisional)
                                                .add_array(placed));
        if (!done) {
            return std::unexpected(done.error());
        }
    }
    if (!shipped.ids.empty()) {
        const auto done = tx.exec(kShip, shipped.params()
                                             .add_array(fulfillments)
                                             .add_array(shipped_skus)
                                             .add_array(shipped_from)
                                             .add_array(shipped_units)
                                             .add_array(left_at)
                                             .add_array(std::span<const std::optional<std::int64_t>>(shipped_placed)));
        if (!done) {
            return std::unexpected(done.error());
        }
    }
    return {};
}

core::Result<void> hear(Transaction& tx, const std::map<OrderKey, OrderState>& before,
                        const std::vector<const OrderState*>& after, const Rules* rules, core::SystemTime now) {
    std::map<std::tuple<std::string, std::string, std::int64_t>, Taken> taken;
    std::map<std::pair<std::string, std::string>, std::int64_t> sold;
    std::map<std::pair<std::string, std::string>, std::int64_t> returned;
    std::set<std::pair<std::string, std::string>> gone;
    std::vector<std::string> skus;
    for (const auto* state : after) {
        const auto& earlier = before.at(state->key);
        for (const auto& [pair, change] : difference(earlier, *state, priority_of(rules, state->key.shop))) {
            auto& sum = taken[{state->key.shop, pair.first, pair.second}];
            sum.reserved += change.reserved;
            sum.shipped += change.shipped;
        }
        for (const auto& [sku, units] : newly_sold(earlier, *state)) {
            sold[{state->key.shop, sku}] += units;
        }
        for (const auto& [sku, units] : came_and_went(earlier, *state)) {
            returned[{state->key.shop, sku}] += units;
        }
        if (state->deletion == Deletion::confirmed && earlier.deletion != Deletion::confirmed) {
            for (const auto& line : state->lines) {
                gone.emplace(state->key.shop, line.sku);
            }
        }
        // Also where no unit moved: a shipment's order may have become known, or its time.
        for (const auto& line : state->lines) {
            if (!line.sku.empty()) {
                skus.push_back(line.sku);
            }
        }
        for (const auto& [id, fulfillment] : state->fulfillments) {
            for (const auto& line : fulfillment.lines) {
                if (!line.sku.empty()) {
                    skus.push_back(line.sku);
                }
            }
        }
        for (const auto& line : earlier.lines) {
            if (!line.sku.empty()) {
                skus.push_back(line.sku);
            }
        }
    }
    if (!sold.empty()) {
        std::vector<std::string> shops;
        std::vector<std::string> sold_skus;
        std::vector<std::int64_t> units;
        for (const auto& [key, quantity] : sold) {
            shops.push_back(key.first);
            sold_skus.push_back(key.second);
            units.push_back(quantity);
        }
        if (const auto done = tx.exec(kSell, Params{}.add_array(shops).add_array(sold_skus).add_array(units).add(now)); !done) {
            return std::unexpected(done.error());
        }
    }
    if (!taken.empty()) {
        std::vector<std::string> shops;
        std::vector<std::string> taken_skus;
        std::vector<std::int64_t> locations;
        std::vector<std::int64_t> reserved;
        std::vector<std::int64_t> shipped;
        for (const auto& [key, sum] : taken) {
            shops.push_back(std::get<0>(key));
            taken_skus.push_back(std::get<1>(key));
            locations.push_back(std::get<2>(key));
            reserved.push_back(sum.reserved);
            shipped.push_back(sum.shipped);
        }
        const auto pairs = Params{}.add_array(shops).add_array(taken_skus).add_array(locations);
        if (const auto done = tx.exec(kLockPairs, pairs); !done) {
            return std::unexpected(done.error());
        }
        auto heard = pairs;
        if (const auto done = tx.exec(kHear, heard.add_array(reserved).add_array(shipped).add(now)); !done) {
            return std::unexpected(done.error());
        }
    }
    if (!gone.empty()) {
        std::vector<std::string> shops;
        std::vector<std::string> gone_skus;
        for (const auto& [shop, sku] : gone) {
            shops.push_back(shop);
            gone_skus.push_back(sku);
        }
        if (const auto done = tx.exec(kLookAt, Params{}.add_array(shops).add_array(gone_skus).add(now)); !done) {
            return std::unexpected(done.error());
        }
    }
    if (!returned.empty()) {
        std::vector<std::string> shops;
        std::vector<std::string> returned_skus;
        std::vector<std::int64_t> units;
        for (const auto& [key, quantity] : returned) {
            shops.push_back(key.first);
            returned_skus.push_back(key.second);
            units.push_back(quantity);
        }
        const auto params = Params{}.add_array(shops).add_array(returned_skus).add_array(units).add(now);
        if (const auto done = tx.exec(kReturn, params); !done) {
            return std::unexpected(done.error());
        }
    }
    return mark_dirty(tx, std::move(skus), true, now);
}

core::Result<void> write_orders(Transaction& tx, const std::map<OrderKey, OrderState>& before,
                                const std::vector<const OrderState*>& after, const Rules* rules, core::SystemTime now) {
    if (after.empty()) {
        return {};
    }
    OrderKeys keys;
    std::vector<std::string> bodies;
    std::vector<bool> locate;
    for (const auto* state : after) {
        keys.add(state->key);
        bodies.push_back(text_of(*state));
        const bool open = std::ranges::any_of(state->lines, [](const auto& line) { return line.open > 0; });
        locate.push_back(open && !state->located);
    }
    if (const auto done = tx.exec(kWrite, keys.params().add_array(bodies).add_array(locate).add(now)); !done) {
        return std::unexpected(done.error());
    }
    if (auto done = write_derived(tx, keys, after, rules); !done) {
        return done;
    }
    return hear(tx, before, after, rules, now);
}

}  // namespace

core::Result<OrderIntake> take_orders(Transaction& tx, const std::vector<OrderSnapshot>& snapshots,
                                      const std::vector<ArrivedFulfillment>& fulfillments, const Rules* rules,
                                      core::SystemTime now) {
    std::set<OrderKey> named;
    for (const auto& snapshot : snapshots) {
        named.insert(snapshot.key);
    }
    for (const auto& arrived : fulfillments) {
        named.insert(arrived.order);
    }
    OrderIntake intake;
    if (named.empty()) {
        return intake;
    }
    OrderKeys keys;
    for (const auto& key : named) {
        keys.add(key);
    }
    const auto before = lock_orders(tx, keys, true, now);
    if (!before) {
        return std::unexpected(before.error());
    }
    auto states = *before;
    std::set<OrderKey> changed;
    for (const auto& snapshot : snapshots) {
        auto& state = states.at(snapshot.key);
        if (apply(state, snapshot)) {
            changed.insert(snapshot.key);
            ++intake.taken;
        } else {
            ++intake.superseded;
        }
    }
    for (const auto& arrived : fulfillments) {
        if (apply(states.at(arrived.order), arrived.fulfillment)) {
            changed.insert(arrived.order);
            ++intake.taken;
        } else {
            ++intake.superseded;
        }
    }
    std::vector<const OrderState*> after;
    for (const auto& key : changed) {
        if (states.at(key) != before->at(key)) {
            after.push_back(&states.at(key));
        }
    }
    if (auto written = write_orders(tx, *before, after, rules, now); !written) {
        return std::unexpected(std::move(written.error()));
    }
    return intake;
}

core::Result<void> notice_orders(Transaction& tx, const std::vector<OrderKey>& orders, core::SystemTime now) {
    OrderKeys keys;
    for (const auto& key : std::set<OrderKey>(orders.begin(), orders.end())) {
        keys.add(key);
    }
    if (keys.ids.empty()) {
        return {};
    }
    const auto states = lock_orders(tx, keys, false, now);
    if (!states) {
        return std::unexpected(states.error());
    }
    OrderKeys known;
    std::vector<std::string> bodies;
    std::vector<bool> locate;
    for (const auto& [key, state] : *states) {
        auto noticed = state;
        noticed.located = false;
        known.add(key);
        bodies.push_back(text_of(noticed));
        locate.push_back(std::ranges::any_of(state.lines, [](const auto& line) { return line.open > 0; }));
    }
    if (known.ids.empty()) {
        return {};
    }
    if (const auto done = tx.exec(kWrite, known.params().add_array(bodies).add_array(locate).add(now)); !done) {
        return std::unexpected(done.error());
    }
    return {};
}

core::Result<void> delete_orders(Transaction& tx, const std::vector<ArrivedDeletion>& deletions, const Rules* rules,
                                 core::SystemTime now) {
    std::map<OrderKey, bool> told;
    for (const auto& deletion : deletions) {
        told[deletion.order] = told[deletion.order] || deletion.confirmed;
    }
    if (told.empty()) {
        return {};
    }
    OrderKeys keys;
    for (const auto& [key, confirmed] : told) {
        keys.add(key);
    }
    // Also those that are not known yet: their snapshots may come later.
    const auto before = lock_orders(tx, keys, true, now);
    if (!before) {
        return std::unexpected(before.error());
    }
    auto states = *before;
    std::vector<const OrderState*> after;
    for (auto& [key, state] : states) {
        if (tell_deleted(state, told.at(key))) {
            after.push_back(&state);
        }
    }
    return write_orders(tx, *before, after, rules, now);
}

core::Result<std::size_t> derive_orders(Transaction& tx, const std::vector<OrderKey>& orders, const Rules& rules,
                                        core::SystemTime now) {
    OrderKeys keys;
    for (const auto& key : std::set<OrderKey>(orders.begin(), orders.end())) {
        keys.add(key);
    }
    const auto states = lock_orders(tx, keys, false, now);
    if (!states) {
        return std::unexpected(states.error());
    }
    std::vector<const OrderState*> known;
    for (const auto& [key, state] : *states) {
        known.push_back(&state);
    }
    if (known.empty()) {
        return std::size_t{0};
    }
    if (auto done = write_derived(tx, keys, known, &rules); !done) {
        return std::unexpected(std::move(done.error()));
    }
    return known.size();
}

core::Result<void> place_order(Transaction& tx, const OrderKey& order, const std::optional<std::vector<PlacedLine>>& places,
                               const Rules* rules, core::SystemTime now) {
    OrderKeys keys;
    keys.add(order);
    const auto before = lock_orders(tx, keys, false, now);
    if (!before) {
        return std::unexpected(before.error());
    }
    if (before->empty()) {
        return {};
    }
    auto state = before->at(order);
    locate(state, places);
    return write_orders(tx, *before, {&state}, rules, now);
}

core::Result<void> take_items(Transaction& tx, const std::vector<ArrivedItem>& items, core::SystemTime now) {
    std::map<std::pair<std::string, std::int64_t>, const ArrivedItem*> newest;
    for (const auto& item : items) {
        auto& held = newest[{item.shop, item.item}];
        held = held == nullptr || item.version_ns >= held->version_ns ? &item : held;
    }
    if (newest.empty()) {
        return {};
    }
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    std::vector<std::string> skus;
    std::vector<bool> tracked;
    std::vector<bool> deleted;
    std::vector<std::int64_t> versions;
    for (const auto& [key, item] : newest) {
        shops.push_back(item->shop);
        ids.push_back(item->item);
        skus.push_back(item->sku);
        tracked.push_back(item->tracked);
        deleted.push_back(item->deleted);
        versions.push_back(item->version_ns);
    }
    const auto before = tx.exec("SELECT sku FROM items WHERE (shop, item_id) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))",
                                Params{}.add_array(shops).add_array(ids));
    if (!before) {
        return std::unexpected(before.error());
    }
    std::vector<std::string> marked;
    for (const auto row : *before) {
        marked.push_back(row.string(0));
    }
    // A deletion tells no SKU: the known one stays, so that its pairs are found and dropped.
    const auto taken = tx.exec(
        R"sql(
INSERT INTO items AS i (shop, item_id, sku, tracked, deleted, version_ns)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[], $5::boolean[], $6::bigint[])
ON CONFLICT (shop, item_id) DO UPDATE SET
    sku = CASE WHEN excluded.deleted THEN i.sku ELSE excluded.sku END,
    tracked = CASE WHEN excluded.deleted THEN i.tracked ELSE excluded.tracked END,
    deleted = excluded.deleted, version_ns = excluded.version_ns
WHERE excluded.version_ns >= i.version_ns
  AND (excluded.deleted, CASE WHEN excluded.deleted THEN i.sku ELSE excluded.sku END,
       CASE WHEN excluded.deleted THEN i.tracked ELSE excluded.tracked END) IS DISTINCT FROM (i.deleted, i.sku, i.tracked)
RETURNING sku)sql",
        Params{}.add_array(shops).add_array(ids).add_array(skus).add_array(tracked).add_array(deleted).add_array(versions));
    if (!taken) {
        return std::unexpected(taken.error());
    }
    if (taken->empty()) {
        return {};
    }
    for (const auto row : *taken) {
        marked.push_back(row.string(0));
    }
    std::erase(marked, std::string{});
    if (const auto done = tx.exec("DELETE FROM lookups WHERE (shop, sku) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
                                  Params{}.add_array(shops).add_array(skus));
        !done) {
        return std::unexpected(done.error());
    }
    return mark_dirty(tx, std::move(marked), false, now);
}

core::Result<AvailableIntake> take_available(Transaction& tx, const std::vector<ArrivedAvailable>& levels) {
    AvailableIntake intake;
    if (levels.empty()) {
        return intake;
    }
    std::vector<std::string> shops;
    std::vector<std::int64_t> items;
    std::vector<std::int64_t> locations;
    std::vector<std::int64_t> available;
    for (const auto& level : levels) {
        shops.push_back(level.shop);
        items.push_back(level.item);
        locations.push_back(level.location);
        available.push_back(level.available);
    }
    const auto params = Params{}.add_array(shops).add_array(items).add_array(locations).add_array(available);
    // is_own() of domain/belief, and what is on its way in a batch. on_hand does not show in these webhooks.
    const auto foreign = tx.exec(R"sql(
UPDATE pairs p SET look = true FROM (
    SELECT q.shop, q.item_id, q.location_id FROM pairs q
    JOIN unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS t (shop, item_id, location_id, available)
        ON q.shop = t.shop AND q.item_id = t.item_id AND q.location_id = t.location_id
    WHERE q.basis <> 0 AND NOT q.look AND t.available <> q.believed AND t.available <> q.believed - q.net
      AND t.available <> ALL (q.recent)
      AND NOT EXISTS (SELECT FROM batches b, unnest(b.item_ids, b.location_ids, b.quantities) AS w (item_id, location_id, quantity)
                      WHERE b.id = q.batch AND w.item_id = q.item_id AND w.location_id = q.location_id
                        AND w.quantity = t.available)
    ORDER BY q.shop, q.item_id, q.location_id FOR UPDATE OF q) AS f
WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id)sql",
                                 params);
    if (!foreign) {
        return std::unexpected(foreign.error());
    }
    intake.foreign = static_cast<std::uint64_t>(foreign->affected());
    intake.own = levels.size() - std::min<std::uint64_t>(levels.size(), intake.foreign);
    return intake;
}

}  // namespace inventory_sync
