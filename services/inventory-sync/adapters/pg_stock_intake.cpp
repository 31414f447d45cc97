#include "adapters/pg_stock_intake.h"

#include <syncline/core/time.h>
#include <syncline/postgres/pool.h>
#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <tuple>

#include "adapters/marks.h"

namespace inventory_sync {
namespace {

using syncline::postgres::Params;
using syncline::postgres::Transaction;

constexpr std::size_t kSampled = 16;
constexpr std::size_t kKindsMax = 64;  // Of one statement: the database walks to the one it wants.

// What a level makes of the position that is known; a test compares it with judge() of domain/stock on random reports.
constexpr std::string_view kReplace = R"sql(
SET basis = excluded.basis, unit = excluded.unit, level = excluded.level, observed_ns = excluded.observed_ns,
    previous_epoch = CASE WHEN p.level IS NULL OR p.epoch = excluded.epoch THEN p.previous_epoch ELSE p.epoch END,
    epoch = excluded.epoch, sequence = excluded.sequence, snapshot = excluded.snapshot,
    lowered = p.lowered + (p.adjusted OR excluded.level < p.level OR excluded.basis <> p.basis OR excluded.unit <> p.unit)::integer
)sql";
constexpr std::string_view kIfItHolds = R"sql((p.level IS NULL OR CASE
    WHEN excluded.observed_ns < p.observed_ns THEN false
    WHEN excluded.epoch <> p.epoch THEN excluded.observed_ns > p.observed_ns OR excluded.epoch <> p.previous_epoch
    WHEN excluded.sequence > 0 AND p.sequence > 0 AND excluded.snapshot = ''
        THEN excluded.sequence > p.sequence OR (excluded.observed_ns > p.observed_ns AND excluded.sequence = p.sequence)
    ELSE excluded.observed_ns > p.observed_ns OR excluded.level < p.level END))sql";
// What most levels of a batch have in common (their kind) travels once: parsing ten arrays costs as much as finding the rows.
constexpr std::string_view kArrived = R"sql((
SELECT a.sku, ($6::text[])[a.kind] AS source, ($7::text[])[a.kind] AS location, ($8::bigint[])[a.kind] AS basis,
       ($9::text[])[a.kind] AS unit, a.level, a.observed_ns, ($10::text[])[a.kind] AS epoch, a.sequence,
       ($11::text[])[a.kind] AS snapshot, a.place
FROM unnest($1::text[], $2::numeric[], $3::bigint[], $4::numeric[], $5::integer[])
    WITH ORDINALITY AS a (sku, level, observed_ns, sequence, kind, place) OFFSET 0))sql";

// Rows come back only for what is special: with nothing passed over and no changes to forget, the count is all.
std::string insert_levels_sql() {
    return R"sql(
WITH taken AS (
INSERT INTO positions AS p (sku, source, location, basis, unit, level, observed_ns, epoch, previous_epoch, sequence, snapshot,
                            adjusted)
SELECT sku, source, location, basis, unit, level, observed_ns, epoch, '', sequence, snapshot, false FROM )sql" +
           std::string(kArrived) + " AS arrived ON CONFLICT (sku, source, location) DO UPDATE" + std::string(kReplace) +
           "WHERE " + std::string(kIfItHolds) + R"sql( RETURNING sku, source, location, adjusted),
total AS (SELECT count(*) AS rows FROM taken)
SELECT total.rows, taken.sku, taken.source, taken.location, taken.adjusted
FROM total LEFT JOIN taken ON taken.adjusted OR total.rows < $12::bigint)sql";
}

// The same for positions that are there: an insert that meets a row locks it before it changes it, and both are logged.
std::string replace_levels_sql() {
    return "WITH taken AS (UPDATE positions p" + std::string(kReplace) + "FROM " + std::string(kArrived) + R"sql( AS excluded
WHERE p.sku = excluded.sku AND p.source = excluded.source AND p.location = excluded.location AND )sql" +
           std::string(kIfItHolds) + R"sql( RETURNING excluded.place, p.adjusted),
total AS (SELECT count(*) AS rows FROM taken)
SELECT total.rows, taken.place, taken.adjusted FROM total LEFT JOIN taken ON taken.adjusted OR total.rows < $12::bigint)sql";
}

// How many of a few positions are known. Whatever the statistics say, thousands of positions are found by their index, one after
// the other in their order.
constexpr std::string_view kKnown = R"sql(
SELECT count(p.sku), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true)
FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (sku, source, location)
LEFT JOIN positions p ON p.sku = asked.sku AND p.source = asked.source AND p.location = asked.location)sql";

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

