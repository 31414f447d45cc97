#include "src/store/parked_rows.h"

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;
using postgres::Transaction;

}  // namespace

core::Result<std::vector<DueKey>> due_keys(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                           core::SystemTime now, std::span<const TopicPartition> partitions,
                                           std::span<const KeyOf> besides, int limit) {
    Params params;
    params.add(who.grp).add(now);
    add_texts(params, partitions, [](const auto& p) { return p.topic; });
    add_integers(params, partitions, [](const auto& p) { return p.partition; });
    add_texts(params, besides, [](const auto& k) { return k.topic; });
    add_texts(params, besides, [](const auto& k) { return k.key; });
    params.add(limit);
    auto rows = pool.exec(
        deadline,
        "SELECT k.topic, k.key, k.partition FROM parked_keys k "
        "JOIN unnest($3::text[], $4::integer[]) AS w(topic, partition) ON k.topic = w.topic AND k.partition = w.partition "
        "WHERE k.grp = $1 AND k.due_at <= $2 AND NOT EXISTS (SELECT FROM unnest($5::text[], $6::text[]) AS b(topic, key) "
        "WHERE b.topic = k.topic AND b.key = k.key) ORDER BY k.due_at LIMIT $7",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<DueKey> due;
    for (const auto row : *rows) {
        due.push_back({.at = {row.string(0), row.string(1)}, .partition = row.int32(2)});
    }
    return due;
}

ParkedEvent read_parked_event(const postgres::Row& row) {
    ParkedEvent event;
    event.seq = row.int64(0);
    event.event.at = {row.string(1), row.string(2)};
    event.event.event_id = row.string(3);
    event.family = row.text(4) == "snapshot" ? Family::snapshot : Family::fact;
    event.resource = row.string(5);
    event.version = {row.int64(6), row.int64(7), row.boolean(8)};
    event.mode = mode_from(row.text(9));
    event.waiting = {.held = row.text(10) == "held",
                     .kind = core::error_kind_from(row.text(11)),
                     .code = row.string(12),
                     .reason = row.string(13),
                     .waits_for = row.string(14),
                     .figures = {.expected = row.string(15), .found = row.string(16), .currency = row.string(17)}};
    event.override_code = row.string(18);
    event.attempts = row.int32(19);
    event.crash_tries = row.int32(20);
    event.first_at = row.time(21);
    event.last_at = row.time(22);
    event.due_at = row.optional_time(23);
    event.not_before = row.optional_time(24);
    event.event.position = {event.event.at.topic, row.int32(25), row.int64(26)};
    event.record.position = event.event.position;
    event.record.key = row.optional_bytes(27);
    event.record.headers = unpack_headers(row.bytes(28));
    event.record.value = row.optional_bytes(29).value_or("");
    event.event.type = std::string(header_value(event.record.headers, "ce_type"));
    return event;
}

core::Result<std::vector<ParkedEvent>> load_queues(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                   core::SystemTime now, std::span<const KeyOf> keys) {
    Params params;
    params.add(who.grp).add(now);
    add_texts(params, keys, [](const auto& k) { return k.topic; });
    add_texts(params, keys, [](const auto& k) { return k.key; });
    std::string columns(kParkedColumns);
    const std::string_view value = "e.record_value ";
    columns.replace(columns.rfind(value), value.size(), "CASE WHEN e.due_at <= $2 THEN e.record_value END ");
    auto rows = pool.exec(deadline,
                          "SELECT " + columns +
                              "FROM parked_events e JOIN unnest($3::text[], $4::text[]) AS w(topic, key) "
                              "ON e.topic = w.topic AND e.key = w.key WHERE e.grp = $1 ORDER BY e.family DESC, e.seq",
                          params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<ParkedEvent> events;
    for (const auto row : *rows) {
        events.push_back(read_parked_event(row));
    }
    return events;
}

core::Result<int> count_start(postgres::Pool& pool, const core::Deadline& deadline, std::int64_t seq) {
    auto rows = pool.exec(deadline, "UPDATE parked_events SET crash_tries = crash_tries + 1 WHERE seq = $1 RETURNING crash_tries",
                          Params{}.add(seq));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return rows->empty() ? 0 : (*rows)[0].int32(0);
}

core::Result<void> take_back_start(postgres::Pool& pool, const core::Deadline& deadline, std::int64_t seq) {
    auto rows = pool.exec(deadline, "UPDATE parked_events SET crash_tries = crash_tries - 1 WHERE seq = $1", Params{}.add(seq));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<std::int64_t> make_due(Transaction& tx, const Identity& who, core::SystemTime now,
                                    std::span<const std::string> waits_for) {
    Params params;
    params.add(who.grp).add(now).add_array(waits_for);
    // Keys before events, as everywhere: two orders of locking would meet in a deadlock.
    auto keys = tx.exec(
        "UPDATE parked_keys k SET due_at = least(coalesce(k.due_at, $2), $2) FROM ("
        "SELECT p.topic, p.key FROM parked_keys p WHERE p.grp = $1 AND EXISTS (SELECT FROM parked_events e WHERE e.grp = p.grp "
        "AND e.topic = p.topic AND e.key = p.key AND e.state = 'held' AND e.waits_for = ANY($3::text[])) "
        "ORDER BY p.topic, p.key FOR UPDATE) d WHERE k.grp = $1 AND k.topic = d.topic AND k.key = d.key",
        params);
    if (!keys) {
        return std::unexpected(std::move(keys.error()));
    }
    auto events = tx.exec(
        "UPDATE parked_events SET due_at = $2 WHERE grp = $1 AND state = 'held' AND waits_for = ANY($3::text[]) AND due_at IS "
        "NULL",
        params);
    if (!events) {
        return std::unexpected(std::move(events.error()));
    }
    return events->affected();
}

core::Result<std::vector<std::string>> awaited_entries(postgres::Pool& pool, const core::Deadline& deadline,
                                                       const Identity& who) {
    auto rows = pool.exec(
        deadline,
        "SELECT DISTINCT waits_for FROM parked_events WHERE grp = $1 AND state = 'held' AND waits_for <> '' LIMIT 10000",
        Params{}.add(who.grp));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<std::string> entries;
    for (const auto row : *rows) {
        entries.push_back(row.string(0));
    }
    return entries;
}

core::Result<ParkedFigures> parked_figures(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who) {
    auto rows = pool.exec(deadline, "SELECT state, count(*), min(first_at) FROM parked_keys WHERE grp = $1 GROUP BY state",
                          Params{}.add(who.grp));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    ParkedFigures figures;
    for (const auto row : *rows) {
        const bool held = row.text(0) == "held";
        (held ? figures.held : figures.parked) = row.int64(1);
        (held ? figures.oldest_held : figures.oldest_parked) = row.optional_time(2);
    }
    return figures;
}

}  // namespace syncline::kit::store
