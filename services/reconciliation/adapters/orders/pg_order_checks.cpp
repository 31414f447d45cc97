#include "adapters/orders/pg_order_checks.h"

#include <google/protobuf/message_lite.h>

#include <syncline/core/time.h>
#include <syncline/kit/outbox.h>
#include <syncline/topics.h>
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "adapters/orders/lookup_rows.h"
#include "adapters/orders/order_events.h"

namespace reconciliation {

using postgres::Params;
using postgres::Transaction;

const std::string_view kOrderChecksSchema = R"sql(
CREATE TABLE IF NOT EXISTS order_shops (
    shop text PRIMARY KEY,
    watermark timestamptz,
    covered_until timestamptz,
    passed_at timestamptz,
    cleared_until timestamptz,
    published_at timestamptz);
-- Orders that are to be fetched. run: '' for the check itself.
CREATE TABLE IF NOT EXISTS order_lookups (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    run text NOT NULL,
    backfill boolean NOT NULL,
    reason text NOT NULL,
    listed_at timestamptz,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    found_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    due timestamptz NOT NULL,
    code text NOT NULL DEFAULT '',
    PRIMARY KEY (shop, order_id, run));
CREATE INDEX IF NOT EXISTS order_lookups_due ON order_lookups (shop, due);
CREATE INDEX IF NOT EXISTS order_lookups_run ON order_lookups (run) WHERE run <> '';
CREATE TABLE IF NOT EXISTS order_runs (
    id text PRIMARY KEY,
    shop text NOT NULL,
    backfill boolean NOT NULL,
    dry_run boolean NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    position timestamptz NOT NULL,
    after text,
    pages integer NOT NULL DEFAULT 0,
    end_reached boolean NOT NULL DEFAULT false,
    state text NOT NULL,
    listed bigint NOT NULL DEFAULT 0,
    found bigint NOT NULL DEFAULT 0,
    published bigint NOT NULL DEFAULT 0,
    came bigint NOT NULL DEFAULT 0,
    gone bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    sample bigint[] NOT NULL DEFAULT '{}',
    code text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz);
CREATE INDEX IF NOT EXISTS order_runs_open ON order_runs (shop, created_at) WHERE state = 'running';
)sql";

namespace {

constexpr std::chrono::seconds kTimeout{20};
constexpr std::chrono::seconds kBrokerTimeout{10};
constexpr std::chrono::milliseconds kCatchUpLook{100};
constexpr int kTriesOfRunMax = 5;
constexpr int kTidyStep = 1'000;
// Longer than any window that is listed without an operator's asking.
constexpr std::chrono::hours kLedgerKept{24 * 90};
constexpr std::chrono::hours kRunsKept{24 * 90};

core::Result<void> only(core::Result<postgres::Rows> rows) {
    return rows ? core::Result<void>{} : std::unexpected(std::move(rows.error()));
}

std::string_view column_of(LookupEnd end) {
    switch (end) {
        case LookupEnd::published:
            return "published";
        case LookupEnd::came:
            return "came";
        case LookupEnd::gone:
            break;
    }
    return "gone";
}

}  // namespace

PgOrderChecks::PgOrderChecks(postgres::Pool& pool, ReceivedOrders& received, NewestRecords newest, core::Clock& clock,
                             std::chrono::milliseconds settle, std::chrono::milliseconds catch_up)
    : pool_(pool), received_(received), newest_(std::move(newest)), clock_(clock), settle_(settle), catch_up_(catch_up) {}

core::Deadline PgOrderChecks::soon() const {
    // The database's time goes on whatever a test's clock does.
    return {core::system_clock(), kTimeout};
}

core::Result<bool> PgOrderChecks::ledger_current() {
    auto& clock = core::system_clock();
    const auto newest = newest_(core::Deadline(clock, kBrokerTimeout));
    if (!newest) {
        return std::unexpected(newest.error());
    }
    const core::Deadline limit(clock, catch_up_);
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (true) {
        auto read = has_read(*newest);
        if (!read || *read || limit.passed()) {
            return read;
        }
        clock.wait_until(lock, never, std::min(clock.steady() + kCatchUpLook, limit.at()), [] { return false; });
    }
}

core::Result<bool> PgOrderChecks::has_read(const std::map<std::int32_t, std::int64_t>& newest) {
    const auto read = pool_.exec(soon(), "SELECT partition, max(next_offset) FROM batch_offsets WHERE topic = $1 GROUP BY 1",
                                 Params{}.add(syncline::topics::orders));
    if (!read) {
        return std::unexpected(read.error());
    }
    std::map<std::int32_t, std::int64_t> next;
    for (const auto row : *read) {
        next[row.int32(0)] = row.int64(1);
    }
    return std::ranges::all_of(newest, [&](const auto& entry) {
        const auto found = next.find(entry.first);
        return found != next.end() && found->second >= entry.second;
    });
}

core::Result<std::map<std::int64_t, ReceivedOrder>> PgOrderChecks::received(const std::string& shop,
                                                                            const std::vector<std::int64_t>& ids) {
    return received_.find(pool_, shop, ids, soon());
}

