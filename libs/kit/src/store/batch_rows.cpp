#include "src/store/batch_rows.h"

namespace syncline::kit::store {

using postgres::Params;

core::Result<std::optional<std::int64_t>> batch_offset(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                       const TopicPartition& partition) {
    auto rows = pool.exec(deadline, "SELECT next_offset FROM batch_offsets WHERE grp = $1 AND topic = $2 AND partition = $3",
                          Params{}.add(who.grp).add(partition.topic).add(partition.partition));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return rows->empty() ? std::optional<std::int64_t>{} : std::optional((*rows)[0].int64(0));
}

core::Result<bool> move_batch_offset(postgres::Transaction& tx, const Identity& who, const TopicPartition& partition,
                                     std::int64_t start, std::int64_t end) {
    auto moved =
        tx.exec("UPDATE batch_offsets SET next_offset = $5 WHERE grp = $1 AND topic = $2 AND partition = $3 AND next_offset = $4",
                Params{}.add(who.grp).add(partition.topic).add(partition.partition).add(start).add(end));
    if (!moved) {
        return std::unexpected(std::move(moved.error()));
    }
    if (moved->affected() == 1) {
        return true;
    }
    auto first =
        tx.exec("INSERT INTO batch_offsets (grp, topic, partition, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                Params{}.add(who.grp).add(partition.topic).add(partition.partition).add(end));
    if (!first) {
        return std::unexpected(std::move(first.error()));
    }
    return first->affected() == 1;
}

}  // namespace syncline::kit::store
