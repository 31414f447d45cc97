#include "adapters/pg_chores.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <array>

#include "adapters/marks.h"
#include "adapters/pg_locations.h"
#include "adapters/pg_order_intake.h"

namespace inventory_sync {
namespace {

namespace json = syncline::json;
using syncline::postgres::Params;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{15};
constexpr std::chrono::seconds kCallTimeout{20};
constexpr std::chrono::hours kAskAgain{1};
constexpr std::chrono::minutes kLocateAgain{1};
constexpr std::chrono::hours kOrdersKept{24 * 37};  // The topic's retention and a week.
constexpr std::int64_t kDeletedAtOnce = 2'000;

core::Result<void> run(Transaction& tx, std::string_view sql, const Params& params) {
    const auto done = tx.exec(sql, params);
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

// The row of an operator's verb, in the transaction of its effect.
core::Result<void> note(Transaction& tx, const std::string& verb, const std::string& subject, const std::string& actor,
                        const std::string& reason, core::SystemTime now) {
    return run(tx, "INSERT INTO admin_actions (id, grp, verb, subject, actor, reason, at) VALUES ($1, 0, $2, $3, $4, $5, $6)",
               Params{}.add(core::uuid_v4()).add(verb).add(subject).add(actor).add(reason).add(now));
}

std::vector<std::string> first_column(const syncline::postgres::Rows& rows) {
    std::vector<std::string> texts;
    texts.reserve(rows.size());
    for (const auto row : rows) {
        texts.push_back(row.string(0));
    }
    return texts;
}

}  // namespace

core::Result<std::size_t> PgChores::find_items(const std::string& shop, std::size_t most) {
    const auto now = clock_.now();
    const auto due = pool_.exec(core::Deadline(clock_, kTimeout),
                                "SELECT sku FROM lookups WHERE shop = $1 AND due <= $2 ORDER BY due LIMIT $3",
                                Params{}.add(shop).add(now).add(most));
    if (!due) {
        return std::unexpected(due.error());
    }
    if (due->empty()) {
        return std::size_t{0};
    }
    const auto skus = first_column(*due);
    const auto found = shops_.find_items(shop, skus, core::Deadline(clock_, kCallTimeout));
    if (!found) {
        return std::unexpected(found.error());
    }
    std::vector<ArrivedItem> items;
    for (const auto& item : *found) {
        items.push_back({.shop = shop,
                         .item = item.item,
                         .sku = item.sku,
                         .tracked = item.tracked,
                         .deleted = false,
                         .version_ns = core::nanos_since_epoch(now)});
    }
    const auto done = pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto taken = take_items(tx, items, now); !taken) {
            return taken;
        }
        // What take_items() found is gone from here; a known one that changed nothing is no longer wanted either.
        std::vector<std::string> known;
        for (const auto& item : items) {
            known.push_back(item.sku);
        }
        if (auto dropped =
                run(tx, "DELETE FROM lookups WHERE shop = $1 AND sku = ANY ($2::text[])", Params{}.add(shop).add_array(known));
            !dropped) {
            return dropped;
        }
        return run(tx, "UPDATE lookups SET unknown = true, due = $3::timestamptz WHERE shop = $1 AND sku = ANY ($2::text[])",
                   Params{}.add(shop).add_array(skus).add(now + kAskAgain));
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return skus.size();
}

core::Result<std::size_t> PgChores::locate_orders(const std::string& shop, std::size_t most) {
    const auto now = clock_.now();
    // Taken out for a minute: if this instance goes away, another tries.
    const auto due = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
UPDATE orders SET locate_due = $3::timestamptz WHERE (shop, order_id) IN
    (SELECT shop, order_id FROM orders WHERE shop = $1 AND locate_due <= $2::timestamptz ORDER BY locate_due LIMIT $4
     FOR UPDATE SKIP LOCKED)
RETURNING order_id)sql",
                                Params{}.add(shop).add(now).add(now + kLocateAgain).add(most));
    if (!due) {
        return std::unexpected(due.error());
    }
    const auto rules = rules_();
    std::size_t located = 0;
    for (const auto row : *due) {
        const OrderKey key{.shop = shop, .order = row.int64(0)};
        const auto places = shops_.places(shop, key.order, core::Deadline(clock_, kCallTimeout));
        if (!places) {
            return std::unexpected(places.error());
        }
        const auto done = pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) {
            return place_order(tx, key, *places, rules.rules.get(), clock_.now());
        });
        if (!done) {
            return std::unexpected(done.error());
        }
        ++located;
    }
    return located;
}

