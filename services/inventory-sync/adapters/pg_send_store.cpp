#include "adapters/pg_send_store.h"

#include <syncline/postgres/pool.h>

#include "adapters/marks.h"

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Row;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{15};
// How long a pair that Shopify refuses rests before it is tried again.
constexpr std::chrono::hours kRest{1};

// Good pairs of a batch whose bad one is being looked for, and how long they wait for that at most.
constexpr std::string_view kSearching = "searching";
constexpr std::chrono::seconds kSearchMax{10};
constexpr std::string_view kBatchColumns = "id, body, formed_at, tries, suspects";
constexpr std::string_view kRows = R"sql(
SELECT w.item_id, w.location_id, w.quantity, w.since FROM batches b,
    unnest(b.item_ids, b.location_ids, b.quantities, b.since) WITH ORDINALITY AS w (item_id, location_id, quantity, since, n)
WHERE b.id = $1 ORDER BY w.n)sql";

// Pairs that may be written now. A guard, or a level that fell since, means that less is for sale than the target says.
constexpr std::string_view kFree =
    " p.shop = $1 AND p.unsent AND p.batch IS NULL AND NOT p.look AND p.believed IS NOT NULL AND (p.held = '' OR p.held_until <= "
    "$2)"
    " AND NOT EXISTS (SELECT FROM guards g WHERE g.sku = p.sku)"
    " AND p.lowered >= (SELECT coalesce(sum(q.lowered), 0) FROM positions q WHERE q.sku = p.sku)";
// A location that is not active takes nothing.
constexpr std::string_view kOpen =
    " AND NOT EXISTS (SELECT FROM locations l WHERE l.shop = p.shop AND l.location_id = p.location_id AND NOT l.active)";
constexpr std::string_view kWritten = "p.item_id, p.location_id, p.target, p.believed - p.net, p.taken, p.net, p.since";

core::Result<Batch> batch_of(Transaction& tx, const std::string& shop, const Row& row) {
    Batch batch{.id = row.int64(0), .shop = shop, .body = row.string(1), .formed_at = row.time(2), .tries = row.int32(3)};
    const auto rows = tx.exec(kRows, Params{}.add(batch.id));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    for (const auto pair : *rows) {
        batch.pairs.push_back({.item = pair.int64(0), .location = pair.int64(1)});
        batch.quantities.push_back(pair.int64(2));
        batch.since.push_back(pair.time(3));
    }
    return batch;
}

