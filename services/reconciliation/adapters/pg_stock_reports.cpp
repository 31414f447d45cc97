#include "adapters/pg_stock_reports.h"

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <array>
#include <utility>

namespace reconciliation {
namespace {

namespace json = syncline::json;
using core::ErrorKind;
using syncline::postgres::Params;
using syncline::postgres::Row;
using syncline::postgres::Transaction;

constexpr std::chrono::seconds kTimeout{15};
constexpr int kForgottenAtOnce = 20;

constexpr std::string_view kRun = R"sql(
SELECT r.id::text, r.shop, r.kind, r.state, r.location, r.source, r.asked_by, r.reason, r.created_at, r.started_at, r.compared_at,
    r.finished_at, r.attempts, r.due, r.healing, r.brake, r.events, r.corrections, r.approved_by, r.error_code, r.error,
    r.shopify_rows, coalesce((SELECT sum(x) FROM stock_comparisons c, unnest(c.by_class) x WHERE c.run = r.id), 0)::bigint
FROM stock_runs r )sql";

void member(json::Writer& out, std::string_view name, const std::optional<core::SystemTime>& time) {
    if (time) {
        out.member(name, core::format_rfc3339_utc(*time));
    }
}

void write_run(json::Writer& out, const Row& row) {
    out.member("id", row.text(0)).member("shop", row.text(1)).member("kind", row.text(2)).member("state", row.text(3));
    out.member("location", row.text(4)).member("source", row.text(5)).member("asked_by", row.text(6));
    out.member("reason", row.text(7));
    member(out, "created_at", row.optional_time(8));
    member(out, "started_at", row.optional_time(9));
    member(out, "compared_at", row.optional_time(10));
    member(out, "finished_at", row.optional_time(11));
    out.member("attempts", row.int64(12));
    if (row.text(3) == "waiting") {
        member(out, "due_at", row.optional_time(13));
    }
    out.member("healing", row.text(14)).member("brake", row.optional_text(15).value_or(""));
    out.member("differences", row.int64(22)).member("events", row.int64(16)).member("corrections", row.int64(17));
    out.member("approved_by", row.text(18)).member("error_code", row.text(19)).member("error", row.text(20));
    out.member("shopify_rows", row.int64(21));
}

// "{1,2,3}"
std::vector<std::int64_t> numbers_of(std::string_view array) {
    std::vector<std::int64_t> numbers;
    array = array.substr(1, array.size() < 2 ? 0 : array.size() - 2);
    while (!array.empty()) {
        const auto comma = std::min(array.find(','), array.size());
        numbers.push_back(core::parse_int<std::int64_t>(array.substr(0, comma)).value_or(0));
        array.remove_prefix(std::min(comma + 1, array.size()));
    }
    return numbers;
}

std::optional<core::Decimal> decimal_of(const std::optional<std::string_view>& text) {
    const auto value = text ? core::Decimal::parse(*text) : core::Result<core::Decimal>(std::unexpect);
    return value ? std::optional(*value) : std::nullopt;
}

bool is_uuid(std::string_view text) {
    constexpr std::size_t kLength = 36;
    return text.size() == kLength && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
           });
}

std::unexpected<core::Error> unknown() {
    return core::fail(ErrorKind::not_ready, "run_unknown", "there is no such run");
}

core::Result<void> note(Transaction& tx, const std::string& verb, const std::string& subject, const std::string& actor,
                        const std::string& reason, core::SystemTime now) {
    const auto done =
        tx.exec("INSERT INTO admin_actions (id, grp, verb, subject, actor, reason, at) VALUES ($1, 0, $2, $3, $4, $5, $6)",
                Params{}.add(core::uuid_v4()).add(verb).add(subject).add(actor).add(reason).add(now));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

}  // namespace

