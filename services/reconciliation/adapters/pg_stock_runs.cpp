#include "adapters/pg_stock_runs.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/kit/outbox.h>
#include <syncline/postgres/pool.h>
#include <syncline/topics.h>
#include <algorithm>
#include <utility>

#include "adapters/divergence_event.h"

namespace reconciliation {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Row;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{30};
constexpr int kAnnouncedAtOnce = 500;
// Shopify keeps a result for seven days, but what is compared should not be old.
constexpr std::chrono::hours kBulkUsable{2};

core::Result<void> run(Transaction& tx, std::string_view sql, const Params& params) {
    const auto done = tx.exec(sql, params);
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

std::optional<std::string> text_of(const std::optional<core::Decimal>& value) {
    return value ? std::optional(value->to_string()) : std::nullopt;
}

std::optional<core::Decimal> decimal_of(const std::optional<std::string_view>& text) {
    if (!text) {
        return std::nullopt;
    }
    const auto value = core::Decimal::parse(*text);
    return value ? std::optional(*value) : std::nullopt;
}

StockRun run_of(const Row& row) {
    StockRun found{.id = row.string(0),
                   .shop = row.string(1),
                   .kind = row.text(2) == "nightly"   ? RunKind::nightly
                           : row.text(2) == "changed" ? RunKind::changed
                                                      : RunKind::asked,
                   .night = row.string(3),
                   .location = row.string(4),
                   .source = row.string(5),
                   .changed_since = row.optional_time(6),
                   .accept_size = row.boolean(7),
                   .state = run_state_from(row.text(8)),
                   .attempts = row.int32(9),
                   .bulk_id = row.string(10),
                   .bulk_at = row.optional_time(11),
                   .started_at = row.optional_time(12)};
    return found;
}

constexpr std::string_view kClaim = R"sql(
UPDATE stock_runs SET owner = $2,
    attempts = attempts + CASE WHEN state IN ('waiting', 'comparing') THEN 1 ELSE 0 END,
    started_at = coalesce(started_at, $3::timestamptz),
    bulk_id = CASE WHEN bulk_at > $4::timestamptz THEN bulk_id ELSE '' END,
    state = CASE WHEN state = 'waiting' THEN 'comparing' ELSE state END
WHERE id = (SELECT id FROM stock_runs WHERE shop = $1 AND (state IN ('comparing', 'announcing', 'approved')
        OR (state = 'waiting' AND due <= $3::timestamptz))
    ORDER BY state = 'waiting', due, created_at LIMIT 1)
RETURNING id::text, shop, kind, night, location, source, changed_since, accept_size, state, attempts, bulk_id, bulk_at, started_at)sql";

}  // namespace

const std::string_view kStockRunsSchema = R"sql(
CREATE TABLE IF NOT EXISTS stock_runs (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    kind text NOT NULL,
    night text NOT NULL,
    location text NOT NULL,
    source text NOT NULL,
    changed_since timestamptz,
    accept_size boolean NOT NULL,
    asked_by text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    due timestamptz NOT NULL,
    owner text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    bulk_id text NOT NULL DEFAULT '',
    bulk_at timestamptz,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    compared_at timestamptz,
    shopify_rows bigint NOT NULL DEFAULT 0,
    healing text NOT NULL DEFAULT '',
    brake text,
    announced_side text NOT NULL DEFAULT '',
    announced bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    corrections bigint NOT NULL DEFAULT 0,
    approved_by text NOT NULL DEFAULT '',
    approved_reason text NOT NULL DEFAULT '',
    error_code text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS stock_runs_night ON stock_runs (shop, night) WHERE night <> '';
CREATE INDEX IF NOT EXISTS stock_runs_open ON stock_runs (shop, due) WHERE state IN ('waiting', 'comparing', 'announcing', 'approved');
CREATE INDEX IF NOT EXISTS stock_runs_created ON stock_runs (created_at);
CREATE TABLE IF NOT EXISTS stock_comparisons (
    run uuid NOT NULL REFERENCES stock_runs (id) ON DELETE CASCADE,
    side text NOT NULL,
    pairs bigint NOT NULL,
    shopify_rows bigint NOT NULL,
    other_rows bigint NOT NULL,
    all_rows bigint NOT NULL,
    repeated bigint NOT NULL,
    by_class bigint[] NOT NULL,
    kept bigint NOT NULL,
    error_code text NOT NULL,
    error text NOT NULL,
    PRIMARY KEY (run, side));
-- Numbers are 1, 2, 3 … of each side: a page of a report is a range of them.
CREATE TABLE IF NOT EXISTS stock_differences (
    run uuid NOT NULL REFERENCES stock_runs (id) ON DELETE CASCADE,
    side text NOT NULL,
    number bigint NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    item_id bigint NOT NULL,
    shopify numeric,
    other numeric,
    wanted numeric,
    class smallint NOT NULL,
    cause text NOT NULL,
    observed_ns bigint NOT NULL,
    healing smallint NOT NULL,
    PRIMARY KEY (run, side, number));
)sql";

