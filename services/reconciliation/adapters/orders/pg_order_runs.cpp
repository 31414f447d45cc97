// What operators asked for: the members of PgOrderChecks that concern runs.
#include <syncline/core/hash.h>
#include <utility>

#include "adapters/orders/lookup_rows.h"
#include "adapters/orders/pg_order_checks.h"

namespace reconciliation {

using postgres::Params;
using postgres::Transaction;

namespace {

constexpr int kSampleMax = 100;

core::Result<void> only(core::Result<postgres::Rows> rows) {
    return rows ? core::Result<void>{} : std::unexpected(std::move(rows.error()));
}

constexpr std::string_view kRunColumns =
    "id, r.shop, backfill, dry_run, since, until, position, after, pages, end_reached, "
    "(SELECT count(*) FROM order_lookups l WHERE l.run = r.id AND r.id <> '')";

OrderRun run_from(const postgres::Row& row) {
    const auto after = row.optional_text(7);
    return {.id = row.string(0),
            .shop = row.string(1),
            .purpose = row.boolean(2) ? Purpose::backfill : Purpose::gap,
            .dry_run = row.boolean(3),
            .since = row.time(4),
            .until = row.time(5),
            .position = row.time(6),
            .after = after ? std::optional(std::string(*after)) : std::nullopt,
            .pages = row.int32(8),
            .listed = row.boolean(9),
            .open = row.int64(10)};
}

constexpr std::string_view kReportColumns =
    ", state, listed, found, published, came, gone, failed, r.code, message, actor, array_to_string(sample, ','), created_at, "
    "finished_at FROM order_runs r ";

std::vector<std::int64_t> numbers(std::string_view text) {
    std::vector<std::int64_t> found;
    std::int64_t number = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == ',') {
            found.push_back(std::exchange(number, 0));
        } else {
            number = number * 10 + (text[at] - '0');
        }
    }
    if (!text.empty()) {
        found.push_back(number);
    }
    return found;
}

RunReport report_from(const postgres::Row& row) {
    return {.run = run_from(row),
            .state = row.string(11),
            .listed = row.int64(12),
            .found = row.int64(13),
            .published = row.int64(14),
            .came = row.int64(15),
            .gone = row.int64(16),
            .failed = row.int64(17),
            .code = row.string(18),
            .message = row.string(19),
            .actor = row.string(20),
            .sample = numbers(row.text(21)),
            .created_at = row.time(22),
            .finished_at = row.optional_time(23)};
}

}  // namespace

core::Result<std::optional<OrderRun>> PgOrderChecks::open_run(const std::string& shop) {
    const auto rows = pool_.exec(soon(),
                                 "SELECT " + std::string(kRunColumns) +
                                     " FROM order_runs r WHERE r.shop = $1 AND state = 'running' ORDER BY created_at, id LIMIT 1",
                                 Params{}.add(shop));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return rows->empty() ? std::optional<OrderRun>() : std::optional(run_from((*rows)[0]));
}

core::Result<void> PgOrderChecks::note_step(const OrderRun& run, const RunStep& step) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<void> {
        std::int64_t found = static_cast<std::int64_t>(step.found.size());
        std::vector<std::int64_t> sample;
        if (run.dry_run) {
            for (const auto& lookup : step.found) {
                sample.push_back(lookup.order_id);
            }
        } else {
            const auto fresh = insert_lookups(tx, run.shop, step.found, clock_.now());
            if (!fresh) {
                return std::unexpected(fresh.error());
            }
            found = static_cast<std::int64_t>(fresh->size());
        }
        return only(
            tx.exec("UPDATE order_runs SET listed = listed + $2::bigint, found = found + $3::bigint, position = $4, after "
                    "= $5, pages = $6::int, end_reached = $7::boolean, sample = (sample || $8::bigint[])[1:" +
                        std::to_string(kSampleMax) + "] WHERE id = $1 AND state = 'running'",
                    Params{}
                        .add(run.id)
                        .add(step.listed)
                        .add(found)
                        .add(step.position)
                        .add(step.after)
                        .add(step.pages)
                        .add(step.end)
                        .add_array(sample)));
    });
}

core::Result<void> PgOrderChecks::end_run(const OrderRun& run, const std::optional<core::Error>& error) {
    return only(pool_.exec(
        soon(), "UPDATE order_runs SET state = $2, code = $3, message = $4, finished_at = $5 WHERE id = $1 AND state = 'running'",
        Params{}
            .add(run.id)
            .add(error ? "failed" : "done")
            .add(error ? error->code : std::string())
            .add(error ? error->message : std::string())
            .add(clock_.now())));
}

core::Result<void> PgOrderChecks::begin_run(const OrderRun& run, const std::string& actor, const std::string& reason) {
    return pool_.run(soon(), [&](Transaction& tx) -> core::Result<void> {
        if (auto made = only(tx.exec("INSERT INTO order_runs (id, shop, backfill, dry_run, since, until, position, state, actor, "
                                     "created_at) VALUES ($1, $2, $3::boolean, $4::boolean, $5, $6, $5, 'running', $7, $8)",
                                     Params{}
                                         .add(run.id)
                                         .add(run.shop)
                                         .add(run.purpose == Purpose::backfill)
                                         .add(run.dry_run)
                                         .add(run.since)
                                         .add(run.until)
                                         .add(actor)
                                         .add(clock_.now())));
            !made) {
            return made;
        }
        const std::string verb = run.purpose == Purpose::backfill ? "backfill_orders" : "reconcile_orders";
        return only(
            tx.exec("INSERT INTO admin_actions (id, grp, verb, subject, actor, reason, at) VALUES ($1, 0, $2, $3, $4, $5, $6)",
                    Params{}.add(core::uuid_v4()).add(verb).add(run.shop).add(actor).add(reason).add(clock_.now())));
    });
}

core::Result<RunReport> PgOrderChecks::report(const std::string& id) {
    const auto rows = pool_.exec(soon(), "SELECT " + std::string(kRunColumns) + std::string(kReportColumns) + "WHERE r.id = $1",
                                 Params{}.add(id));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    if (rows->empty()) {
        return core::fail(core::ErrorKind::not_ready, "run_unknown", "there is no such run of orders");
    }
    return report_from((*rows)[0]);
}

core::Result<std::vector<RunReport>> PgOrderChecks::reports(int most) {
    const auto rows = pool_.exec(
        soon(), "SELECT " + std::string(kRunColumns) + std::string(kReportColumns) + "ORDER BY created_at DESC, id LIMIT $1::int",
        Params{}.add(most));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::vector<RunReport> found;
    for (const auto row : *rows) {
        found.push_back(report_from(row));
    }
    return found;
}

}  // namespace reconciliation
