#include "src/store/batch_rows.h"

#include <map>

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

// The change of the offset decides, the mark follows it; one round trip for both and for the number of the transaction.
constexpr std::string_view kMoveOn =
    "WITH moved AS (UPDATE batch_offsets SET next_offset = $4 WHERE grp = $1 AND topic = $2 AND partition = $3 "
    "AND next_offset = $7 RETURNING partition), "
    "marked AS (UPDATE partition_markers SET recorded_end = $6 WHERE grp = $1 AND topic = $2 AND partition = $3 AND epoch = $5 "
    "AND EXISTS (SELECT FROM moved)) "
    "SELECT (SELECT count(*) FROM moved), pg_current_xact_id()::text";
constexpr std::string_view kBegin =
    "WITH moved AS (INSERT INTO batch_offsets (grp, topic, partition, next_offset) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING partition), "
    "marked AS (UPDATE partition_markers SET recorded_end = $6 WHERE grp = $1 AND topic = $2 AND partition = $3 AND epoch = $5 "
    "AND EXISTS (SELECT FROM moved)) "
    "SELECT (SELECT count(*) FROM moved), pg_current_xact_id()::text";

core::Result<void> only_status(core::Result<postgres::Rows> rows) {
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

}  // namespace

core::Result<std::vector<std::optional<std::int64_t>>> batch_offsets(postgres::Pool& pool, const core::Deadline& deadline,
                                                                     const Identity& who,
                                                                     std::span<const TopicPartition> partitions) {
    const auto rows = list_batch_offsets(pool, deadline, who);
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::map<TopicPartition, std::int64_t> known;
    for (const auto& row : *rows) {
        known[row.partition] = row.next;
    }
    std::vector<std::optional<std::int64_t>> offsets;
    for (const auto& partition : partitions) {
        const auto found = known.find(partition);
        offsets.push_back(found == known.end() ? std::optional<std::int64_t>{} : found->second);
    }
    return offsets;
}

core::Result<bool> move_batch_offset(postgres::Transaction& tx, const Identity& who, const BatchMove& move, TransactionId& id) {
    Params params;
    params.add(who.grp).add(move.partition.topic).add(move.partition.partition).add(move.to).add(move.epoch).add(move.mark);
    if (move.from) {
        params.add(*move.from);
    }
    auto moved = tx.exec(move.from ? kMoveOn : kBegin, params);
    if (!moved) {
        return std::unexpected(std::move(moved.error()));
    }
    id.text = (*moved)[0].string(1);
    return (*moved)[0].int64(0) == 1;
}

core::Result<void> set_batch_mark(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who, const Mark& mark) {
    return only_status(
        pool.exec(deadline,
                  "INSERT INTO partition_markers AS m (grp, topic, partition, epoch, recorded_end, clean) "
                  "VALUES ($1, $2, $3, $4, $5, false) ON CONFLICT (grp, topic, partition) DO UPDATE SET epoch = excluded.epoch, "
                  "clean = false, recorded_end = excluded.recorded_end WHERE m.epoch <= excluded.epoch",
                  Params{}.add(who.grp).add(mark.partition.topic).add(mark.partition.partition).add(mark.epoch).add(mark.end)));
}

core::Result<void> forget_poison_try(postgres::Transaction& tx, const Identity& who, const Position& position) {
    return only_status(tx.exec("DELETE FROM poison_tries WHERE grp = $1 AND topic = $2 AND partition = $3 AND record_offset = $4",
                               Params{}.add(who.grp).add(position.topic).add(position.partition).add(position.offset)));
}

core::Result<std::vector<BatchPosition>> list_batch_offsets(postgres::Pool& pool, const core::Deadline& deadline,
                                                            const Identity& who) {
    auto rows =
        pool.exec(deadline, "SELECT topic, partition, next_offset FROM batch_offsets WHERE grp = $1 ORDER BY topic, partition",
                  Params{}.add(who.grp));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<BatchPosition> positions;
    for (const auto row : *rows) {
        positions.push_back({.partition = {row.string(0), row.int32(1)}, .next = row.int64(2)});
    }
    return positions;
}

}  // namespace syncline::kit::store