core::Result<std::string> PgStockReports::list(const RunFilter& filter) {
    const auto rows = pool_.exec(
        core::Deadline(clock_, kTimeout),
        std::string(kRun) + "WHERE ($1 = '' OR r.shop = $1) AND ($2 = '' OR r.state = $2) ORDER BY r.created_at DESC LIMIT $3",
        Params{}.add(filter.shop).add(filter.state).add(filter.limit));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto row : *rows) {
        out.begin_object();
        write_run(out, row);
        out.end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

core::Result<std::string> PgStockReports::show(const std::string& id) {
    if (!is_uuid(id)) {
        return unknown();
    }
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::string> {
        const auto rows = tx.exec(std::string(kRun) + "WHERE r.id = $1::uuid", Params{}.add(id));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (rows->empty()) {
            return unknown();
        }
        const auto sides = tx.exec(
            "SELECT side, pairs, shopify_rows, other_rows, all_rows, kept, by_class::text, error_code, error FROM "
            "stock_comparisons "
            "WHERE run = $1::uuid ORDER BY side <> $2, side",
            Params{}.add(id).add(kOwnSide));
        if (!sides) {
            return std::unexpected(sides.error());
        }
        json::Writer out;
        out.begin_object();
        write_run(out, (*rows)[0]);
        out.key("comparisons").begin_array();
        for (const auto row : *sides) {
            out.begin_object().member("side", row.text(0)).member("pairs", row.int64(1)).member("shopify_rows", row.int64(2));
            out.member("other_rows", row.int64(3)).member("all_rows", row.int64(4)).member("kept", row.int64(5));
            out.key("by_class").begin_object();
            const auto counts = numbers_of(row.text(6));
            for (std::size_t at = 0; at < std::min(counts.size(), kDivergenceClasses); ++at) {
                out.member(to_string(static_cast<DivergenceClass>(at)), counts[at]);
            }
            out.end_object().member("error_code", row.text(7)).member("error", row.text(8)).end_object();
        }
        out.end_array().end_object();
        return std::move(out).take();
    });
}

core::Result<std::string> PgStockReports::report(const std::string& id, const std::string& side, ReportFormat format,
                                                 std::int64_t after, int limit) {
    if (!is_uuid(id)) {
        return unknown();
    }
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::string> {
        // While a run compares, what it has kept may yet prove to be worth nothing.
        const auto about = tx.exec(
            "SELECT c.pairs, c.shopify_rows, c.other_rows, c.repeated, c.by_class::text, r.compared_at FROM stock_comparisons c "
            "JOIN stock_runs r ON r.id = c.run WHERE c.run = $1::uuid AND c.side = $2 AND c.error_code = ''",
            Params{}.add(id).add(side));
        if (!about) {
            return std::unexpected(about.error());
        }
        if (about->empty()) {
            return core::fail(ErrorKind::not_ready, "no_report", "the run has no comparison with that side that came to its end");
        }
        const auto rows = tx.exec(
            "SELECT sku, location, item_id, shopify::text, other::text, wanted::text, class, cause, observed_ns, healing "
            "FROM stock_differences WHERE run = $1::uuid AND side = $2 AND number > $3 ORDER BY number LIMIT $4",
            Params{}.add(id).add(side).add(after).add(limit));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        const auto head = (*about)[0];
        CompareTotals totals{.shopify_rows = static_cast<std::uint64_t>(head.int64(1)),
                             .other_rows = static_cast<std::uint64_t>(head.int64(2)),
                             .pairs = static_cast<std::uint64_t>(head.int64(0)),
                             .repeated = static_cast<std::uint64_t>(head.int64(3))};
        const auto counts = numbers_of(head.text(4));
        for (std::size_t at = 0; at < std::min(counts.size(), kDivergenceClasses); ++at) {
            totals.by_class[at] = static_cast<std::uint64_t>(counts[at]);
        }
        std::string text;
        ReportWriter writer(format, core::nanos_since_epoch(head.time(5)), [&](std::string_view piece) { text.append(piece); });
        for (const auto row : *rows) {
            const auto cause = row.string(7);
            writer.row({.sku = row.string(0),
                        .location = row.string(1),
                        .shopify = decimal_of(row.optional_text(3)),
                        .other = decimal_of(row.optional_text(4)),
                        .kind = static_cast<DivergenceClass>(row.int32(6)),
                        .cause = cause,
                        .wanted = decimal_of(row.optional_text(5)),
                        .observed_at_ns = row.int64(8),
                        .item_id = row.int64(2)},
                       static_cast<Healing>(row.int32(9)));
        }
        writer.finish(totals);
        return text;
    });
}