core::Result<bool> PgChores::check_locations(const std::string& shop) {
    const auto now = clock_.now();
    const auto due =
        pool_.exec(core::Deadline(clock_, kTimeout), "SELECT 1 FROM location_checks WHERE shop = $1 AND due > $2::timestamptz",
                   Params{}.add(shop).add(now));
    if (!due) {
        return std::unexpected(due.error());
    }
    if (!due->empty()) {
        return false;
    }
    // Put off first: a shop that does not answer is not asked in a loop.
    constexpr std::string_view kNext =
        "INSERT INTO location_checks (shop, due) VALUES ($1, $2) ON CONFLICT (shop) DO UPDATE SET due = excluded.due";
    if (const auto later = pool_.exec(core::Deadline(clock_, kTimeout), kNext, Params{}.add(shop).add(now + kLocateAgain));
        !later) {
        return std::unexpected(later.error());
    }
    const auto found = shops_.locations(shop, core::Deadline(clock_, kCallTimeout));
    if (!found) {
        return std::unexpected(found.error());
    }
    if (found->empty()) {
        return core::fail(core::ErrorKind::transient, "locations_missing", "Shopify names no location: every shop has one");
    }
    std::vector<ArrivedLocation> locations;
    for (const auto& location : *found) {
        locations.push_back({.shop = shop, .location = location.location, .name = location.name, .active = location.active});
    }
    const auto done = pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto taken = take_all_locations(tx, shop, locations, now); !taken) {
            return taken;
        }
        // Unless a webhook came meanwhile.
        return run(tx, "UPDATE location_checks SET due = $3::timestamptz WHERE shop = $1 AND due = $2::timestamptz",
                   Params{}.add(shop).add(now + kLocateAgain).add(now + kAskAgain));
    });
    if (!done) {
        return std::unexpected(done.error());
    }
    return true;
}

core::Result<void> PgChores::tidy() {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto done = run(tx, R"sql(
DELETE FROM orders WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM orders o WHERE o.changed_at < $1::timestamptz AND o.locate_due IS NULL
    AND NOT EXISTS (SELECT FROM reservations r WHERE r.shop = o.shop AND r.order_id = o.order_id)
    AND NOT EXISTS (SELECT FROM shipments s WHERE s.shop = o.shop AND s.order_id = o.order_id) LIMIT $2)))sql",
                            Params{}.add(now - kOrdersKept).add(kDeletedAtOnce));
            !done) {
            return done;
        }
        // A shipment that every level of its SKU has in it will never be subtracted again. Eight days: more than any lag.
        return run(tx, R"sql(
DELETE FROM shipments WHERE ctid = ANY (ARRAY(SELECT s.ctid FROM shipments s WHERE s.shipped_ns < $1
    AND EXISTS (SELECT FROM positions p WHERE p.sku = s.sku)
    AND NOT EXISTS (SELECT FROM positions p WHERE p.sku = s.sku AND p.observed_ns < s.shipped_ns + 691200000000000) LIMIT $2)))sql",
                   Params{}.add(core::nanos_since_epoch(now - kOrdersKept)).add(kDeletedAtOnce));
    });
}

core::Result<StockFigures> PgChores::figures() {
    const auto rows = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT (SELECT coalesce(sum(size), 0) FROM dirty), (SELECT count(*) FROM pairs WHERE unsent), (SELECT count(*) FROM pairs WHERE held <> ''),
       (SELECT count(*) FROM unmapped), (SELECT count(*) FROM lookups WHERE unknown),
       (SELECT count(*) FROM pairs WHERE sellable < 0),
       (SELECT coalesce(sum(pending), 0)::bigint FROM pairs WHERE pending > 0), (SELECT count(*) FROM batches),
       least((SELECT min(since) FROM pairs p WHERE unsent AND NOT EXISTS (SELECT FROM locations l
                  WHERE l.shop = p.shop AND l.location_id = p.location_id AND NOT l.active)),
             (SELECT min(since) FROM dirty)),
       (SELECT count(*) FROM locations l WHERE NOT active AND EXISTS
           (SELECT FROM pairs p WHERE p.shop = l.shop AND p.location_id = l.location_id)))sql");
    if (!rows) {
        return std::unexpected(rows.error());
    }
    const auto row = (*rows)[0];
    return StockFigures{.dirty = row.int64(0),
                        .unsent = row.int64(1),
                        .held_pairs = row.int64(2),
                        .held_places = row.int64(3),
                        .unknown_skus = row.int64(4),
                        .oversold = row.int64(5),
                        .pending_units = row.int64(6),
                        .batches = row.int64(7),
                        .inactive_locations = row.int64(9),
                        .oldest_unsent = row.optional_time(8).value_or(core::SystemTime{})};
}

