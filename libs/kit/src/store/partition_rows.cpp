#include "src/store/partition_rows.h"

#include <algorithm>

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

core::Result<void> only_status(core::Result<postgres::Rows> rows) {
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<void> register_group(postgres::Transaction& tx, const Identity& who) {
    auto inserted = tx.exec("INSERT INTO consumer_groups (grp, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                            Params{}.add(who.grp).add(who.group));
    if (!inserted) {
        return std::unexpected(std::move(inserted.error()));
    }
    auto rows = tx.exec("SELECT name FROM consumer_groups WHERE grp = $1", Params{}.add(who.grp));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    if ((*rows)[0].text(0) != who.group) {
        return core::fail(core::ErrorKind::bug, "group_collision", "another consumer group of this schema has the same number",
                          "name one of the two differently");
    }
    return {};
}

}  // namespace

core::Result<std::vector<Claim>> claim_partitions(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                  core::SystemTime now, std::span<const TopicPartition> partitions,
                                                  const std::function<bool()>& still_ours) {
    return pool.run(deadline, [&](postgres::Transaction& tx) -> core::Result<std::vector<Claim>> {
        if (auto ok = register_group(tx, who); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
        Params params;
        params.add(who.grp).add(who.owner).add(now);
        add_texts(params, partitions, [](const auto& p) { return p.topic; });
        add_integers(params, partitions, [](const auto& p) { return p.partition; });
        auto epochs = tx.exec(
            "INSERT INTO partition_owner (grp, topic, partition, epoch, owner, since) "
            "SELECT $1::integer, w.topic, w.partition, 1, $2::text, $3::timestamptz FROM unnest($4::text[], $5::integer[]) "
            "AS w(topic, partition) ORDER BY w.topic, w.partition "
            "ON CONFLICT (grp, topic, partition) DO UPDATE SET epoch = partition_owner.epoch + 1, owner = excluded.owner, "
            "since = excluded.since RETURNING topic, partition, epoch",
            params);
        if (!epochs) {
            return std::unexpected(std::move(epochs.error()));
        }
        Params keys;
        keys.add(who.grp);
        add_texts(keys, partitions, [](const auto& p) { return p.topic; });
        add_integers(keys, partitions, [](const auto& p) { return p.partition; });
        auto marks = tx.exec(
            "SELECT m.topic, m.partition, m.recorded_end FROM partition_markers m "
            "JOIN unnest($2::text[], $3::integer[]) AS w(topic, partition) ON m.topic = w.topic AND m.partition = w.partition "
            "WHERE m.grp = $1 AND NOT m.clean",
            keys);
        if (!marks) {
            return std::unexpected(std::move(marks.error()));
        }
        if (still_ours && !still_ours()) {
            return core::fail(core::ErrorKind::rejected, std::string(kPartitionsMoved),
                              "partitions went while they were claimed");
        }
        std::vector<Claim> claims(partitions.size());
        for (std::size_t i = 0; i < partitions.size(); ++i) {
            for (const auto row : *epochs) {
                if (row.text(0) == partitions[i].topic && row.int32(1) == partitions[i].partition) {
                    claims[i].epoch = row.int64(2);
                }
            }
            for (const auto row : *marks) {
                if (row.text(0) == partitions[i].topic && row.int32(1) == partitions[i].partition) {
                    claims[i].suspect_end = row.int64(2);
                }
            }
        }
        return claims;
    });
}

core::Result<void> say_goodbye(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                               std::span<const Goodbye> partitions) {
    if (partitions.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp);
    add_texts(params, partitions, [](const auto& p) { return p.partition.topic; });
    add_integers(params, partitions, [](const auto& p) { return p.partition.partition; });
    add_integers(params, partitions, [](const auto& p) { return p.epoch; });
    return only_status(
        pool.exec(deadline,
                  "UPDATE partition_markers m SET clean = true FROM unnest($2::text[], $3::integer[], $4::bigint[]) "
                  "AS w(topic, partition, epoch) WHERE m.grp = $1 AND m.topic = w.topic AND m.partition = w.partition "
                  "AND m.epoch = w.epoch",
                  params));
}

core::Result<void> raise_marks(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                               std::span<const Mark> marks) {
    Params params;
    params.add(who.grp);
    add_texts(params, marks, [](const auto& m) { return m.partition.topic; });
    add_integers(params, marks, [](const auto& m) { return m.partition.partition; });
    add_integers(params, marks, [](const auto& m) { return m.epoch; });
    add_integers(params, marks, [](const auto& m) { return m.end; });
    return only_status(pool.exec(deadline,
                                 "INSERT INTO partition_markers AS m (grp, topic, partition, epoch, recorded_end, clean) "
                                 "SELECT $1::integer, w.topic, w.partition, w.epoch, w.recorded_end, false "
                                 "FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[]) "
                                 "AS w(topic, partition, epoch, recorded_end) ORDER BY w.topic, w.partition "
                                 "ON CONFLICT (grp, topic, partition) DO UPDATE SET epoch = excluded.epoch, clean = false, "
                                 "recorded_end = greatest(m.recorded_end, excluded.recorded_end) WHERE m.epoch <= excluded.epoch",
                                 params));
}

core::Result<int> count_poison_try(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                   const Position& position) {
    auto rows =
        pool.exec(deadline,
                  "INSERT INTO poison_tries AS t (grp, topic, partition, record_offset, tries) VALUES ($1, $2, $3, $4, 1) "
                  "ON CONFLICT (grp, topic, partition, record_offset) DO UPDATE SET tries = t.tries + 1 RETURNING tries",
                  Params{}.add(who.grp).add(position.topic).add(position.partition).add(position.offset));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return (*rows)[0].int32(0);
}

core::Result<void> take_back_poison_try(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                        const Position& position) {
    return only_status(pool.exec(
        deadline,
        "UPDATE poison_tries SET tries = tries - 1 WHERE grp = $1 AND topic = $2 AND partition = $3 AND record_offset = $4",
        Params{}.add(who.grp).add(position.topic).add(position.partition).add(position.offset)));
}

}  // namespace syncline::kit::store