core::Result<void> run(Transaction& tx, std::string_view sql, const Params& params) {
    const auto done = tx.exec(sql, params);
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

struct Chosen {
    std::vector<Write> writes;
    std::vector<std::int64_t> taken;
    std::vector<std::int64_t> net;
    std::vector<core::SystemTime> since;
};

Chosen chosen_from(const syncline::postgres::Rows& rows, core::SystemTime now) {
    Chosen chosen;
    for (const auto row : rows) {
        chosen.writes.push_back(
            {.pair = {.item = row.int64(0), .location = row.int64(1)}, .quantity = row.int64(2), .change_from = row.int64(3)});
        chosen.taken.push_back(row.int64(4));
        chosen.net.push_back(row.int64(5));
        chosen.since.push_back(row.optional_time(6).value_or(now));
    }
    return chosen;
}

// Half of a group of which one is bad; the last one left of a group is the bad one, without asking Shopify.
core::Result<std::optional<Chosen>> half_of_suspects(Transaction& tx, const std::string& shop, core::SystemTime now,
                                                     std::int64_t& group) {
    // A suspect that has nothing to send any more is none.
    if (auto done = run(tx, "UPDATE pairs SET suspects = NULL WHERE shop = $1 AND suspects IS NOT NULL AND NOT unsent",
                        Params{}.add(shop));
        !done) {
        return std::unexpected(std::move(done.error()));
    }
    const auto lone = tx.exec(R"sql(
UPDATE pairs SET suspects = NULL, held = 'refused', held_until = $2::timestamptz
WHERE shop = $1 AND batch IS NULL AND suspects IN
    (SELECT suspects FROM pairs WHERE shop = $1 AND suspects IS NOT NULL GROUP BY suspects HAVING count(*) = 1))sql",
                              Params{}.add(shop).add(now + kRest));
    if (!lone) {
        return std::unexpected(lone.error());
    }
    if (lone->affected() > 0) {
        if (auto found = run(tx, "UPDATE pairs SET held = '', held_until = NULL WHERE held <> '' AND held = $2 AND shop = $1",
                             Params{}.add(shop).add(kSearching));
            !found) {
            return std::unexpected(std::move(found.error()));
        }
    }
    const auto groups = tx.exec(R"sql(
SELECT suspects, count(*) FROM pairs WHERE shop = $1 AND suspects IS NOT NULL
GROUP BY suspects HAVING bool_and(batch IS NULL) ORDER BY suspects LIMIT 1)sql",
                                Params{}.add(shop));
    if (!groups) {
        return std::unexpected(groups.error());
    }
    if (groups->empty()) {
        return std::optional<Chosen>{};
    }
    group = (*groups)[0].int64(0);
    const auto half = ((*groups)[0].int64(1) + 1) / 2;
    // One sender at a time takes a group apart.
    const auto mine = tx.exec("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.suspects'), $1::bigint::integer)",
                              Params{}.add(group % 1'000'000'007));
    if (!mine || !(*mine)[0].boolean(0)) {
        return mine ? core::Result<std::optional<Chosen>>(std::optional<Chosen>{}) : std::unexpected(mine.error());
    }
    const auto rows =
        tx.exec("SELECT " + std::string(kWritten) + " FROM pairs p WHERE" + std::string(kFree) + std::string(kOpen) +
                    " AND p.suspects = $3 ORDER BY p.item_id, p.location_id LIMIT $4 FOR UPDATE OF p",
                Params{}.add(shop).add(now).add(group).add(half));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? std::optional<Chosen>{} : std::optional(chosen_from(*rows, now));
}

// A name of quantity per call: that of the first pair of the order.
core::Result<std::optional<Chosen>> next_pairs(Transaction& tx, const std::string& shop, core::SystemTime now, std::size_t most,
                                               bool by_age, QuantityName& name) {
    const std::string order = by_age ? " ORDER BY p.since" : " ORDER BY p.urgency";
    const auto first = tx.exec("SELECT p.basis = 0 FROM pairs p WHERE" + std::string(kFree) + std::string(kOpen) +
                                   " AND p.suspects IS NULL" + order + " LIMIT 1",
                               Params{}.add(shop).add(now));
    if (!first) {
        return std::unexpected(first.error());
    }
    if (first->empty()) {
        return std::optional<Chosen>{};
    }
    const bool on_hand = (*first)[0].boolean(0);
    name = on_hand ? QuantityName::on_hand : QuantityName::available;
    const auto rows =
        tx.exec("SELECT " + std::string(kWritten) + " FROM pairs p WHERE" + std::string(kFree) + std::string(kOpen) +
                    " AND p.suspects IS NULL AND (p.basis = 0) = $3" + order + " LIMIT $4 FOR UPDATE OF p SKIP LOCKED",
                Params{}.add(shop).add(now).add(on_hand).add(most));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? std::optional<Chosen>{} : std::optional(chosen_from(*rows, now));
}

// wrote() of domain/belief. What changed since the batch was formed goes with the next one.
constexpr std::string_view kApplied = R"sql(
UPDATE pairs p SET believed = w.quantity, taken = p.taken - w.taken, net = p.net - w.net, batch = NULL, suspects = NULL,
    held = '', held_until = NULL, perhaps = NULL, recent = (ARRAY[w.quantity] || p.recent)[1:4],
    unsent = p.target <> w.quantity - (p.net - w.net),
    since = CASE WHEN p.target <> w.quantity - (p.net - w.net) THEN b.formed_at END
FROM batches b, unnest(b.item_ids, b.location_ids, b.quantities, b.taken, b.net) AS w (item_id, location_id, quantity, taken, net)
WHERE b.id = $1 AND p.shop = b.shop AND p.item_id = w.item_id AND p.location_id = w.location_id AND p.batch = b.id)sql";

}  // namespace