PgStockRuns::PgStockRuns(syncline::postgres::Pool& pool, core::Clock& clock, std::string owner)
    : pool_(pool), clock_(clock), owner_(std::move(owner)) {}

core::Result<void> PgStockRuns::own(Transaction& tx, const StockRun& run) const {
    const auto held = tx.exec(
        "SELECT 1 FROM stock_runs WHERE id = $1::uuid AND owner = $2 AND attempts = $3 AND state IN ('comparing', "
        "'announcing', 'approved') FOR UPDATE",
        Params{}.add(run.id).add(owner_).add(run.attempts));
    if (!held) {
        return std::unexpected(held.error());
    }
    if (held->empty()) {
        return core::fail(core::ErrorKind::conflict, "run_lost", "another instance goes on with the run");
    }
    return {};
}

core::Result<bool> PgStockRuns::plan(const StockRun& run, const std::string& by, const std::string& reason) {
    const auto now = clock_.now();
    Params params;
    params.add(run.id).add(run.shop).add(std::string(to_string(run.kind))).add(run.night).add(run.location).add(run.source);
    if (run.changed_since) {
        params.add(*run.changed_since);
    } else {
        params.add_null();
    }
    params.add(run.accept_size).add(by).add(reason).add(now);
    // A person may ask as often as wanted; the schedule does not pile up.
    const auto added = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
INSERT INTO stock_runs (id, shop, kind, night, location, source, changed_since, accept_size, asked_by, reason, state, due, created_at)
SELECT $1::uuid, $2, $3, $4, $5, $6, $7::timestamptz, $8::boolean, $9, $10, 'waiting', $11::timestamptz, $11::timestamptz
WHERE $3 = 'asked' OR NOT EXISTS (SELECT 1 FROM stock_runs WHERE shop = $2 AND kind = $3
    AND state IN ('waiting', 'comparing', 'announcing', 'approved'))
ON CONFLICT DO NOTHING)sql",
                                  params);
    if (!added) {
        return std::unexpected(added.error());
    }
    return added->affected() == 1;
}

core::Result<std::optional<core::SystemTime>> PgStockRuns::last_began(const std::string& shop, RunKind kind) {
    const auto found =
        pool_.exec(core::Deadline(clock_, kTimeout), "SELECT max(created_at) FROM stock_runs WHERE shop = $1 AND kind = $2",
                   Params{}.add(shop).add(std::string(to_string(kind))));
    if (!found) {
        return std::unexpected(found.error());
    }
    return (*found)[0].optional_time(0);
}

core::Result<std::optional<core::SystemTime>> PgStockRuns::compared_until(const std::string& shop) {
    const auto found = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT max(r.started_at) FROM stock_runs r JOIN stock_comparisons c ON c.run = r.id AND c.side = $2 AND c.error_code = ''
WHERE r.shop = $1 AND r.location = '' AND r.compared_at IS NOT NULL)sql",
                                  Params{}.add(shop).add(kOwnSide));
    if (!found) {
        return std::unexpected(found.error());
    }
    return (*found)[0].optional_time(0);
}

