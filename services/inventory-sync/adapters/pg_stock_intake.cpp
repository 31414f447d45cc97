#include "adapters/pg_stock_intake.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "adapters/marks.h"

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Transaction;

// The condition is judge() of domain/stock as SQL; a test compares the two on random reports.
// Rows come back only for what is special: with nothing passed over and no changes to forget, the count is all.
constexpr std::string_view kTakeLevels = R"sql(
WITH taken AS (
INSERT INTO positions AS p (sku, source, location, basis, unit, level, observed_ns, epoch, previous_epoch, sequence, snapshot,
                            adjusted)
SELECT sku, source, location, basis, unit, level::numeric, observed_ns, epoch, '', sequence::numeric, snapshot, false
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[],
            $10::text[])
    AS arrived (sku, source, location, basis, unit, level, observed_ns, epoch, sequence, snapshot)
ON CONFLICT (sku, source, location) DO UPDATE
SET basis = excluded.basis, unit = excluded.unit, level = excluded.level, observed_ns = excluded.observed_ns,
    previous_epoch = CASE WHEN p.level IS NULL OR p.epoch = excluded.epoch THEN p.previous_epoch ELSE p.epoch END,
    epoch = excluded.epoch, sequence = excluded.sequence, snapshot = excluded.snapshot,
    lowered = p.lowered + (p.adjusted OR excluded.level < p.level OR excluded.basis <> p.basis OR excluded.unit <> p.unit)::integer
WHERE p.level IS NULL OR CASE
    WHEN excluded.observed_ns < p.observed_ns THEN false
    WHEN excluded.epoch <> p.epoch THEN excluded.observed_ns > p.observed_ns OR excluded.epoch <> p.previous_epoch
    WHEN excluded.sequence > 0 AND p.sequence > 0 AND excluded.snapshot = ''
        THEN excluded.sequence > p.sequence OR (excluded.observed_ns > p.observed_ns AND excluded.sequence = p.sequence)
    ELSE excluded.observed_ns > p.observed_ns OR excluded.level < p.level END
RETURNING sku, source, location, adjusted),
total AS (SELECT count(*) AS rows FROM taken)
SELECT total.rows, taken.sku, taken.source, taken.location, taken.adjusted
FROM total LEFT JOIN taken ON taken.adjusted OR total.rows < $11::bigint)sql";

// Changes that a level has in it by now.
constexpr std::string_view kForgetChanges = R"sql(
DELETE FROM adjustments a USING positions p, unnest($1::text[], $2::text[], $3::text[]) AS taken (sku, source, location)
WHERE p.sku = taken.sku AND p.source = taken.source AND p.location = taken.location
  AND a.sku = p.sku AND a.source = p.source AND a.location = p.location AND a.observed_ns <= p.observed_ns)sql";

// A change of a position that no level was told of yet has a row to lean on; level stays null.
constexpr std::string_view kMarkAdjusted = R"sql(
INSERT INTO positions AS p (sku, source, location, basis, unit, level, observed_ns, epoch, previous_epoch, sequence, snapshot,
                            adjusted, lowered)
SELECT sku, source, location, basis, unit, NULL, 0, '', '', 0, '', true, lowers::integer
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[])
    AS arrived (sku, source, location, basis, unit, lowers)
ON CONFLICT (sku, source, location) DO UPDATE SET adjusted = true, lowered = p.lowered + excluded.lowered
WHERE NOT p.adjusted OR excluded.lowered > 0)sql";

constexpr std::string_view kTakeChanges = R"sql(
INSERT INTO adjustments (sku, source, location, epoch, id, delta, observed_ns)
SELECT arrived.sku, arrived.source, arrived.location, arrived.epoch, arrived.id, arrived.delta::numeric, arrived.observed_ns
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    AS arrived (sku, source, location, epoch, id, delta, observed_ns)
JOIN positions p ON p.sku = arrived.sku AND p.source = arrived.source AND p.location = arrived.location
WHERE p.level IS NULL OR arrived.observed_ns > p.observed_ns
ON CONFLICT (sku, source, location, epoch, id) DO NOTHING
RETURNING sku)sql";