core::Result<std::optional<Batch>> PgSendStore::due_batch(const std::string& shop, core::SystemTime claimed_until) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::optional<Batch>> {
        const auto rows = tx.exec(
            "UPDATE batches SET due = $3::timestamptz, tries = tries + 1 WHERE id = (SELECT id FROM batches "
            "WHERE shop = $1 AND due <= $2::timestamptz ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING " +
                std::string(kBatchColumns),
            Params{}.add(shop).add(now).add(claimed_until));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (rows->empty()) {
            return std::optional<Batch>{};
        }
        auto batch = batch_of(tx, shop, (*rows)[0]);
        if (!batch) {
            return std::unexpected(std::move(batch.error()));
        }
        return std::optional(std::move(*batch));
    });
}

core::Result<std::optional<Batch>> PgSendStore::form_batch(const std::string& shop, std::size_t most, bool by_age,
                                                           core::SystemTime claimed_until, const Form& form) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::optional<Batch>> {
        // One after the other for a shop: senders that choose side by side would share a backlog into more batches than it needs.
        if (auto alone =
                run(tx, "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.form'), hashtext($1))", Params{}.add(shop));
            !alone) {
            return std::unexpected(std::move(alone.error()));
        }
        std::int64_t group = 0;
        auto name = QuantityName::available;
        auto chosen = half_of_suspects(tx, shop, now, group);
        if (chosen && *chosen) {
            const auto kind =
                tx.exec("SELECT basis = 0 FROM pairs WHERE shop = $1 AND item_id = $2 AND location_id = $3",
                        Params{}.add(shop).add((*chosen)->writes.front().pair.item).add((*chosen)->writes.front().pair.location));
            if (!kind) {
                return std::unexpected(kind.error());
            }
            name = (*kind)[0].boolean(0) ? QuantityName::on_hand : QuantityName::available;
        } else if (chosen) {
            group = 0;
            chosen = next_pairs(tx, shop, now, most, by_age, name);
        }
        if (!chosen) {
            return std::unexpected(std::move(chosen.error()));
        }
        if (!*chosen) {
            return std::optional<Batch>{};
        }
        auto& pairs = **chosen;
        auto body = form(name, pairs.writes);
        if (!body) {
            return std::unexpected(std::move(body.error()));
        }
        Batch batch{.shop = shop, .body = std::move(*body), .formed_at = now, .tries = 1};
        std::vector<std::int64_t> items;
        std::vector<std::int64_t> locations;
        for (const auto& write : pairs.writes) {
            batch.pairs.push_back(write.pair);
            batch.quantities.push_back(write.quantity);
            items.push_back(write.pair.item);
            locations.push_back(write.pair.location);
        }
        batch.since = pairs.since;
        const auto made = tx.exec(R"sql(
INSERT INTO batches (shop, body, formed_at, due, tries, suspects, item_ids, location_ids, quantities, taken, net, since)
VALUES ($1, $2, $3, $4, 1, nullif($5::bigint, 0), $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
        $11::timestamptz[]) RETURNING id)sql",
                                  Params{}
                                      .add(shop)
                                      .add(batch.body)
                                      .add(now)
                                      .add(claimed_until)
                                      .add(group)
                                      .add_array(items)
                                      .add_array(locations)
                                      .add_array(batch.quantities)
                                      .add_array(pairs.taken)
                                      .add_array(pairs.net)
                                      .add_array(std::span<const core::SystemTime>(batch.since)));
        if (!made) {
            return std::unexpected(made.error());
        }
        batch.id = (*made)[0].int64(0);
        auto done = run(tx, R"sql(
UPDATE pairs p SET batch = $2 FROM unnest($3::bigint[], $4::bigint[]) AS w (item_id, location_id)
WHERE p.shop = $1 AND p.item_id = w.item_id AND p.location_id = w.location_id)sql",
                        Params{}.add(shop).add(batch.id).add_array(items).add_array(locations));
        if (!done) {
            return std::unexpected(std::move(done.error()));
        }
        return std::optional(std::move(batch));
    });
}