core::Result<std::vector<std::pair<std::int64_t, ReceivedOrder>>> PgOrderChecks::waiting(const std::string& shop,
                                                                                         core::SystemTime before, int most) {
    return received_.waiting(pool_, shop, before, most, soon());
}

core::Result<GapState> PgOrderChecks::state(const std::string& shop) {
    const auto rows =
        pool_.exec(soon(),
                   "SELECT (SELECT count(*) FROM order_lookups l WHERE l.shop = $1), watermark, covered_until, "
                   "passed_at, cleared_until, published_at FROM (SELECT 1) one LEFT JOIN order_shops s ON s.shop = $1",
                   Params{}.add(shop));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    const auto row = (*rows)[0];
    return GapState{.watermark = row.optional_time(1),
                    .covered_until = row.optional_time(2),
                    .passed_at = row.optional_time(3),
                    .cleared_until = row.optional_time(4),
                    .published_at = row.optional_time(5),
                    .lookups = row.int64(0)};
}

core::Result<std::vector<std::int64_t>> PgOrderChecks::note_page(const std::string& shop, const std::vector<Lookup>& found,
                                                                 const std::optional<core::SystemTime>& watermark) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<std::vector<std::int64_t>> {
        if (watermark) {
            // Never back: another instance may have gone further.
            if (auto done = only(tx.exec("INSERT INTO order_shops AS s (shop, watermark) VALUES ($1, $2) ON CONFLICT (shop) DO "
                                         "UPDATE SET watermark = greatest(s.watermark, excluded.watermark)",
                                         Params{}.add(shop).add(*watermark)));
                !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        return insert_lookups(tx, shop, found, clock_.now());
    });
}

core::Result<void> PgOrderChecks::note_pass(const std::string& shop, core::SystemTime covered) {
    return only(pool_.exec(soon(),
                           "INSERT INTO order_shops AS s (shop, covered_until, passed_at) VALUES ($1, $2, $3) ON CONFLICT (shop) "
                           "DO UPDATE SET covered_until = greatest(s.covered_until, excluded.covered_until), passed_at = "
                           "excluded.passed_at",
                           Params{}.add(shop).add(covered).add(clock_.now())));
}

core::Result<std::vector<Lookup>> PgOrderChecks::due(const std::string& shop, int most) {
    const auto rows =
        pool_.exec(soon(),
                   "SELECT order_id, run, backfill, reason, listed_at, tries FROM order_lookups WHERE shop = $1 AND "
                   "due <= $2::timestamptz ORDER BY run <> '', backfill, seq LIMIT $3::int",
                   Params{}.add(shop).add(clock_.now()).add(most));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<Lookup> found;
    for (const auto row : *rows) {
        found.push_back({.order_id = row.int64(0),
                         .run = row.string(1),
                         .purpose = row.boolean(2) ? Purpose::backfill : Purpose::gap,
                         .reason = fetch_reason_from(row.text(3)),
                         .listed_at = row.optional_time(4),
                         .tries = row.int32(5)});
    }
    return found;
}

core::Result<void> PgOrderChecks::send(Transaction& tx, const std::string& shop, const std::vector<LeavingEvent>& events) {
    const auto now = clock_.now();
    std::vector<kit::OwnEvent> own;
    own.reserve(events.size());
    for (const auto& event : events) {
        own.push_back({.id = event.id,
                       .where = {.topic = std::string(syncline::topics::orders), .key = event.key, .subject = event.subject},
                       .event = event.event,
                       .time = event.time});
    }
    if (auto written = kit::write_outbox(tx, "reconciliation", now, own); !written) {
        return written;
    }
    // Known at once: the next scan may come before they have gone through Kafka and back.
    std::vector<std::string> values;
    values.reserve(events.size());
    std::vector<kit::BatchRecord> records;
    for (const auto& event : events) {
        values.push_back(event.event->SerializeAsString());
        kit::BatchRecord record;
        record.headers.type = event.event->GetTypeName();
        record.value = values.back();
        records.push_back(std::move(record));
    }
    const auto applied = received_.apply(records, tx);
    if (!applied) {
        return std::unexpected(applied.error());
    }
    if (!applied->bad.empty()) {
        return core::fail(core::ErrorKind::bug, "own_event_unreadable", "an event of our own cannot be read by the ledger");
    }
    return only(
        tx.exec("INSERT INTO order_shops AS s (shop, published_at) VALUES ($1, $2) ON CONFLICT (shop) DO UPDATE SET "
                "published_at = excluded.published_at",
                Params{}.add(shop).add(now)));
}

core::Result<void> PgOrderChecks::end_lookup(Transaction& tx, const std::string& shop, const Lookup& lookup, LookupEnd end) {
    if (!lookup.run.empty()) {
        const std::string column(column_of(end));
        if (auto counted = only(tx.exec("UPDATE order_runs SET " + column + " = " + column +
                                            " + 1 WHERE id = $1 AND EXISTS (SELECT 1 FROM order_lookups WHERE shop = $2 AND "
                                            "order_id = $3::bigint AND run = $1)",
                                        Params{}.add(lookup.run).add(shop).add(lookup.order_id)));
            !counted) {
            return counted;
        }
    }
    return only(tx.exec("DELETE FROM order_lookups WHERE shop = $1 AND order_id = $2::bigint AND run = $3",
                        Params{}.add(shop).add(lookup.order_id).add(lookup.run)));
}