constexpr std::string_view kSequencesBack = R"sql(
SELECT count(*) FROM positions p JOIN
    unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
        AS passed (sku, source, location, observed_ns, epoch, sequence)
    ON p.sku = passed.sku AND p.source = passed.source AND p.location = passed.location
WHERE passed.epoch = p.epoch AND passed.observed_ns > p.observed_ns AND passed.sequence::numeric < p.sequence)sql";

struct Keys {
    std::vector<std::string_view> skus;
    std::vector<std::string_view> sources;
    std::vector<std::string_view> locations;
    void add(const Position& position) {
        skus.push_back(position.sku);
        sources.push_back(position.place.source);
        locations.push_back(position.place.location);
    }
    void to(Params& params) const { params.add_array(skus).add_array(sources).add_array(locations); }
};

struct PositionHash {
    std::size_t operator()(const Position* position) const {
        const std::hash<std::string_view> hash;
        return hash(position->sku) * 31 + hash(position->place.source) * 17 + hash(position->place.location);
    }
};
struct PositionEqual {
    bool operator()(const Position* a, const Position* b) const { return *a == *b; }
};

// Of each position the level that holds after the batch, in order of position: one row a statement may change once.
std::vector<const ArrivedLevel*> fold(const std::vector<ArrivedLevel>& levels) {
    struct Held {
        const ArrivedLevel* level = nullptr;
        std::string previous_epoch;
    };
    std::unordered_map<const Position*, Held, PositionHash, PositionEqual> newest;
    newest.reserve(levels.size());
    for (const auto& arrived : levels) {
        auto& held = newest[&arrived.position];
        if (held.level == nullptr) {
            held.level = &arrived;
        } else if (judge(held.level->level, held.previous_epoch, arrived.level) == Arrival::replaces) {
            if (held.level->level.epoch != arrived.level.epoch) {
                held.previous_epoch = held.level->level.epoch;
            }
            held.level = &arrived;
        }
    }
    std::vector<const ArrivedLevel*> list;
    list.reserve(newest.size());
    for (const auto& [position, held] : newest) {
        list.push_back(held.level);
    }
    std::ranges::sort(list, [](const auto* a, const auto* b) { return a->position < b->position; });
    return list;
}

core::Result<void> take_levels(Transaction& tx, const std::vector<ArrivedLevel>& levels, StockIntake& intake,
                               std::vector<std::string>& changed) {
    const auto list = fold(levels);
    Keys keys;
    std::vector<std::int64_t> bases;
    std::vector<std::string_view> units;
    std::vector<std::string> quantities;
    std::vector<std::int64_t> observed;
    std::vector<std::string_view> epochs;
    std::vector<std::string> sequences;
    std::vector<std::string_view> snapshots;
    bool any_sequence = false;
    for (const auto* arrived : list) {
        keys.add(arrived->position);
        bases.push_back(static_cast<std::int64_t>(arrived->basis));
        units.push_back(arrived->unit);
        quantities.push_back(arrived->level.quantity.to_string());
        observed.push_back(core::nanos_since_epoch(arrived->level.observed));
        epochs.push_back(arrived->level.epoch);
        sequences.push_back(std::to_string(arrived->level.sequence));
        snapshots.push_back(arrived->level.snapshot);
        any_sequence = any_sequence || arrived->level.sequence > 0;
    }
    Params params;
    keys.to(params);
    params.add_array(bases).add_array(units).add_array(quantities).add_array(observed).add_array(epochs).add_array(sequences);
    params.add_array(snapshots).add(list.size());
    const auto taken = tx.exec(kTakeLevels, params);
    if (!taken) {
        return std::unexpected(taken.error());
    }
    const auto count = static_cast<std::size_t>((*taken)[0].int64(0));
    intake.levels_taken += count;
    intake.levels_passed += levels.size() - count;
    if (count == list.size()) {
        changed.reserve(changed.size() + count);
        for (const auto* arrived : list) {
            changed.push_back(arrived->position.sku);
        }
    }
    std::vector<std::string> skus;
    std::vector<std::string> sources;
    std::vector<std::string> locations;
    for (const auto row : *taken) {
        if (row.is_null(1)) {
            continue;  // Only the count.
        }
        if (count < list.size()) {
            changed.push_back(row.string(1));
        }
        if (row.boolean(4)) {
            skus.push_back(row.string(1));
            sources.push_back(row.string(2));
            locations.push_back(row.string(3));
        }
    }
    if (!skus.empty()) {
        const auto forgotten = tx.exec(kForgetChanges, Params{}.add_array(skus).add_array(sources).add_array(locations));
        if (!forgotten) {
            return std::unexpected(forgotten.error());
        }
    }
    if (any_sequence && count < list.size()) {
        Params passed;
        keys.to(passed);
        const auto back = tx.exec(kSequencesBack, passed.add_array(observed).add_array(epochs).add_array(sequences));
        if (!back) {
            return std::unexpected(back.error());
        }
        intake.sequences_back += static_cast<std::uint64_t>((*back)[0].int64(0));
    }
    return {};
}