core::Result<std::optional<StockRun>> PgStockRuns::claim(const std::string& shop) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::optional<StockRun>> {
        const auto rows = tx.exec(kClaim, Params{}.add(shop).add(owner_).add(now).add(now - kBulkUsable));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (rows->empty()) {
            return std::nullopt;
        }
        auto claimed = run_of((*rows)[0]);
        if (claimed.state == RunState::comparing) {
            for (const auto* table :
                 {"DELETE FROM stock_differences WHERE run = $1::uuid", "DELETE FROM stock_comparisons WHERE run = $1::uuid"}) {
                if (auto emptied = run(tx, table, Params{}.add(claimed.id)); !emptied) {
                    return std::unexpected(emptied.error());
                }
            }
        }
        return claimed;
    });
}

core::Result<void> PgStockRuns::bulk_begun(const StockRun& run_, const std::string& bulk_id) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto held = own(tx, run_); !held) {
            return held;
        }
        return run(tx, "UPDATE stock_runs SET bulk_id = $2, bulk_at = $3 WHERE id = $1::uuid",
                   Params{}.add(run_.id).add(bulk_id).add(clock_.now()));
    });
}

core::Result<std::uint64_t> PgStockRuns::rows_before(const StockRun& run, const std::string& side) {
    // Shopify's own rows stand with the run.
    const auto found = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT CASE WHEN $3 = 'shopify' THEN r.shopify_rows ELSE c.all_rows END
FROM stock_runs r LEFT JOIN stock_comparisons c ON c.run = r.id AND c.side = $3 AND c.error_code = ''
WHERE r.shop = $1 AND r.location = $2 AND r.kind <> 'changed' AND r.compared_at IS NOT NULL AND ($3 = 'shopify' OR c.run IS NOT NULL)
ORDER BY r.compared_at DESC LIMIT 1)sql",
                                  Params{}.add(run.shop).add(run.location).add(side));
    if (!found) {
        return std::unexpected(found.error());
    }
    return found->empty() ? 0 : static_cast<std::uint64_t>((*found)[0].int64(0));
}

core::Result<void> PgStockRuns::keep(const StockRun& run_, const std::vector<KeptDifference>& differences) {
    if (differences.empty()) {
        return {};
    }
    std::vector<std::string> sides;
    std::vector<std::int64_t> numbers;
    std::vector<std::string> skus;
    std::vector<std::string> locations;
    std::vector<std::int64_t> items;
    std::vector<std::optional<std::string>> shopify;
    std::vector<std::optional<std::string>> other;
    std::vector<std::optional<std::string>> wanted;
    std::vector<std::int64_t> classes;
    std::vector<std::string> causes;
    std::vector<std::int64_t> observed;
    std::vector<std::int64_t> healings;
    for (const auto& kept : differences) {
        const auto& difference = kept.difference;
        sides.push_back(kept.side);
        numbers.push_back(kept.number);
        skus.push_back(difference.sku);
        locations.push_back(difference.location);
        items.push_back(difference.item_id);
        shopify.push_back(text_of(difference.shopify));
        other.push_back(text_of(difference.other));
        wanted.push_back(text_of(difference.wanted));
        classes.push_back(static_cast<std::int64_t>(difference.kind));
        causes.push_back(kept.cause);
        observed.push_back(difference.observed_at_ns);
        healings.push_back(static_cast<std::int64_t>(kept.healing));
    }
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto held = own(tx, run_); !held) {
            return held;
        }
        Params params;
        params.add(run_.id).add_array(sides).add_array(numbers).add_array(skus).add_array(locations).add_array(items);
        params.add_array(shopify).add_array(other).add_array(wanted).add_array(classes).add_array(causes).add_array(observed);
        params.add_array(healings);
        return run(tx, R"sql(
INSERT INTO stock_differences (run, side, number, sku, location, item_id, shopify, other, wanted, class, cause, observed_ns, healing)
SELECT $1::uuid, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::smallint[], $11::text[], $12::bigint[], $13::smallint[]))sql",
                   params);
    });
}

