#include "src/store/inbox_rows.h"

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

constexpr std::string_view kColumns =
    "SELECT event_id::text, topic, partition, record_offset, key, type, state, reason, at FROM inbox ";

InboxEntry read(const postgres::Row& row) {
    return {.event = {.event_id = row.string(0),
                      .at = {row.string(1), row.string(4)},
                      .type = row.string(5),
                      .position = {row.string(1), row.int32(2), row.int64(3)}},
            .state = row.string(6),
            .reason = row.string(7),
            .at = row.time(8)};
}

}  // namespace

core::Result<std::vector<Admission>> admit(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                           std::span<const Candidate> candidates) {
    Params params;
    params.add(who.grp);
    add_texts(params, candidates, [](const auto& c) { return c.event_id; });
    add_texts(params, candidates, [](const auto& c) { return c.at.topic; });
    add_texts(params, candidates, [](const auto& c) { return c.at.key; });
    auto rows = pool.exec(deadline,
                          "SELECT w.ord, i.event_id IS NOT NULL, k.key IS NOT NULL "
                          "FROM (SELECT $1::integer AS grp, u.* FROM unnest($2::uuid[], $3::text[], $4::text[]) "
                          "WITH ORDINALITY AS u(event_id, topic, key, ord) OFFSET 0) w "
                          "LEFT JOIN inbox i ON i.grp = w.grp AND i.event_id = w.event_id "
                          "LEFT JOIN parked_keys k ON k.grp = w.grp AND k.topic = w.topic AND k.key = w.key",
                          params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<Admission> answers(candidates.size());
    for (const auto row : *rows) {
        answers.at(static_cast<std::size_t>(row.int64(0) - 1)) = {.known = row.boolean(1), .key_parked = row.boolean(2)};
    }
    return answers;
}

core::Result<std::optional<InboxEntry>> find_inbox(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                   const std::string& event_id) {
    auto rows = pool.exec(deadline, std::string(kColumns) + "WHERE grp = $1 AND event_id = $2::uuid",
                          Params{}.add(who.grp).add(event_id));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    if (rows->empty()) {
        return std::optional<InboxEntry>{};
    }
    return std::optional(read((*rows)[0]));
}

core::Result<std::vector<InboxEntry>> inbox_of_key(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                   const std::string& key) {
    auto rows = pool.exec(deadline, std::string(kColumns) + "WHERE key = $2 AND grp = $1 ORDER BY at, record_offset LIMIT 1000",
                          Params{}.add(who.grp).add(key));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<InboxEntry> entries;
    for (const auto row : *rows) {
        entries.push_back(read(row));
    }
    return entries;
}

core::Result<std::int64_t> delete_settled(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                          core::SystemTime before, int limit) {
    auto rows = pool.exec(deadline,
                          "DELETE FROM inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbox WHERE grp = $1 AND settled_at < $2 "
                          "ORDER BY settled_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
                          Params{}.add(who.grp).add(before).add(limit));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return rows->affected();
}

core::Result<std::vector<DueTimer>> due_timers(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                               core::SystemTime now, std::span<const TopicPartition> partitions,
                                               std::span<const std::string> snapshot_types, int limit) {
    Params params;
    params.add(who.grp).add(now);
    add_texts(params, partitions, [](const auto& p) { return p.topic; });
    add_integers(params, partitions, [](const auto& p) { return p.partition; });
    params.add_array(snapshot_types).add(limit);
    // A timer that a snapshot set always names the newest one (a newer one replaces or clears it); one that a fact set has to
    // look.
    auto rows = pool.exec(
        deadline,
        "SELECT t.topic, t.key, t.reason, t.due_at, t.family, t.event_id::text, t.partition, t.record_offset, "
        "s.event_id::text, s.partition, s.record_offset FROM (SELECT * FROM timers WHERE due_at <= $2 OFFSET 0) t "
        "JOIN unnest($3::text[], $4::integer[]) AS w(topic, partition) ON t.topic = w.topic AND t.partition = w.partition "
        "LEFT JOIN LATERAL (SELECT i.event_id, i.partition, i.record_offset FROM inbox i WHERE t.family = 'fact' AND i.key = "
        "t.key "
        "AND i.grp = t.grp AND i.topic = t.topic AND i.state = 'done' AND i.type = ANY($5::text[]) ORDER BY i.at DESC LIMIT 1) s "
        "ON true "
        "WHERE t.grp = $1 ORDER BY t.due_at LIMIT $6",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<DueTimer> due;
    for (const auto row : *rows) {
        DueTimer timer;
        timer.timer = {.event = {.event_id = row.string(5),
                                 .at = {row.string(0), row.string(1)},
                                 .type = {},
                                 .position = {row.string(0), row.int32(6), row.int64(7)}},
                       .family = row.text(4) == "snapshot" ? Family::snapshot : Family::fact,
                       .reason = row.string(2),
                       .due_at = row.time(3)};
        const bool newer = !row.is_null(8);
        timer.snapshot = newer ? Position{row.string(0), row.int32(9), row.int64(10)} : timer.timer.event.position;
        timer.snapshot_event = newer ? row.string(8) : timer.timer.event.event_id;
        due.push_back(std::move(timer));
    }
    return due;
}

core::Result<void> delete_timers(postgres::Transaction& tx, const Identity& who, std::span<const TimerRow> timers) {
    Params params;
    params.add(who.grp);
    add_texts(params, timers, [](const auto& t) { return t.event.at.topic; });
    add_texts(params, timers, [](const auto& t) { return t.event.at.key; });
    add_texts(params, timers, [](const auto& t) { return t.reason; });
    add_times(params, timers, [](const auto& t) { return t.due_at; });
    auto rows = tx.exec(
        "DELETE FROM timers t USING (SELECT $1::integer AS grp, u.* FROM unnest($2::text[], $3::text[], $4::text[], "
        "$5::timestamptz[]) AS u(topic, key, reason, due_at) OFFSET 0) w WHERE t.grp = w.grp AND t.topic = w.topic AND t.key = "
        "w.key AND t.reason = w.reason AND t.due_at = w.due_at",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

}  // namespace syncline::kit::store