core::Result<void> take_changes(Transaction& tx, const std::vector<ArrivedChange>& changes, StockIntake& intake,
                                std::vector<std::string>& changed) {
    // Sorted by position, then identity; equal ones once.
    std::map<std::tuple<const Position&, const std::string&, const std::string&>, const ArrivedChange*> once;
    for (const auto& arrived : changes) {
        once.emplace(std::tie(arrived.position, arrived.change.epoch, arrived.change.id), &arrived);
    }
    Keys all;
    Keys leaned;
    std::vector<std::int64_t> bases;
    std::vector<std::string_view> units;
    std::vector<std::string_view> epochs;
    std::vector<std::string_view> ids;
    std::vector<std::string> deltas;
    std::vector<std::int64_t> observed;
    std::vector<bool> lowers;
    const Position* last = nullptr;
    for (const auto& [identity, arrived] : once) {
        all.add(arrived->position);
        epochs.push_back(arrived->change.epoch);
        ids.push_back(arrived->change.id);
        deltas.push_back(arrived->change.delta.to_string());
        observed.push_back(core::nanos_since_epoch(arrived->change.observed));
        if (last == nullptr || *last != arrived->position) {
            leaned.add(arrived->position);
            bases.push_back(static_cast<std::int64_t>(arrived->basis));
            units.push_back(arrived->unit);
            lowers.push_back(false);
            last = &arrived->position;
        }
        if (arrived->change.delta.sign() < 0 && !lowers.back()) {
            // Counted as lowering even if it turns out to be known: then the mark leads to nothing.
            lowers.back() = true;
            changed.push_back(arrived->position.sku);
        }
    }
    Params positions;
    leaned.to(positions);
    if (const auto done = tx.exec(kMarkAdjusted, positions.add_array(bases).add_array(units).add_array(lowers)); !done) {
        return std::unexpected(done.error());
    }
    Params params;
    all.to(params);
    const auto taken = tx.exec(kTakeChanges, params.add_array(epochs).add_array(ids).add_array(deltas).add_array(observed));
    if (!taken) {
        return std::unexpected(taken.error());
    }
    intake.changes_taken += taken->size();
    intake.changes_passed += changes.size() - taken->size();
    for (const auto row : *taken) {
        changed.push_back(row.string(0));
    }
    return {};
}

}  // namespace

core::Result<StockIntake> take_stock(Transaction& tx, const std::vector<ArrivedLevel>& levels,
                                     const std::vector<ArrivedChange>& changes, core::SystemTime now) {
    StockIntake intake;
    std::vector<std::string> changed;
    if (!levels.empty()) {
        if (auto done = take_levels(tx, levels, intake, changed); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    if (!changes.empty()) {
        if (auto done = take_changes(tx, changes, intake, changed); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    if (auto marked = mark_dirty(tx, std::move(changed), false, now); !marked) {
        return std::unexpected(std::move(marked.error()));
    }
    return intake;
}

}  // namespace inventory_sync