core::Result<void> PgStockRuns::compared(const StockRun& run_, std::uint64_t shopify_rows,
                                         const std::vector<ComparisonResult>& results, HealingMode mode,
                                         const std::optional<std::string>& brake) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto held = own(tx, run_); !held) {
            return held;
        }
        for (const auto& result : results) {
            std::vector<std::int64_t> by_class(result.totals.by_class.begin(), result.totals.by_class.end());
            const auto kept = result.error ? 0 : result.kept;
            Params params;
            params.add(run_.id).add(result.side).add(result.totals.pairs).add(result.totals.shopify_rows);
            params.add(result.totals.other_rows).add(result.all_rows).add(result.totals.repeated).add_array(by_class).add(kept);
            params.add(result.error ? result.error->code : "").add(result.error ? result.error->message : "");
            if (auto added = run(tx,
                                 "INSERT INTO stock_comparisons (run, side, pairs, shopify_rows, other_rows, all_rows, repeated, "
                                 "by_class, kept, error_code, error) VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8::bigint[], $9, "
                                 "$10, $11)",
                                 params);
                !added) {
                return added;
            }
            // What a snapshot that was not believed said counts for nothing.
            if (result.error) {
                if (auto gone = run(tx, "DELETE FROM stock_differences WHERE run = $1::uuid AND side = $2",
                                    Params{}.add(run_.id).add(result.side));
                    !gone) {
                    return gone;
                }
            }
        }
        if (brake) {
            if (auto held =
                    run(tx, "UPDATE stock_differences SET healing = $2 WHERE run = $1::uuid AND healing = $3",
                        Params{}.add(run_.id).add(static_cast<int>(Healing::braked)).add(static_cast<int>(Healing::corrected)));
                !held) {
                return held;
            }
        }
        // A full run says anew what waits for a person.
        if (run_.kind != RunKind::changed && run_.location.empty()) {
            if (auto settled =
                    run(tx, "UPDATE stock_runs SET state = 'done' WHERE shop = $1 AND state = 'braked' AND id <> $2::uuid",
                        Params{}.add(run_.shop).add(run_.id));
                !settled) {
                return settled;
            }
        }
        Params params;
        params.add(run_.id).add(clock_.now()).add(shopify_rows);
        params.add(mode == HealingMode::off ? "off" : (mode == HealingMode::propose ? "propose" : "correct"));
        params.add(mode == HealingMode::correct ? brake : std::nullopt);
        return run(tx,
                   "UPDATE stock_runs SET state = 'announcing', compared_at = $2, shopify_rows = $3, healing = $4, brake = $5, "
                   "error_code = '', error = '' WHERE id = $1::uuid",
                   params);
    });
}