// Of each position the level that holds after the batch, in order of position: one row a statement may change once.
std::vector<const ArrivedLevel*> fold(const std::vector<ArrivedLevel>& levels) {
    std::vector<const ArrivedLevel*> list;
    list.reserve(levels.size());
    for (const auto& arrived : levels) {
        list.push_back(&arrived);
    }
    std::ranges::stable_sort(list, [](const auto* a, const auto* b) { return a->position < b->position; });
    std::size_t kept = 0;
    std::string previous_epoch;
    for (const auto* arrived : list) {
        const auto* held = kept == 0 ? nullptr : list[kept - 1];
        if (held == nullptr || held->position != arrived->position) {
            list[kept++] = arrived;
            previous_epoch.clear();
        } else if (judge(held->level, previous_epoch, arrived->level) == Arrival::replaces) {
            if (held->level.epoch != arrived->level.epoch) {
                previous_epoch = held->level.epoch;
            }
            list[kept - 1] = arrived;
        }
    }
    list.resize(kept);
    return list;
}

using Kind = std::tuple<std::string_view, std::string_view, Basis, std::string_view, std::string_view, std::string_view>;

// The parameters of the first levels of the list: of all, unless they are of too many kinds.
struct Columns {
    Params params;
    std::size_t rows = 0;
};

Columns columns_of(std::span<const ArrivedLevel* const> list) {
    std::map<Kind, std::int32_t> kinds;
    std::vector<std::string_view> skus;
    std::vector<std::string> quantities;
    std::vector<std::int64_t> observed;
    std::vector<std::string> sequences;
    std::vector<std::int32_t> kind_of;
    for (const auto* arrived : list) {
        const auto& [position, basis, unit, level] = *arrived;
        const Kind kind(position.place.source, position.place.location, basis, unit, level.epoch, level.snapshot);
        auto known = kinds.find(kind);
        if (known == kinds.end()) {
            if (kinds.size() == kKindsMax) {
                break;
            }
            known = kinds.emplace(kind, static_cast<std::int32_t>(kinds.size()) + 1).first;
        }
        skus.push_back(position.sku);
        quantities.push_back(level.quantity.to_string());
        observed.push_back(core::nanos_since_epoch(level.observed));
        sequences.push_back(std::to_string(level.sequence));
        kind_of.push_back(known->second);
    }
    std::vector<Kind> ordered(kinds.size());
    for (const auto& [kind, number] : kinds) {
        ordered[static_cast<std::size_t>(number) - 1] = kind;
    }
    const auto column = [&]<std::size_t kMember>() {
        std::vector<std::string_view> texts;
        for (const auto& kind : ordered) {
            texts.push_back(std::get<kMember>(kind));
        }
        return texts;
    };
    std::vector<std::int64_t> bases;
    for (const auto& kind : ordered) {
        bases.push_back(static_cast<std::int64_t>(std::get<2>(kind)));
    }
    Columns columns{.params = {}, .rows = skus.size()};
    columns.params.add_array(skus).add_array(quantities).add_array(observed).add_array(sequences).add_array(kind_of);
    columns.params.add_array(column.template operator()<0>()).add_array(column.template operator()<1>()).add_array(bases);
    columns.params.add_array(column.template operator()<3>()).add_array(column.template operator()<4>());
    columns.params.add_array(column.template operator()<5>()).add(skus.size());
    return columns;
}

// Of levels that were passed over.
core::Result<void> count_sequences_back(Transaction& tx, std::span<const ArrivedLevel* const> list, StockIntake& intake) {
    Keys keys;
    std::vector<std::int64_t> observed;
    std::vector<std::string_view> epochs;
    std::vector<std::string> sequences;
    for (const auto* arrived : list) {
        if (arrived->level.sequence > 0) {
            keys.add(arrived->position);
            observed.push_back(core::nanos_since_epoch(arrived->level.observed));
            epochs.push_back(arrived->level.epoch);
            sequences.push_back(std::to_string(arrived->level.sequence));
        }
    }
    if (observed.empty()) {
        return {};
    }
    Params passed;
    keys.to(passed);
    const auto back = tx.exec(kSequencesBack, passed.add_array(observed).add_array(epochs).add_array(sequences));
    if (!back) {
        return std::unexpected(back.error());
    }
    intake.sequences_back += static_cast<std::uint64_t>((*back)[0].int64(0));
    return {};
}

