#include "adapters/sources/odoo_source.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/log.h>
#include <optional>
#include <utility>

#include "adapters/sources/odoo_reading.h"

namespace inventory_sync {
namespace {

namespace odoo = syncline::odoo;
namespace log = syncline::telemetry::log;
using syncline::postgres::Params;

constexpr std::chrono::seconds kTimeout{15};
constexpr std::chrono::minutes kAcknowledged{5};
constexpr std::chrono::hours kWholeAgain{1};

}  // namespace

struct OdooSource::Known {
    OdooRule rule;
    std::shared_ptr<odoo::Transport> transport;  // Of the version that the server said it is.
    core::SteadyTime next{};
    bool started = false;
    std::optional<core::SystemTime> whole_refused;
    bool moves_told = false;  // That move lines cannot be read was said.
};

OdooSource::OdooSource(syncline::postgres::Pool& pool, StockReporter& reporter, core::Clock& clock, Connect connect)
    : pool_(pool), reporter_(reporter), clock_(clock), connect_(std::move(connect)) {}
OdooSource::~OdooSource() = default;

core::Result<OdooRead> OdooSource::poll(const std::string& source, Basis basis, const OdooRule& rule,
                                        const std::function<bool()>& ours) {
    auto& known = known_[source];
    if (known.rule != rule) {
        known = Known{};
        known.rule = rule;
    }
    if (known.started && clock_.steady() < known.next) {
        return OdooRead{};
    }
    known.next = clock_.steady() + rule.every;
    if (!known.transport) {
        auto connected = connect_(rule, core::Deadline(clock_, kTimeout));
        if (!connected) {
            return std::unexpected(std::move(connected.error()));
        }
        known.transport = std::move(*connected);
    }
    const auto now = clock_.now();
    const auto kept = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
SELECT c.cursor, c.whole_at, coalesce((SELECT f.rows FROM stock_files f WHERE f.source = $1), 0)
FROM (SELECT 1) AS one LEFT JOIN source_cursors c ON c.source = $1)sql",
                                 Params{}.add(source));
    if (!kept) {
        return std::unexpected(kept.error());
    }
    const auto whole_at = (*kept)[0].optional_time(1);
    const bool refused_lately = known.whole_refused && now < *known.whole_refused + kWholeAgain;
    const bool whole = !whole_at || (!refused_lately &&
                                     (now >= *whole_at + rule.whole_every || (!known.started && now >= *whole_at + kWholeAgain)));
    OdooReading reading({.pool = pool_,
                         .clock = clock_,
                         .transport = *known.transport,
                         .source = source,
                         .basis = basis,
                         .rule = rule,
                         .ours = ours});
    const auto done = whole ? reading.whole() : reading.changed((*kept)[0].string(0));
    if (reading.moves_unreadable && !std::exchange(known.moves_told, true)) {
        log::failure(log::Level::warn, "odoo_moves_not_readable", *reading.moves_unreadable, {{"source", source}});
    }
    if (!done) {
        known.transport.reset();  // It may be another version by now.
        return std::unexpected(done.error());
    }
    if (whole) {
        const auto before = static_cast<std::uint64_t>((*kept)[0].int64(2));
        if (auto follows = may_follow(reading.rows, before, rule.shrink_refused_below); !follows) {
            known.whole_refused = now;
            known.started = true;
            return std::unexpected(std::move(follows.error()));
        }
    }
    const auto run = reporter_.begin();
    ReadLevel level{
        .position = {.sku = {}, .place = {.source = source, .location = {}}}, .basis = basis, .unit = {}, .level = {}};
    if (whole) {
        level.level.snapshot = "odoo@" + core::format_rfc3339_utc(now);
    }
    for (const auto& read : reading.levels) {
        const auto quantity = acceptable(read.quantity);
        if (!quantity) {
            log::write(log::Level::warn, "odoo_quantity_out_of_range", {{"source", source}, {"sku", read.sku}});
            continue;
        }
        level.position.sku = read.sku;
        level.position.place.location = reading.places[read.place].first;
        level.unit = read.unit;
        level.level.quantity = *quantity;
        level.level.observed = read.observed;
        if (auto put = run->put(level); !put) {
            return std::unexpected(std::move(put.error()));
        }
    }
    if (auto sent = run->done(core::Deadline(clock_, kAcknowledged)); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    // Only now: what was read and not published is read again.
    const auto stored =
        pool_.run(core::Deadline(clock_, kTimeout), [&](syncline::postgres::Transaction& tx) -> core::Result<void> {
            const auto moved = tx.exec(R"sql(
INSERT INTO source_cursors AS c (source, cursor, whole_at) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, whole_at = CASE WHEN $4 THEN excluded.whole_at ELSE c.whole_at END)sql",
                                       Params{}.add(source).add(reading.cursor).add(now).add(whole));
            if (!moved || !whole) {
                return moved ? core::Result<void>{} : std::unexpected(moved.error());
            }
            const auto counted = tx.exec(
                "INSERT INTO stock_files (source, rows, name, at) VALUES ($1, $2, $3, $4) ON CONFLICT (source) DO UPDATE SET "
                "rows = "
                "excluded.rows, name = excluded.name, at = excluded.at",
                Params{}.add(source).add(static_cast<std::int64_t>(reading.rows)).add(level.level.snapshot).add(now));
            return counted ? core::Result<void>{} : std::unexpected(counted.error());
        });
    if (!stored) {
        return std::unexpected(stored.error());
    }
    known.started = true;
    return OdooRead{.due = true, .whole = whole, .reported = reading.levels.size()};
}

}  // namespace inventory_sync