core::Result<void> PgSendStore::settle(const Batch& batch, const std::function<core::Result<void>(Transaction&)>& change) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        const auto mine = tx.exec("SELECT 1 FROM batches WHERE id = $1 FOR UPDATE", Params{}.add(batch.id));
        if (!mine) {
            return std::unexpected(mine.error());
        }
        if (mine->empty()) {
            return {};
        }
        if (auto locked = run(tx,
                              "SELECT 1 FROM pairs WHERE batch = $1 AND shop = $2 AND (item_id, location_id) IN (SELECT * FROM "
                              "unnest($3::bigint[], $4::bigint[])) ORDER BY shop, item_id, location_id FOR UPDATE",
                              [&] {
                                  std::vector<std::int64_t> items;
                                  std::vector<std::int64_t> locations;
                                  for (const auto& pair : batch.pairs) {
                                      items.push_back(pair.item);
                                      locations.push_back(pair.location);
                                  }
                                  return Params{}.add(batch.id).add(batch.shop).add_array(items).add_array(locations);
                              }());
            !locked) {
            return locked;
        }
        if (auto changed = change(tx); !changed) {
            return changed;
        }
        return run(tx, "DELETE FROM batches WHERE id = $1", Params{}.add(batch.id));
    });
}

namespace {

// The pairs of a batch go back to be sent again.
constexpr std::string_view kReleased = R"sql(
UPDATE pairs p SET batch = NULL FROM batches b, unnest(b.item_ids, b.location_ids) AS w (item_id, location_id)
WHERE b.id = $1 AND p.shop = b.shop AND p.item_id = w.item_id AND p.location_id = w.location_id AND p.batch = b.id)sql";

}  // namespace

core::Result<void> PgSendStore::applied(const Batch& batch) {
    return settle(batch, [&](Transaction& tx) { return run(tx, kApplied, Params{}.add(batch.id)); });
}

core::Result<void> PgSendStore::refused(const Batch& batch, const std::vector<PairProblem>& problems) {
    const auto now = clock_.now();
    return settle(batch, [&](Transaction& tx) -> core::Result<void> {
        if (problems.empty()) {
            // One of these is bad. What was suspected beside them is free: the culprit of that group is among these. It waits for
            // the end of the search, so that all that was freed goes in one call.
            if (auto freed = run(tx,
                                 "UPDATE pairs SET suspects = NULL, held = $3, held_until = $4::timestamptz WHERE shop = $2 AND "
                                 "suspects = (SELECT suspects FROM batches WHERE id = $1) AND batch IS NULL",
                                 Params{}.add(batch.id).add(batch.shop).add(kSearching).add(now + kSearchMax));
                !freed) {
                return freed;
            }
            return run(tx, R"sql(
UPDATE pairs p SET batch = NULL, suspects = b.id FROM batches b, unnest(b.item_ids, b.location_ids) AS w (item_id, location_id)
WHERE b.id = $1 AND p.shop = b.shop AND p.item_id = w.item_id AND p.location_id = w.location_id AND p.batch = b.id)sql",
                       Params{}.add(batch.id));
        }
        std::vector<std::int64_t> items;
        std::vector<std::int64_t> locations;
        std::vector<bool> stale;
        std::vector<std::string> codes;
        for (const auto& problem : problems) {
            if (problem.index < batch.pairs.size()) {
                items.push_back(batch.pairs[problem.index].item);
                locations.push_back(batch.pairs[problem.index].location);
                stale.push_back(problem.kind == ProblemKind::stale);
                codes.push_back(problem.code.empty() ? "refused" : problem.code);
            }
        }
        if (auto marked = run(tx, R"sql(
UPDATE pairs p SET look = p.look OR w.stale, suspects = NULL,
    held = CASE WHEN w.stale THEN p.held ELSE w.code END,
    held_until = CASE WHEN w.stale THEN p.held_until ELSE $6::timestamptz END
FROM unnest($2::bigint[], $3::bigint[], $4::boolean[], $5::text[]) AS w (item_id, location_id, stale, code)
WHERE p.shop = $1 AND p.item_id = w.item_id AND p.location_id = w.location_id)sql",
                              Params{}
                                  .add(batch.shop)
                                  .add_array(items)
                                  .add_array(locations)
                                  .add_array(stale)
                                  .add_array(codes)
                                  .add(now + kRest));
            !marked) {
            return marked;
        }
        return run(tx, kReleased, Params{}.add(batch.id));
    });
}