// Whether most positions of a large batch are known, by a sample of them.
core::Result<bool> mostly_known(Transaction& tx, std::span<const ArrivedLevel* const> list) {
    if (list.size() < kSampled * kSampled) {
        return false;
    }
    Keys some;
    for (std::size_t i = 0; i < list.size(); i += list.size() / kSampled) {
        some.add(list[i]->position);
    }
    Params params;
    some.to(params);
    const auto known = tx.exec(kKnown, params);
    if (!known) {
        return std::unexpected(known.error());
    }
    return static_cast<std::size_t>((*known)[0].int64(0)) * 2 > some.skus.size();
}

// What became of the levels of a batch.
struct Taken {
    std::size_t count = 0;
    std::vector<std::string>& changed;
    // Positions that have changes, which the level may have in it by now.
    std::vector<std::string> skus{};
    std::vector<std::string> sources{};
    std::vector<std::string> locations{};
};

// Those of known positions; the others are added to `rest`.
core::Result<void> replace_levels(Transaction& tx, std::span<const ArrivedLevel* const> list, Taken& taken,
                                  std::vector<const ArrivedLevel*>& rest) {
    while (!list.empty()) {
        const auto columns = columns_of(list);
        const auto replaced = tx.exec(replace_levels_sql(), columns.params);
        if (!replaced) {
            return std::unexpected(replaced.error());
        }
        const auto count = static_cast<std::size_t>((*replaced)[0].int64(0));
        taken.count += count;
        std::vector<bool> done(columns.rows, count == columns.rows);
        for (const auto row : *replaced) {
            if (row.is_null(1)) {
                continue;  // Only the count.
            }
            const auto place = static_cast<std::size_t>(row.int64(1)) - 1;
            done[place] = true;
            if (row.boolean(2)) {
                const auto& position = list[place]->position;
                taken.skus.push_back(position.sku);
                taken.sources.push_back(position.place.source);
                taken.locations.push_back(position.place.location);
            }
        }
        for (std::size_t i = 0; i < columns.rows; ++i) {
            if (done[i]) {
                taken.changed.push_back(list[i]->position.sku);
            } else {
                rest.push_back(list[i]);
            }
        }
        list = list.subspan(columns.rows);
    }
    return {};
}

core::Result<void> insert_levels(Transaction& tx, std::span<const ArrivedLevel* const> list, Taken& taken) {
    while (!list.empty()) {
        const auto columns = columns_of(list);
        const auto inserted = tx.exec(insert_levels_sql(), columns.params);
        if (!inserted) {
            return std::unexpected(inserted.error());
        }
        const auto count = static_cast<std::size_t>((*inserted)[0].int64(0));
        const bool all = count == columns.rows;
        taken.count += count;
        for (std::size_t i = 0; all && i < columns.rows; ++i) {
            taken.changed.push_back(list[i]->position.sku);
        }
        for (const auto row : *inserted) {
            if (row.is_null(1)) {
                continue;
            }
            if (!all) {
                taken.changed.push_back(row.string(1));
            }
            if (row.boolean(4)) {
                taken.skus.push_back(row.string(1));
                taken.sources.push_back(row.string(2));
                taken.locations.push_back(row.string(3));
            }
        }
        list = list.subspan(columns.rows);
    }
    return {};
}

core::Result<void> take_levels(Transaction& tx, const std::vector<ArrivedLevel>& levels, StockIntake& intake,
                               std::vector<std::string>& changed) {
    const auto all = fold(levels);
    changed.reserve(changed.size() + all.size());
    Taken taken{.changed = changed};
    const auto known = mostly_known(tx, all);
    if (!known) {
        return std::unexpected(known.error());
    }
    std::vector<const ArrivedLevel*> rest;
    if (*known) {
        if (auto done = replace_levels(tx, all, taken, rest); !done) {
            return done;
        }
    } else {
        rest = all;
    }
    if (auto done = insert_levels(tx, rest, taken); !done) {
        return done;
    }
    intake.levels_taken += taken.count;
    intake.levels_passed += levels.size() - taken.count;
    if (!taken.skus.empty()) {
        const auto forgotten =
            tx.exec(kForgetChanges, Params{}.add_array(taken.skus).add_array(taken.sources).add_array(taken.locations));
        if (!forgotten) {
            return std::unexpected(forgotten.error());
        }
    }
    return taken.count < all.size() ? count_sequences_back(tx, rest, intake) : core::Result<void>{};
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
