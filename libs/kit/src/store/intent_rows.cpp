#include "src/store/intent_rows.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

core::Result<void> exec(postgres::Transaction& tx, std::string_view sql, const Params& params) {
    auto rows = tx.exec(sql, params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

}  // namespace

IntentAnswer decide_intent(const IntentWish& wish, const IntentRow& row, const std::string& owner, core::SystemTime now) {
    if (row.version) {
        const bool done = wish.again ? *row.version > wish.version : (wish.any_version || *row.version >= wish.version);
        if (done) {
            auto record = row.record;
            record.already_done = true;
            return {.kind = IntentAnswerKind::already, .record = std::move(record)};
        }
    }
    if (!row.open) {
        return {.kind = IntentAnswerKind::taken};
    }
    const bool own = row.owner == owner && row.holder == wish.holder && row.epoch == wish.epoch;
    if (own) {
        return {.kind = IntentAnswerKind::taken};
    }
    if (row.lease_until > now) {
        return {.kind = IntentAnswerKind::busy, .busy_until = row.lease_until};
    }
    return {.kind = IntentAnswerKind::taken, .took_over = true};
}

core::Result<std::vector<IntentAnswer>> acquire_intents(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                        core::SystemTime verify_at, std::span<const IntentWish> wishes) {
    // Always in the order of the external keys: two batches never wait for each other.
    std::vector<std::size_t> order(wishes.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::size_t i) -> const std::string& { return wishes[i].external_key; });
    const auto row_of = [&](std::size_t i) -> const IntentWish& {
        return wishes[i];
    };

    Params params;
    params.add(who.connection).add(who.owner);
    add_texts(params, order, [&](auto i) { return row_of(i).external_key; });
    add_texts(params, order, [&](auto i) { return row_of(i).holder; });
    add_integers(params, order, [&](auto i) { return row_of(i).epoch; });
    add_times(params, order, [&](auto i) { return row_of(i).lease_until; });
    add_texts(params, order, [&](auto i) { return row_of(i).position.topic; });
    add_integers(params, order, [&](auto i) { return row_of(i).position.partition; });
    add_integers(params, order, [&](auto i) { return row_of(i).position.offset; });
    auto fresh = tx.exec(
        "INSERT INTO intents (connection, external_key, version_updated, version_observed, version_fetched, owner, holder, "
        "epoch, "
        "lease_until, state, topic, partition, record_offset) "
        "SELECT $1::text, w.external_key, -1, -1, false, $2::text, w.holder, w.epoch, w.lease_until, 'open', w.topic, "
        "w.partition, "
        "w.record_offset FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[], $8::integer[], "
        "$9::bigint[]) "
        "AS w(external_key, holder, epoch, lease_until, topic, partition, record_offset) ORDER BY w.external_key "
        "ON CONFLICT DO NOTHING RETURNING external_key",
        params);
    if (!fresh) {
        return std::unexpected(std::move(fresh.error()));
    }
    std::set<std::string, std::less<>> taken;
    for (const auto row : *fresh) {
        taken.insert(row.string(0));
    }
    std::vector<IntentAnswer> answers(wishes.size());
    std::vector<std::size_t> known;
    std::ranges::copy_if(order, std::back_inserter(known), [&](auto i) { return !taken.contains(wishes[i].external_key); });
    if (known.empty()) {
        return answers;
    }
    Params keys;
    keys.add(who.connection);
    add_texts(keys, known, [&](auto i) { return row_of(i).external_key; });
    auto rows = tx.exec(
        "SELECT external_key, version_updated, version_observed, version_fetched, owner, holder, epoch, lease_until, state, "
        "target_id, "
        "name, detail FROM intents WHERE connection = $1 AND external_key = ANY($2::text[]) ORDER BY external_key FOR UPDATE",
        keys);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::map<std::string, IntentRow, std::less<>> found;
    for (const auto row : *rows) {
        IntentRow intent{.owner = row.string(4),
                         .holder = row.string(5),
                         .epoch = row.int64(6),
                         .lease_until = row.time(7),
                         .open = row.text(8) == "open",
                         .record = {.target_id = row.string(9), .name = row.string(10), .detail = row.string(11)}};
        if (row.int64(1) >= 0) {
            intent.version = Version{row.int64(1), row.int64(2), row.boolean(3)};
        }
        found.emplace(row.string(0), std::move(intent));
    }
    std::vector<std::size_t> taking;
    for (const auto i : known) {
        answers[i] = decide_intent(wishes[i], found[wishes[i].external_key], who.owner, now);
        if (answers[i].kind == IntentAnswerKind::taken) {
            taking.push_back(i);
        }
    }
    if (taking.empty()) {
        return answers;
    }
    Params take;
    take.add(who.connection).add(who.owner).add(verify_at);
    add_texts(take, taking, [&](auto i) { return row_of(i).external_key; });
    add_texts(take, taking, [&](auto i) { return row_of(i).holder; });
    add_integers(take, taking, [&](auto i) { return row_of(i).epoch; });
    add_times(take, taking, [&](auto i) { return row_of(i).lease_until; });
    add_booleans(take, taking, [&](auto i) { return answers[i].took_over; });
    if (auto ok = exec(
            tx,
            "UPDATE intents i SET owner = $2, holder = w.holder, epoch = w.epoch, lease_until = w.lease_until, state = 'open', "
            "verify_at = CASE WHEN w.took_over THEN $3::timestamptz ELSE i.verify_at END "
            "FROM (SELECT $1::text AS connection, u.* FROM unnest($4::text[], $5::text[], $6::bigint[], $7::timestamptz[], "
            "$8::boolean[]) AS u(external_key, holder, epoch, lease_until, took_over) OFFSET 0) w "
            "WHERE i.connection = w.connection AND i.external_key = w.external_key",
            take);
        !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    return answers;
}

core::Result<std::vector<bool>> end_shared_intents(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                   std::span<const SharedEnd> ends) {
    Params params;
    params.add(who.connection).add(who.owner).add(now);
    const EffectRecord none;
    const auto record_of = [&](const SharedEnd& e) -> const EffectRecord& {
        return e.close ? e.close->record : none;
    };
    add_texts(params, ends, [](const auto& e) { return e.external_key; });
    add_texts(params, ends, [](const auto& e) { return e.holder; });
    add_integers(params, ends, [](const auto& e) { return e.epoch; });
    add_booleans(params, ends, [](const auto& e) { return e.close.has_value(); });
    add_times(params, ends, [](const auto& e) { return e.lease_until.value_or(core::SystemTime{}); });
    add_integers(params, ends, [](const auto& e) { return e.close ? e.close->version.source_updated_at_ns : 0; });
    add_integers(params, ends, [](const auto& e) { return e.close ? e.close->version.observed_at_ns : 0; });
    add_booleans(params, ends, [](const auto& e) { return e.close && e.close->version.fetched; });
    add_texts(params, ends, [&](const auto& e) { return storable(record_of(e).target_id); });
    add_texts(params, ends, [&](const auto& e) { return storable(record_of(e).name); });
    add_texts(params, ends, [&](const auto& e) { return storable(record_of(e).detail); });
    add_texts(params, ends, [](const auto& e) { return e.close ? e.close->position.topic : std::string(); });
    add_integers(params, ends, [](const auto& e) { return e.close ? e.close->position.partition : 0; });
    add_integers(params, ends, [](const auto& e) { return e.close ? e.close->position.offset : 0; });
    auto rows = tx.exec(
        "UPDATE intents i SET state = CASE WHEN NOT w.closes AND w.lease_until > $3 THEN 'open' ELSE 'closed' END, "
        "lease_until = w.lease_until, "
        "version_updated = CASE WHEN w.closes THEN w.updated ELSE i.version_updated END, "
        "version_observed = CASE WHEN w.closes THEN w.observed ELSE i.version_observed END, "
        "version_fetched = CASE WHEN w.closes THEN w.fetched ELSE i.version_fetched END, "
        "target_id = CASE WHEN w.closes THEN w.target_id ELSE i.target_id END, "
        "name = CASE WHEN w.closes THEN w.name ELSE i.name END, "
        "detail = CASE WHEN w.closes THEN w.detail ELSE i.detail END, "
        "topic = CASE WHEN w.closes THEN w.topic ELSE i.topic END, "
        "partition = CASE WHEN w.closes THEN w.partition ELSE i.partition END, "
        "record_offset = CASE WHEN w.closes THEN w.record_offset ELSE i.record_offset END "
        "FROM (SELECT $1::text AS connection, u.* FROM unnest($4::text[], $5::text[], $6::bigint[], $7::boolean[], "
        "$8::timestamptz[], $9::bigint[], "
        "$10::bigint[], "
        "$11::boolean[], $12::text[], $13::text[], $14::text[], $15::text[], $16::integer[], $17::bigint[]) "
        "AS u(external_key, holder, epoch, closes, lease_until, updated, observed, fetched, target_id, name, detail, topic, "
        "partition, "
        "record_offset) ORDER BY u.external_key) w "
        "WHERE i.connection = w.connection AND i.external_key = w.external_key AND i.owner = $2 AND i.holder = w.holder AND "
        "i.epoch = "
        "w.epoch "
        "AND i.state = 'open' RETURNING i.external_key",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::set<std::string, std::less<>> ended;
    for (const auto row : *rows) {
        ended.insert(row.string(0));
    }
    std::vector<bool> ours;
    for (const auto& end : ends) {
        ours.push_back(ended.contains(end.external_key));
    }
    return ours;
}

core::Result<void> mark_verify(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                               const std::string& external_key, core::SystemTime at) {
    auto rows = pool.exec(
        deadline,
        "UPDATE intents SET verify_at = greatest(coalesce(verify_at, $3), $3) WHERE connection = $1 AND external_key = $2",
        Params{}.add(who.connection).add(external_key).add(at));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

core::Result<std::vector<DueVerification>> due_verifications(postgres::Pool& pool, const core::Deadline& deadline,
                                                             const Identity& who, core::SystemTime now,
                                                             std::span<const TopicPartition> partitions, int limit) {
    Params params;
    params.add(who.connection).add(now);
    add_texts(params, partitions, [](const auto& p) { return p.topic; });
    add_integers(params, partitions, [](const auto& p) { return p.partition; });
    params.add(limit);
    auto rows = pool.exec(
        deadline,
        "SELECT i.external_key, i.holder, i.topic, i.partition, i.record_offset "
        "FROM (SELECT * FROM intents WHERE verify_at <= $2 OFFSET 0) i "
        "JOIN unnest($3::text[], $4::integer[]) AS w(topic, partition) ON i.topic = w.topic AND i.partition = w.partition "
        "WHERE i.connection = $1 AND i.state = 'closed' AND i.version_updated >= 0 "
        "ORDER BY i.verify_at LIMIT $5",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<DueVerification> due;
    for (const auto row : *rows) {
        due.push_back(
            {.external_key = row.string(0), .holder = row.string(1), .position = {row.string(2), row.int32(3), row.int64(4)}});
    }
    return due;
}

core::Result<void> clear_verifications(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                       std::span<const std::string> external_keys) {
    return exec(
        tx, "UPDATE intents SET verify_at = NULL WHERE connection = $1 AND external_key = ANY($2::text[]) AND verify_at <= $3",
        Params{}.add(who.connection).add_array(external_keys).add(now));
}

}  // namespace syncline::kit::store