core::Result<std::string> PgChores::pair_state(const std::string& shop, const std::string& sku) {
    const auto pairs = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT item_id, location_id, basis, target, sellable, believed, taken, net, pending, unsent, look, batch IS NOT NULL, held, since
FROM pairs WHERE shop = $1 AND sku = $2 ORDER BY item_id, location_id)sql",
                                  Params{}.add(shop).add(sku));
    const auto levels = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT p.source, p.location, p.basis, p.unit, p.level::text, p.observed_ns, p.epoch, p.sequence::text,
       (SELECT coalesce(sum(a.delta), 0)::text FROM adjustments a
        WHERE a.sku = p.sku AND a.source = p.source AND a.location = p.location)
FROM positions p WHERE p.sku = $1 ORDER BY p.source, p.location)sql",
                                   Params{}.add(sku));
    if (!pairs || !levels) {
        return std::unexpected(!pairs ? pairs.error() : levels.error());
    }
    constexpr std::array<std::string_view, 3> kBases{"physical", "net_of_own", "net_of_all"};
    const auto basis = [&](std::int64_t value) {
        return kBases[static_cast<std::size_t>(std::clamp<std::int64_t>(value, 0, 2))];
    };
    json::Writer out;
    out.begin_object().member("shop", shop).member("sku", sku).key("pairs").begin_array();
    for (const auto row : *pairs) {
        out.begin_object().member("inventory_item_id", row.int64(0)).member("location_id", row.int64(1));
        out.member("written_as", row.int64(2) == 0 ? "on_hand" : "available").member("target", row.int64(3));
        out.member("sellable", row.int64(4)).key("believed");
        if (const auto believed = row.optional_int64(5)) {
            out.integer(*believed);
        } else {
            out.null();
        }
        out.member("taken_since", row.int64(6)).member("expected_lower_by", row.int64(7)).member("pending", row.int64(8));
        out.member("unsent", row.boolean(9)).member("to_be_read", row.boolean(10)).member("on_its_way", row.boolean(11));
        out.member("held", row.text(12));
        if (const auto since = row.optional_time(13)) {
            out.member("unsent_since", core::format_rfc3339_utc_millis(*since));
        }
        out.end_object();
    }
    out.end_array().key("levels").begin_array();
    for (const auto row : *levels) {
        out.begin_object().member("source", row.text(0)).member("location", row.text(1)).member("basis", basis(row.int64(2)));
        out.member("unit", row.text(3)).key("level");
        if (const auto level = row.optional_text(4)) {
            out.number(*level);
            out.member("observed_at", core::format_rfc3339_utc(core::time_from_nanos(row.int64(5))));
        } else {
            out.null();
        }
        out.member("epoch", row.text(6)).member("sequence", row.text(7)).key("changes_since").number(row.text(8)).end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

core::Result<std::string> PgChores::holds() {
    const auto rows = pool_.exec(
        core::Deadline(clock_, kTimeout),
        "SELECT source, location, reason, since, (SELECT count(*) FROM positions p WHERE p.source = "
        "u.source AND (u.location = '' OR p.location = u.location)) FROM unmapped u ORDER BY since, source, location LIMIT 1000");
    const auto pairs = pool_.exec(core::Deadline(clock_, kTimeout),
                                  "SELECT shop, item_id, location_id, sku, held, held_until FROM pairs WHERE held <> '' ORDER BY "
                                  "shop, sku, location_id LIMIT 1000");
    // A location that nothing is written at because Shopify does not keep it open.
    const auto closed = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT l.shop, l.location_id, l.name, l.since, (SELECT count(*) FROM pairs p WHERE p.shop = l.shop AND p.location_id = l.location_id)
FROM locations l WHERE NOT l.active AND EXISTS (SELECT FROM pairs p WHERE p.shop = l.shop AND p.location_id = l.location_id)
ORDER BY l.shop, l.location_id LIMIT 1000)sql");
    if (!rows || !pairs || !closed) {
        return std::unexpected(!rows ? rows.error() : !pairs ? pairs.error() : closed.error());
    }
    json::Writer out;
    out.begin_object().key("places").begin_array();
    for (const auto row : *rows) {
        out.begin_object().member("source", row.text(0)).member("location", row.text(1)).member("waits_for", row.text(2));
        out.member("since", core::format_rfc3339_utc_millis(row.time(3))).member("items", row.int64(4)).end_object();
    }
    out.end_array().key("locations").begin_array();
    for (const auto row : *closed) {
        out.begin_object().member("shop", row.text(0)).member("location_id", row.int64(1)).member("name", row.text(2));
        out.member("code", "location_inactive").member("since", core::format_rfc3339_utc_millis(row.time(3)));
        out.member("pairs", row.int64(4)).end_object();
    }
    out.end_array().key("pairs").begin_array();
    for (const auto row : *pairs) {
        out.begin_object()
            .member("shop", row.text(0))
            .member("inventory_item_id", row.int64(1))
            .member("location_id", row.int64(2));
        out.member("sku", row.text(3)).member("code", row.text(4));
        if (const auto until = row.optional_time(5)) {
            out.member("tried_again_at", core::format_rfc3339_utc_millis(*until));
        }
        out.end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

core::Result<std::int64_t> PgChores::backfill(const std::string& shop, std::int64_t location, const std::string& actor,
                                              const std::string& reason) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, std::chrono::minutes(2)), [&](Transaction& tx) -> core::Result<std::int64_t> {
        const auto subject = "stock/" + shop + (location != 0 ? "/" + std::to_string(location) : std::string{});
        if (auto noted = note(tx, "backfill", subject, actor, reason, now); !noted) {
            return std::unexpected(std::move(noted.error()));
        }
        const auto marked = tx.exec(R"sql(
UPDATE pairs p SET look = true, held = '', held_until = NULL, since = coalesce(p.since, $3::timestamptz)
FROM (SELECT shop, item_id, location_id FROM pairs WHERE shop = $1 AND ($2::bigint = 0 OR location_id = $2::bigint)
      ORDER BY shop, item_id, location_id FOR UPDATE) AS f
WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id)sql",
                                    Params{}.add(shop).add(location).add(now));
        if (!marked) {
            return std::unexpected(marked.error());
        }
        return marked->affected();
    });
}

