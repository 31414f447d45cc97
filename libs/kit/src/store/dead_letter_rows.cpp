#include "src/store/dead_letter_rows.h"

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

constexpr std::string_view kColumns =
    "SELECT id::text, event_id::text, topic, partition, record_offset, key, type, family, resource, version_updated, "
    "version_observed, "
    "version_fetched, class, code, reason, attempts, first_at, last_at, state, record_key, record_headers";

StoredDeadLetter read(const postgres::Row& row, bool with_value) {
    StoredDeadLetter stored;
    auto& letter = stored.letter;
    letter.id = row.string(0);
    letter.event = {.event_id = row.string(1),
                    .at = {row.string(2), row.string(5)},
                    .type = row.string(6),
                    .position = {row.string(2), row.int32(3), row.int64(4)}};
    letter.family = row.text(7) == "snapshot" ? Family::snapshot : Family::fact;
    letter.resource = row.string(8);
    letter.version = {row.int64(9), row.int64(10), row.boolean(11)};
    letter.error_class = row.string(12);
    letter.code = row.string(13);
    letter.reason = row.string(14);
    letter.attempts = row.int32(15);
    letter.first_at = row.time(16);
    letter.last_at = row.time(17);
    stored.state = row.string(18);
    letter.record.position = letter.event.position;
    letter.record.key = row.optional_bytes(19);
    letter.record.headers = unpack_headers(row.bytes(20));
    if (with_value) {
        letter.record.value = row.bytes(21);
    }
    return stored;
}

std::optional<StoredDeadLetter> first_of(const postgres::Rows& rows) {
    if (rows.empty()) {
        return std::nullopt;
    }
    return read(rows[0], true);
}

}  // namespace