core::Result<bool> PgStockRuns::announce(const StockRun& run_) {
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<bool> {
        if (auto held = own(tx, run_); !held) {
            return std::unexpected(held.error());
        }
        const auto at =
            tx.exec("SELECT state, announced_side, announced, brake FROM stock_runs WHERE id = $1::uuid", Params{}.add(run_.id));
        if (!at) {
            return std::unexpected(at.error());
        }
        const auto state = run_state_from((*at)[0].text(0));
        if (state != RunState::announcing && state != RunState::approved) {
            return core::fail(core::ErrorKind::conflict, "run_lost", "the run is not to be announced");
        }
        // In flight goes by itself: it is in the report only. What was approved is announced again, as corrected.
        const bool approved = state == RunState::approved;
        Params params;
        params.add(run_.id).add((*at)[0].text(1)).add((*at)[0].int64(2)).add(kAnnouncedAtOnce);
        params.add(static_cast<int>(DivergenceClass::in_flight)).add(approved ? static_cast<int>(Healing::braked) : -1);
        const auto rows = tx.exec(R"sql(
SELECT side, number, sku, location, item_id, shopify::text, other::text, class, cause, observed_ns, healing FROM stock_differences
WHERE run = $1::uuid AND (side, number) > ($2, $3::bigint) AND class <> $5 AND ($6::integer < 0 OR healing = $6::integer)
ORDER BY side, number LIMIT $4)sql",
                                  params);
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (rows->empty()) {
            // The record says what was done about each.
            if (approved) {
                if (auto healed = run(
                        tx, "UPDATE stock_differences SET healing = $2 WHERE run = $1::uuid AND healing = $3",
                        Params{}.add(run_.id).add(static_cast<int>(Healing::corrected)).add(static_cast<int>(Healing::braked)));
                    !healed) {
                    return std::unexpected(healed.error());
                }
            }
            const bool waits = !approved && !(*at)[0].is_null(3);
            if (auto ended = run(tx, "UPDATE stock_runs SET state = $2, finished_at = $3 WHERE id = $1::uuid",
                                 Params{}.add(run_.id).add(waits ? "braked" : "done").add(now));
                !ended) {
                return std::unexpected(ended.error());
            }
            return false;
        }
        std::vector<syncline::kit::OwnEvent> events;
        std::int64_t corrections = 0;
        for (const auto row : *rows) {
            DivergenceEvent event{.run_id = run_.id,
                                  .shop = run_.shop,
                                  .compared_with = row.string(0),
                                  .sku = row.string(2),
                                  .location = row.string(3),
                                  .item_id = row.int64(4),
                                  .shopify = decimal_of(row.optional_text(5)),
                                  .other = decimal_of(row.optional_text(6)),
                                  .kind = static_cast<DivergenceClass>(row.int32(7)),
                                  .cause = row.string(8),
                                  .observed_at_ns = row.int64(9),
                                  .healing = approved ? Healing::corrected : static_cast<Healing>(row.int32(10))};
            corrections += event.healing == Healing::corrected ? 1 : 0;
            const auto key = run_.shop + "/" + event.sku;
            events.push_back({.id = core::uuid_v5(core::kSynclineNamespace,
                                                  "stock-divergence|" + run_.id + '|' + event.compared_with + '|' +
                                                      std::to_string(row.int64(1)) + '|' + std::string(to_string(event.healing))),
                              .where = {.topic = std::string(syncline::topics::reconciliation), .key = key, .subject = key},
                              .event = message_of(event),
                              .correlation_id = run_.id,
                              .time = now});
        }
        if (auto written = syncline::kit::write_outbox(tx, "reconciliation", now, events); !written) {
            return std::unexpected(written.error());
        }
        const auto last = (*rows)[rows->size() - 1];
        if (auto moved = run(tx,
                             "UPDATE stock_runs SET announced_side = $2, announced = $3, events = events + $4, corrections = "
                             "corrections + $5 WHERE id = $1::uuid",
                             Params{}.add(run_.id).add(last.text(0)).add(last.int64(1)).add(events.size()).add(corrections));
            !moved) {
            return std::unexpected(moved.error());
        }
        return true;
    });
}

core::Result<void> PgStockRuns::again_later(const StockRun& run_, core::SystemTime due, const core::Error& error, bool new_bulk) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto held = own(tx, run_); !held) {
            return held;
        }
        return run(
            tx,
            "UPDATE stock_runs SET state = 'waiting', due = $2, error_code = $3, error = $4, bulk_id = CASE WHEN $5::boolean "
            "THEN '' ELSE bulk_id END WHERE id = $1::uuid",
            Params{}.add(run_.id).add(due).add(error.code).add(error.message).add(new_bulk));
    });
}

core::Result<void> PgStockRuns::failed(const StockRun& run_, const core::Error& error) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<void> {
        if (auto held = own(tx, run_); !held) {
            return held;
        }
        if (auto gone = run(tx, "DELETE FROM stock_differences WHERE run = $1::uuid", Params{}.add(run_.id)); !gone) {
            return gone;
        }
        return run(tx,
                   "UPDATE stock_runs SET state = 'failed', finished_at = $2, error_code = $3, error = $4 WHERE id = $1::uuid",
                   Params{}.add(run_.id).add(clock_.now()).add(error.code).add(error.message));
    });
}

}  // namespace reconciliation