core::Result<std::string> PgChores::backfill_state(const std::string& shop, std::int64_t location) {
    const auto rows = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT count(*), count(*) FILTER (WHERE p.look AND p.held = '' AND o.open), count(*) FILTER (WHERE p.unsent AND p.held = '' AND o.open),
       count(*) FILTER (WHERE p.batch IS NOT NULL), count(*) FILTER (WHERE p.held <> '' OR NOT o.open)
FROM pairs p, LATERAL (SELECT NOT EXISTS (SELECT FROM locations l
    WHERE l.shop = p.shop AND l.location_id = p.location_id AND NOT l.active) AS open) o
WHERE p.shop = $1 AND ($2::bigint = 0 OR p.location_id = $2::bigint))sql",
                                 Params{}.add(shop).add(location));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    const auto row = (*rows)[0];
    json::Writer out;
    out.begin_object().member("shop", shop).member("pairs", row.int64(0)).member("to_be_read", row.int64(1));
    out.member("unsent", row.int64(2)).member("on_their_way", row.int64(3)).member("held", row.int64(4)).end_object();
    return std::move(out).take();
}

core::Result<std::int64_t> PgChores::clear_pending(const std::string& shop, core::SystemTime until, const std::string& actor,
                                                   const std::string& reason) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, std::chrono::minutes(2)), [&](Transaction& tx) -> core::Result<std::int64_t> {
        if (auto noted = note(tx, "clear-pending", "stock/" + shop, actor, reason, now); !noted) {
            return std::unexpected(std::move(noted.error()));
        }
        if (auto certain = run(tx, R"sql(
UPDATE pairs p SET doubted = NULL
FROM (SELECT shop, item_id, location_id FROM pairs WHERE shop = $1 AND doubted <= $2::timestamptz
      ORDER BY shop, item_id, location_id FOR UPDATE) AS f
WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id)sql",
                               Params{}.add(shop).add(until));
            !certain) {
            return std::unexpected(std::move(certain.error()));
        }
        const auto cleared = tx.exec(R"sql(
UPDATE pairs p SET pending = 0, pending_since = NULL, risen = 0, returned = 0
FROM (SELECT shop, item_id, location_id FROM pairs WHERE shop = $1 AND pending > 0 AND pending_since <= $2::timestamptz
      ORDER BY shop, item_id, location_id FOR UPDATE) AS f
WHERE p.shop = f.shop AND p.item_id = f.item_id AND p.location_id = f.location_id RETURNING p.sku)sql",
                                     Params{}.add(shop).add(until));
        if (!cleared) {
            return std::unexpected(cleared.error());
        }
        if (auto marked = mark_dirty(tx, first_column(*cleared), false, now); !marked) {
            return std::unexpected(std::move(marked.error()));
        }
        return static_cast<std::int64_t>(cleared->size());
    });
}

}  // namespace inventory_sync