core::Result<void> PgSendStore::dropped(const Batch& batch) {
    return settle(batch, [&](Transaction& tx) {
        return run(tx, R"sql(
UPDATE pairs p SET batch = NULL, look = true, perhaps = w.quantity
FROM batches b, unnest(b.item_ids, b.location_ids, b.quantities) AS w (item_id, location_id, quantity)
WHERE b.id = $1 AND p.shop = b.shop AND p.item_id = w.item_id AND p.location_id = w.location_id AND p.batch = b.id)sql",
                   Params{}.add(batch.id));
    });
}

core::Result<void> PgSendStore::released(const Batch& batch) {
    return settle(batch, [&](Transaction& tx) { return run(tx, kReleased, Params{}.add(batch.id)); });
}

core::Result<void> PgSendStore::postponed(const Batch& batch, core::SystemTime until) {
    const auto done = pool_.exec(core::Deadline(clock_, kTimeout), "UPDATE batches SET due = $2::timestamptz WHERE id = $1",
                                 Params{}.add(batch.id).add(until));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

core::Result<void> PgSendStore::given_up(const Batch& batch, const std::string& code) {
    const auto now = clock_.now();
    return settle(batch, [&](Transaction& tx) {
        return run(tx, R"sql(
UPDATE pairs p SET batch = NULL, suspects = NULL, look = true, held = $2, held_until = $3::timestamptz, perhaps = w.quantity
FROM batches b, unnest(b.item_ids, b.location_ids, b.quantities) AS w (item_id, location_id, quantity)
WHERE b.id = $1 AND p.shop = b.shop AND p.item_id = w.item_id AND p.location_id = w.location_id AND p.batch = b.id)sql",
                   Params{}.add(batch.id).add(code.empty() ? std::string("given_up") : code).add(now + kRest));
    });
}

core::Result<std::vector<Look>> PgSendStore::looks(const std::string& shop, std::size_t most) {
    // known_open counts orders that were heard of; looked() makes sure that none was heard of in between.
    const auto rows = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT p.item_id, p.location_id, p.basis, p.believed, p.taken, p.net, p.pending,
       (SELECT coalesce(sum(r.quantity), 0)::bigint FROM reservations r
        WHERE r.sku = p.sku AND r.shop = p.shop AND r.location_id = p.location_id), p.perhaps, p.risen, p.returned
FROM pairs p WHERE p.shop = $1 AND p.look AND p.batch IS NULL AND (p.held = '' OR p.held_until <= $2)
  AND NOT EXISTS (SELECT FROM locations l WHERE l.shop = p.shop AND l.location_id = p.location_id AND NOT l.active)
ORDER BY p.urgency LIMIT $3)sql",
                                 Params{}.add(shop).add(clock_.now()).add(most));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<Look> looks;
    for (const auto row : *rows) {
        const auto basis = static_cast<Basis>(row.int64(2));
        const auto believed = row.optional_int64(3);
        looks.push_back({.pair = {.item = row.int64(0), .location = row.int64(1)},
                         .name = written_as(basis),
                         .counts_committed = basis == Basis::net_of_own && !believed,
                         .known_open = row.int64(7),
                         .belief = {.believed = believed,
                                    .taken = row.int64(4),
                                    .net = row.int64(5),
                                    .pending = row.int64(6),
                                    .perhaps = row.optional_int64(8),
                                    .risen = row.int64(9),
                                    .returned = row.int64(10)}});
    }
    return looks;
}