core::Result<std::string> PgStockReports::approve(const std::string& id, const std::string& actor, const std::string& reason) {
    if (!is_uuid(id)) {
        return unknown();
    }
    const auto now = clock_.now();
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) -> core::Result<std::string> {
        const auto rows = tx.exec("SELECT state, shop FROM stock_runs WHERE id = $1::uuid FOR UPDATE", Params{}.add(id));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (rows->empty()) {
            return unknown();
        }
        if ((*rows)[0].text(0) != "braked") {
            return core::fail(ErrorKind::conflict, "run_not_braked",
                              "the run is " + (*rows)[0].string(0) + ": only a braked one waits for a person");
        }
        const auto done = tx.exec(
            "UPDATE stock_runs SET state = 'approved', announced_side = '', announced = 0, owner = '', approved_by = $2, "
            "approved_reason = $3, finished_at = NULL WHERE id = $1::uuid",
            Params{}.add(id).add(actor).add(reason));
        if (!done) {
            return std::unexpected(done.error());
        }
        const auto waiting = tx.exec("SELECT count(*) FROM stock_differences WHERE run = $1::uuid AND healing = $2",
                                     Params{}.add(id).add(static_cast<int>(Healing::braked)));
        if (!waiting) {
            return std::unexpected(waiting.error());
        }
        if (auto noted = note(tx, "stock_run_approve", id, actor, reason, now); !noted) {
            return std::unexpected(noted.error());
        }
        json::Writer out;
        out.begin_object().member("id", id).member("corrections", (*waiting)[0].int64(0)).end_object();
        return std::move(out).take();
    });
}

core::Result<void> PgStockReports::note_asked(const StockRun& run, const std::string& actor, const std::string& reason) {
    return pool_.run(core::Deadline(clock_, kTimeout), [&](Transaction& tx) {
        return note(tx, "stock_run_ask", run.shop + " " + run.id, actor, reason, clock_.now());
    });
}

core::Result<StockFigures> PgStockReports::figures() {
    return pool_.run(
        core::Deadline(clock_, kTimeout),
        [&](Transaction& tx) -> core::Result<StockFigures> {
            StockFigures figures;
            const auto classes = tx.exec(R"sql(
SELECT r.shop, c.side, c.by_class::text FROM (SELECT DISTINCT ON (shop, side) r.shop, c.side, c.run FROM stock_runs r
    JOIN stock_comparisons c ON c.run = r.id AND c.error_code = ''
    WHERE r.compared_at IS NOT NULL AND r.kind <> 'changed' AND r.location = '' ORDER BY shop, side, r.compared_at DESC) r
JOIN stock_comparisons c ON c.run = r.run AND c.side = r.side)sql");
            if (!classes) {
                return std::unexpected(classes.error());
            }
            for (const auto row : *classes) {
                const auto counts = numbers_of(row.text(2));
                for (std::size_t at = 0; at < std::min(counts.size(), kDivergenceClasses); ++at) {
                    figures.differences.push_back({.shop = row.string(0),
                                                   .side = row.string(1),
                                                   .kind = static_cast<DivergenceClass>(at),
                                                   .count = counts[at]});
                }
            }
            const auto last = tx.exec(
                "SELECT DISTINCT ON (shop, kind) shop, kind, compared_at, (extract(epoch FROM compared_at - started_at) * "
                "1000)::bigint FROM stock_runs WHERE compared_at IS NOT NULL ORDER BY shop, kind, compared_at DESC");
            if (!last) {
                return std::unexpected(last.error());
            }
            constexpr double kMillisPerSecond = 1000;
            for (const auto row : *last) {
                figures.last.push_back({.shop = row.string(0),
                                        .kind = row.string(1),
                                        .compared_at = row.time(2),
                                        .seconds = static_cast<double>(row.int64(3)) / kMillisPerSecond});
            }
            const auto braked = tx.exec("SELECT shop, count(*) FILTER (WHERE state = 'braked') FROM stock_runs GROUP BY shop");
            if (!braked) {
                return std::unexpected(braked.error());
            }
            for (const auto row : *braked) {
                figures.braked.push_back({.shop = row.string(0), .runs = row.int64(1)});
            }
            return figures;
        },
        {.isolation = syncline::postgres::Isolation::read_committed, .read_only = true});
}

core::Result<void> PgStockReports::tidy(core::SystemTime before) {
    // The newest full run of a shop stays: what a snapshot may have lost is measured by it.
    const auto done = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
DELETE FROM stock_runs WHERE id IN (SELECT id FROM stock_runs r WHERE r.created_at < $1::timestamptz AND r.state IN ('done', 'failed')
    AND (r.compared_at IS NULL OR EXISTS (SELECT 1 FROM stock_runs n WHERE n.shop = r.shop AND n.location = r.location
        AND n.kind <> 'changed' AND n.compared_at > r.compared_at))
    LIMIT $2))sql",
                                 Params{}.add(before).add(kForgottenAtOnce));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

}  // namespace reconciliation