core::Result<std::int64_t> PgOrderChecks::publish(const std::string& shop, const Lookup& lookup, const OrderAsEvents& order) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<std::int64_t> {
        const auto known = received_.facts(tx, shop, lookup.order_id);
        if (!known) {
            return std::unexpected(known.error());
        }
        std::vector<LeavingEvent> events{order.snapshot};
        for (const auto& fact : order.facts) {
            const ReceivedFact same{.kind = fact.kind, .id = fact.id, .state = fact.state};
            if (lookup.purpose == Purpose::backfill || std::ranges::find(*known, same) == known->end()) {
                events.push_back(fact.event);
            }
        }
        if (auto sent = send(tx, shop, events); !sent) {
            return std::unexpected(std::move(sent.error()));
        }
        if (auto ended = end_lookup(tx, shop, lookup, LookupEnd::published); !ended) {
            return std::unexpected(std::move(ended.error()));
        }
        return static_cast<std::int64_t>(events.size());
    });
}

core::Result<void> PgOrderChecks::publish_gone(const std::string& shop, const Lookup& lookup) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<void> {
        if (auto sent = send(tx, shop, {confirmed_deletion(shop, lookup.order_id, clock_.now())}); !sent) {
            return sent;
        }
        return end_lookup(tx, shop, lookup, LookupEnd::gone);
    });
}

core::Result<void> PgOrderChecks::settle(const std::string& shop, const Lookup& lookup, LookupEnd end) {
    return pool_.run(soon(), [&](Transaction& tx) { return end_lookup(tx, shop, lookup, end); });
}

core::Result<void> PgOrderChecks::postpone(const std::string& shop, const Lookup& lookup, core::SystemTime until,
                                           const std::string& code) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<void> {
        const auto tries = lookup.tries + 1;
        if (lookup.run.empty() || tries < kTriesOfRunMax) {
            return only(
                tx.exec("UPDATE order_lookups SET tries = $4::int, due = $5, code = $6 WHERE shop = $1 AND order_id = "
                        "$2::bigint AND run = $3",
                        Params{}.add(shop).add(lookup.order_id).add(lookup.run).add(tries).add(until).add(code)));
        }
        if (auto moved = only(tx.exec(
                "WITH l AS (DELETE FROM order_lookups WHERE shop = $1 AND order_id = $2::bigint AND run = $3 RETURNING *) INSERT "
                "INTO order_lookups (shop, order_id, run, backfill, reason, listed_at, found_at, tries, due, code) SELECT shop, "
                "order_id, '', backfill, reason, listed_at, found_at, $4::int, $5, $6 FROM l ON CONFLICT (shop, order_id, run) "
                "DO "
                "NOTHING",
                Params{}.add(shop).add(lookup.order_id).add(lookup.run).add(tries).add(until).add(code)));
            !moved) {
            return moved;
        }
        return only(tx.exec("UPDATE order_runs SET failed = failed + 1 WHERE id = $1", Params{}.add(lookup.run)));
    });
}

core::Result<std::optional<core::SystemTime>> PgOrderChecks::clearable(const std::string& shop) {
    // A deletion that is only looked up concerns an order that is known; anything else may be what explains a fall.
    const auto rows = pool_.exec(
        soon(),
        "SELECT covered_until FROM order_shops s WHERE shop = $1 AND covered_until IS NOT NULL AND (cleared_until IS NULL OR "
        "cleared_until < covered_until) AND (published_at IS NULL OR published_at <= $2::timestamptz) AND NOT EXISTS (SELECT 1 "
        "FROM order_lookups l WHERE l.shop = $1 AND l.run = '' AND l.reason NOT IN ('deleted', 'asked')) AND NOT EXISTS (SELECT "
        "1 FROM outbox o "
        "WHERE o.aggregatetype = $3 AND starts_with(o.aggregateid, $1 || '/'))",
        Params{}.add(shop).add(clock_.now() - settle_).add(syncline::topics::orders));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? std::optional<core::SystemTime>() : std::optional((*rows)[0].time(0));
}

core::Result<void> PgOrderChecks::note_cleared(const std::string& shop, core::SystemTime until) {
    return only(pool_.exec(soon(), "UPDATE order_shops SET cleared_until = $2 WHERE shop = $1", Params{}.add(shop).add(until)));
}

core::Result<void> PgOrderChecks::tidy() {
    const auto now = clock_.now();
    if (const auto gone = received_.forget(pool_, now - kLedgerKept, kTidyStep, soon()); !gone) {
        return std::unexpected(gone.error());
    }
    return only(pool_.exec(soon(), "DELETE FROM order_runs WHERE state <> 'running' AND finished_at < $1",
                           Params{}.add(now - kRunsKept)));
}

}  // namespace reconciliation