core::Result<std::int64_t> PgSendStore::looked(const std::string& shop, const std::vector<Seen>& seen) {
    if (seen.empty()) {
        return 0;
    }
    std::vector<std::int64_t> items;
    std::vector<std::int64_t> locations;
    std::vector<std::int64_t> taken;
    std::vector<std::int64_t> net;
    std::vector<std::int64_t> pending;
    std::vector<bool> stocked;
    std::vector<std::int64_t> believed;
    std::vector<std::int64_t> now_pending;
    std::vector<std::int64_t> returned;
    std::vector<std::int64_t> now_risen;
    std::vector<std::int64_t> now_returned;
    for (const auto& one : seen) {
        items.push_back(one.look.pair.item);
        locations.push_back(one.look.pair.location);
        taken.push_back(one.look.belief.taken);
        net.push_back(one.look.belief.net);
        pending.push_back(one.look.belief.pending);
        stocked.push_back(one.stocked);
        believed.push_back(one.belief.believed.value_or(0));
        now_pending.push_back(one.belief.pending);
        returned.push_back(one.look.belief.returned);
        now_risen.push_back(one.belief.risen);
        now_returned.push_back(one.belief.returned);
    }
    const auto keys = Params{}.add(shop).add_array(items).add_array(locations);
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::int64_t> {
        if (auto locked = run(tx,
                              "SELECT 1 FROM pairs WHERE shop = $1 AND (item_id, location_id) IN (SELECT * FROM "
                              "unnest($2::bigint[], $3::bigint[])) ORDER BY shop, item_id, location_id FOR UPDATE",
                              keys);
            !locked) {
            return std::unexpected(std::move(locked.error()));
        }
        auto params = keys;
        params.add_array(taken).add_array(net).add_array(pending).add_array(stocked).add_array(believed).add_array(now_pending);
        params.add(now).add(now + kRest).add_array(returned).add_array(now_risen).add_array(now_returned);
        // A pair whose pending units changed waits for its new target.
        const auto fallen = tx.exec(R"sql(
WITH seen AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[],
                                   $8::bigint[], $9::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
                  AS s (item_id, location_id, taken, net, pending, stocked, believed, now_pending, returned, now_risen,
                        now_returned)),
     done AS (UPDATE pairs p SET
        look = false,
        doubted = CASE WHEN s.stocked AND s.believed IS DISTINCT FROM p.believed - p.net THEN $10::timestamptz ELSE p.doubted END,
        believed = CASE WHEN s.stocked THEN s.believed ELSE p.believed END,
        taken = CASE WHEN s.stocked THEN 0 ELSE p.taken END,
        net = CASE WHEN s.stocked THEN 0 ELSE p.net END,
        pending = s.now_pending,
        risen = s.now_risen,
        returned = s.now_returned,
        perhaps = CASE WHEN s.stocked THEN NULL ELSE p.perhaps END,
        pending_since = CASE WHEN s.now_pending > 0 THEN coalesce(p.pending_since, $10::timestamptz) END,
        held = CASE WHEN s.stocked THEN '' ELSE 'not_stocked' END,
        held_until = CASE WHEN s.stocked THEN NULL ELSE $11::timestamptz END,
        unsent = s.stocked AND p.target <> s.believed AND s.now_pending = p.pending,
        since = CASE WHEN s.stocked AND p.target = s.believed AND s.now_pending = p.pending THEN NULL ELSE p.since END
        FROM seen s
        WHERE p.shop = $1 AND p.item_id = s.item_id AND p.location_id = s.location_id AND p.batch IS NULL
          AND p.taken = s.taken AND p.net = s.net AND p.pending = s.pending AND p.returned = s.returned
        RETURNING p.sku, s.now_pending - s.pending AS fell)
SELECT sku, fell > 0 FROM done WHERE fell <> 0)sql",
                                    params);
        if (!fallen) {
            return std::unexpected(fallen.error());
        }
        std::vector<std::string> skus;
        std::int64_t fell = 0;
        for (const auto row : *fallen) {
            skus.push_back(row.string(0));
            fell += row.boolean(1) ? 1 : 0;
        }
        if (auto marked = mark_dirty(tx, std::move(skus), true, now); !marked) {
            return std::unexpected(std::move(marked.error()));
        }
        // What is not stocked is looked at again after its rest.
        if (auto rest = run(tx,
                            "UPDATE pairs SET look = true WHERE shop = $1 AND (item_id, location_id) IN (SELECT * FROM "
                            "unnest($2::bigint[], $3::bigint[])) AND held = 'not_stocked'",
                            keys);
            !rest) {
            return std::unexpected(std::move(rest.error()));
        }
        return fell;
    });
}

}  // namespace inventory_sync