core::Result<void> insert_dead_letters(postgres::Transaction& tx, const Identity& who,
                                       std::span<const DeadLetter* const> letters) {
    if (letters.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp);
    add_texts(params, letters, [](const auto* l) { return l->id; });
    add_texts(params, letters, [](const auto* l) { return l->event.event_id; });
    add_texts(params, letters, [](const auto* l) { return l->event.position.topic; });
    add_integers(params, letters, [](const auto* l) { return l->event.position.partition; });
    add_integers(params, letters, [](const auto* l) { return l->event.position.offset; });
    add_texts(params, letters, [](const auto* l) { return l->event.at.key; });
    add_texts(params, letters, [](const auto* l) { return storable(l->event.type); });
    add_texts(params, letters, [](const auto* l) { return l->family == Family::snapshot ? "snapshot" : "fact"; });
    add_texts(params, letters, [](const auto* l) { return storable(l->resource); });
    add_integers(params, letters, [](const auto* l) { return l->version.source_updated_at_ns; });
    add_integers(params, letters, [](const auto* l) { return l->version.observed_at_ns; });
    add_booleans(params, letters, [](const auto* l) { return l->version.fetched; });
    add_texts(params, letters, [](const auto* l) { return l->error_class; });
    add_texts(params, letters, [](const auto* l) { return storable(l->code); });
    add_texts(params, letters, [](const auto* l) { return storable(l->reason); });
    add_integers(params, letters, [](const auto* l) { return l->attempts; });
    add_times(params, letters, [](const auto* l) { return l->first_at; });
    add_times(params, letters, [](const auto* l) { return l->last_at; });
    add_bytes(params, letters, [](const auto* l) { return l->record.key; });
    add_bytes(params, letters, [](const auto* l) { return std::optional(l->record.value); });
    add_bytes(params, letters, [](const auto* l) { return std::optional(pack_headers(l->record.headers)); });
    auto rows = tx.exec(
        "INSERT INTO dead_letters (id, grp, event_id, topic, partition, record_offset, key, type, family, resource, "
        "version_updated, "
        "version_observed, version_fetched, class, code, reason, attempts, first_at, last_at, state, record_key, record_value, "
        "record_headers) "
        "SELECT w.id, $1::integer, w.event_id, w.topic, w.partition, w.record_offset, w.key, w.type, w.family, w.resource, "
        "w.updated, "
        "w.observed, w.fetched, w.class, w.code, w.reason, w.attempts, w.first_at, w.last_at, 'dead', w.record_key, "
        "w.record_value, "
        "w.record_headers "
        "FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::bigint[], $7::text[], $8::text[], $9::text[], "
        "$10::text[], "
        "$11::bigint[], $12::bigint[], $13::boolean[], $14::text[], $15::text[], $16::text[], $17::integer[], "
        "$18::timestamptz[], "
        "$19::timestamptz[], $20::bytea[], $21::bytea[], $22::bytea[]) AS w(id, event_id, topic, partition, record_offset, key, "
        "type, "
        "family, resource, updated, observed, fetched, class, code, reason, attempts, first_at, last_at, record_key, "
        "record_value, "
        "record_headers) "
        "ON CONFLICT (id) DO UPDATE SET class = excluded.class, code = excluded.code, reason = excluded.reason, "
        "attempts = dead_letters.attempts + excluded.attempts, last_at = excluded.last_at, state = 'dead', settled_at = NULL",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<std::optional<StoredDeadLetter>> lock_dead_letter(postgres::Transaction& tx, const Identity& who,
                                                               const std::string& id) {
    auto rows = tx.exec(std::string(kColumns) + ", record_value FROM dead_letters WHERE grp = $1 AND id = $2::uuid FOR UPDATE",
                        Params{}.add(who.grp).add(id));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return first_of(*rows);
}

core::Result<std::optional<StoredDeadLetter>> find_dead_letter(postgres::Pool& pool, const core::Deadline& deadline,
                                                               const Identity& who, const std::string& id) {
    auto rows = pool.exec(deadline, std::string(kColumns) + ", record_value FROM dead_letters WHERE grp = $1 AND id = $2::uuid",
                          Params{}.add(who.grp).add(id));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return first_of(*rows);
}

core::Result<void> settle_dead_letter(postgres::Transaction& tx, const Identity& who, core::SystemTime now, const std::string& id,
                                      std::string_view state, std::optional<InboxState> inbox) {
    auto rows =
        tx.exec("UPDATE dead_letters SET state = $3, settled_at = $4 WHERE grp = $1 AND id = $2::uuid RETURNING event_id::text",
                Params{}.add(who.grp).add(id).add(state).add(now));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    if (rows->empty()) {
        return {};
    }
    // A discarded letter is settled: its inbox row may go when its time has come.
    auto changed = tx.exec(
        "UPDATE inbox SET state = coalesce($3, state), at = $4, settled_at = CASE WHEN $3 IS NULL THEN $4::timestamptz END "
        "WHERE grp = $1 AND event_id = $2::uuid",
        Params{}
            .add(who.grp)
            .add((*rows)[0].text(0))
            .add(inbox ? std::optional<std::string>(to_string(*inbox)) : std::nullopt)
            .add(now));
    if (!changed) {
        return std::unexpected(std::move(changed.error()));
    }
    return {};
}

core::Result<std::vector<StoredDeadLetter>> list_dead_letters(postgres::Pool& pool, const core::Deadline& deadline,
                                                              const Identity& who, const DeadLetterFilter& filter) {
    Params params;
    params.add(who.grp).add(filter.state).add(filter.error_class).add(filter.code).add(filter.shop).add(filter.key);
    params.add(filter.since.value_or(core::SystemTime{})).add(filter.limit);
    auto rows =
        pool.exec(deadline,
                  std::string(kColumns) +
                      " FROM dead_letters WHERE grp = $1 AND ($2::text = '' OR state = $2) AND ($3::text = '' OR class = $3) "
                      "AND ($4::text = '' OR code = $4) AND ($5::text = '' OR split_part(key, '/', 1) = $5) "
                      "AND ($6::text = '' OR key = $6) AND last_at >= $7 ORDER BY last_at DESC, id LIMIT $8",
                  params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<StoredDeadLetter> letters;
    for (const auto row : *rows) {
        letters.push_back(read(row, false));
    }
    return letters;
}

}  // namespace syncline::kit::store
