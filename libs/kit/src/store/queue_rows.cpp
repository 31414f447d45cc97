#include "src/store/parked_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "src/store/columns.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;
using postgres::Transaction;
using Done = core::Result<void>;

Done exec(Transaction& tx, std::string_view sql, const Params& params) {
    auto rows = tx.exec(sql, params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

std::string_view family_text(Family family) {
    return family == Family::snapshot ? "snapshot" : "fact";
}

void add_keys(Params& params, const std::vector<KeyOf>& keys) {
    add_texts(params, keys, [](const auto& k) { return k.topic; });
    add_texts(params, keys, [](const auto& k) { return k.key; });
}

// The rows of these keys are locked from here to the end of the transaction, always in the same order.
Done open_keys(Transaction& tx, const Identity& who, core::SystemTime now, const std::vector<const ParkedEvent*>& events) {
    std::map<KeyOf, const ParkedEvent*> by_key;
    for (const auto* event : events) {
        by_key.emplace(event->event.at, event);
    }
    if (by_key.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp).add(now);
    add_texts(params, by_key, [](const auto& p) { return p.first.topic; });
    add_texts(params, by_key, [](const auto& p) { return p.first.key; });
    add_integers(params, by_key, [](const auto& p) { return p.second->event.position.partition; });
    return exec(tx,
                "INSERT INTO parked_keys (grp, topic, key, partition, state, due_at, first_at) "
                "SELECT $1::integer, w.topic, w.key, w.partition, 'parked', $2::timestamptz, $2::timestamptz FROM "
                "unnest($3::text[], $4::text[], $5::integer[]) "
                "AS w(topic, key, partition) ORDER BY w.topic, w.key "
                "ON CONFLICT (grp, topic, key) DO UPDATE SET due_at = excluded.due_at",
                params);
}

Done lock_keys(Transaction& tx, const Identity& who, const std::vector<KeyOf>& keys) {
    if (keys.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp);
    add_keys(params, keys);
    return exec(tx,
                "SELECT 1 FROM parked_keys k JOIN unnest($2::text[], $3::text[]) AS w(topic, key) "
                "ON k.topic = w.topic AND k.key = w.key WHERE k.grp = $1 ORDER BY k.topic, k.key FOR UPDATE OF k",
                params);
}

struct QueuedSnapshot {
    std::int64_t seq = 0;
    std::string event_id;
    Version version;
    Mode mode = Mode::normal;
    std::optional<core::SystemTime> not_before;
};

core::Result<std::map<KeyOf, std::vector<QueuedSnapshot>>> queued_snapshots(Transaction& tx, const Identity& who,
                                                                            const std::vector<KeyOf>& keys) {
    std::map<KeyOf, std::vector<QueuedSnapshot>> found;
    if (keys.empty()) {
        return found;
    }
    Params params;
    params.add(who.grp);
    add_keys(params, keys);
    auto rows = tx.exec(
        "SELECT e.topic, e.key, e.seq, e.event_id::text, e.version_updated, e.version_observed, e.version_fetched, e.mode, "
        "e.not_before FROM parked_events e JOIN unnest($2::text[], $3::text[]) AS w(topic, key) ON e.topic = w.topic AND e.key = "
        "w.key "
        "WHERE e.grp = $1 AND e.family = 'snapshot'",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    for (const auto row : *rows) {
        found[{row.string(0), row.string(1)}].push_back({.seq = row.int64(2),
                                                         .event_id = row.string(3),
                                                         .version = {row.int64(4), row.int64(5), row.boolean(6)},
                                                         .mode = mode_from(row.text(7)),
                                                         .not_before = row.optional_time(8)});
    }
    return found;
}

Done delete_events(Transaction& tx, const std::vector<std::int64_t>& seqs) {
    if (seqs.empty()) {
        return {};
    }
    return exec(tx, "DELETE FROM parked_events WHERE seq = ANY($1::bigint[])",
                Params{}.add_array(std::span<const std::int64_t>(seqs)));
}

void add_not_before(Params& params, const std::vector<const ParkedEvent*>& events) {
    add_booleans(params, events, [](const auto* e) { return e->not_before.has_value(); });
    add_times(params, events, [](const auto* e) { return e->not_before.value_or(core::SystemTime{}); });
}

Done insert_events(Transaction& tx, const Identity& who, const std::vector<const ParkedEvent*>& events) {
    if (events.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp);
    add_texts(params, events, [](const auto* e) { return e->event.at.topic; });
    add_texts(params, events, [](const auto* e) { return e->event.at.key; });
    add_texts(params, events, [](const auto* e) { return e->event.event_id; });
    add_texts(params, events, [](const auto* e) { return family_text(e->family); });
    add_texts(params, events, [](const auto* e) { return storable(e->resource); });
    add_integers(params, events, [](const auto* e) { return e->version.source_updated_at_ns; });
    add_integers(params, events, [](const auto* e) { return e->version.observed_at_ns; });
    add_booleans(params, events, [](const auto* e) { return e->version.fetched; });
    add_texts(params, events, [](const auto* e) { return to_string(e->mode); });
    add_texts(params, events, [](const auto* e) { return e->waiting.held ? "held" : "waiting"; });
    add_texts(params, events, [](const auto* e) { return core::to_string(e->waiting.kind); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.code); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.reason); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.waits_for); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.expected); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.found); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.currency); });
    add_integers(params, events, [](const auto* e) { return e->attempts; });
    add_times(params, events, [](const auto* e) { return e->first_at; });
    add_times(params, events, [](const auto* e) { return e->last_at; });
    add_booleans(params, events, [](const auto* e) { return e->due_at.has_value(); });
    add_times(params, events, [](const auto* e) { return e->due_at.value_or(core::SystemTime{}); });
    add_integers(params, events, [](const auto* e) { return e->event.position.partition; });
    add_integers(params, events, [](const auto* e) { return e->event.position.offset; });
    add_bytes(params, events, [](const auto* e) { return e->record.key; });
    add_bytes(params, events, [](const auto* e) { return std::optional(e->record.value); });
    add_bytes(params, events, [](const auto* e) { return std::optional(pack_headers(e->record.headers)); });
    add_not_before(params, events);
    return exec(
        tx,
        "INSERT INTO parked_events (grp, topic, key, event_id, family, resource, version_updated, version_observed, "
        "version_fetched, mode, state, kind, code, reason, waits_for, expected, found, currency, attempts, first_at, last_at, "
        "due_at, partition, record_offset, record_key, record_value, record_headers, not_before) "
        "SELECT $1::integer, w.topic, w.key, w.event_id, w.family, w.resource, w.updated, w.observed, w.fetched, w.mode, "
        "w.state, w.kind, "
        "w.code, w.reason, w.waits_for, w.expected, w.found, w.currency, w.attempts, w.first_at, w.last_at, "
        "CASE WHEN w.has_due THEN w.due_at END, w.partition, w.record_offset, w.record_key, w.record_value, w.record_headers, "
        "CASE WHEN w.is_firm THEN w.not_before END "
        "FROM unnest($2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::boolean[], "
        "$10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], "
        "$19::integer[], $20::timestamptz[], $21::timestamptz[], $22::boolean[], $23::timestamptz[], $24::integer[], "
        "$25::bigint[], $26::bytea[], $27::bytea[], $28::bytea[], $29::boolean[], $30::timestamptz[]) "
        "AS w(topic, key, event_id, family, resource, updated, observed, fetched, mode, state, kind, code, reason, waits_for, "
        "expected, found, currency, attempts, first_at, last_at, has_due, due_at, partition, record_offset, record_key, "
        "record_value, record_headers, is_firm, not_before) "
        "ON CONFLICT (grp, event_id) DO UPDATE SET mode = excluded.mode, "
        "due_at = greatest(excluded.due_at, parked_events.not_before)",
        params);
}

Done change_events(Transaction& tx, const std::vector<const ParkedEvent*>& events) {
    if (events.empty()) {
        return {};
    }
    Params params;
    add_integers(params, events, [](const auto* e) { return e->seq; });
    add_texts(params, events, [](const auto* e) { return e->waiting.held ? "held" : "waiting"; });
    add_texts(params, events, [](const auto* e) { return core::to_string(e->waiting.kind); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.code); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.reason); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.waits_for); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.expected); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.found); });
    add_texts(params, events, [](const auto* e) { return storable(e->waiting.figures.currency); });
    add_integers(params, events, [](const auto* e) { return e->attempts; });
    add_times(params, events, [](const auto* e) { return e->first_at; });
    add_times(params, events, [](const auto* e) { return e->last_at; });
    add_booleans(params, events, [](const auto* e) { return e->due_at.has_value(); });
    add_times(params, events, [](const auto* e) { return e->due_at.value_or(core::SystemTime{}); });
    add_not_before(params, events);
    // An override that came while the event ran, or was not used up by being done, stays.
    return exec(
        tx,
        "UPDATE parked_events e SET state = w.state, kind = w.kind, code = w.code, reason = w.reason, waits_for = w.waits_for, "
        "expected = w.expected, found = w.found, currency = w.currency, attempts = w.attempts, crash_tries = 0, "
        "first_at = w.first_at, last_at = w.last_at, due_at = CASE WHEN w.has_due THEN w.due_at END, "
        "not_before = CASE WHEN w.is_firm THEN w.not_before END "
        "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], "
        "$9::text[], "
        "$10::integer[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::timestamptz[], $15::boolean[], "
        "$16::timestamptz[]) "
        "AS w(seq, state, kind, code, reason, waits_for, expected, found, currency, attempts, first_at, last_at, has_due, "
        "due_at, is_firm, not_before) "
        "WHERE e.seq = w.seq",
        params);
}

// All that waits for nothing but time, and what is held; what was sent and may still arrive keeps its own time.
Done wake_queues(Transaction& tx, const Identity& who, core::SystemTime now, const std::vector<KeyOf>& keys) {
    if (keys.empty()) {
        return {};
    }
    Params params;
    params.add(who.grp).add(now);
    add_keys(params, keys);
    return exec(tx,
                "UPDATE parked_events e SET due_at = greatest($2, e.not_before) "
                "FROM unnest($3::text[], $4::text[]) AS w(topic, key) WHERE e.grp = $1 AND e.topic = w.topic AND e.key = w.key "
                "AND (e.due_at IS NULL OR e.due_at > greatest($2, e.not_before))",
                params);
}

// The row of each key says what its events say; a key without events is released. Returns the keys that stay.
core::Result<std::set<KeyOf>> settle_keys(Transaction& tx, const Identity& who, const std::vector<KeyOf>& keys) {
    std::set<KeyOf> stay;
    if (keys.empty()) {
        return stay;
    }
    Params params;
    params.add(who.grp);
    add_keys(params, keys);
    auto rows = tx.exec(
        "UPDATE parked_keys k SET due_at = s.due_at, state = s.state FROM ("
        "SELECT e.topic, e.key, min(e.due_at) AS due_at, CASE WHEN bool_and(e.state = 'held') THEN 'held' ELSE 'parked' END AS "
        "state "
        "FROM parked_events e JOIN unnest($2::text[], $3::text[]) AS w(topic, key) ON e.topic = w.topic AND e.key = w.key "
        "WHERE e.grp = $1 GROUP BY e.topic, e.key) s "
        "WHERE k.grp = $1 AND k.topic = s.topic AND k.key = s.key RETURNING k.topic, k.key",
        params);
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    for (const auto row : *rows) {
        stay.insert({row.string(0), row.string(1)});
    }
    std::vector<KeyOf> released;
    std::ranges::copy_if(keys, std::back_inserter(released), [&](const auto& key) { return !stay.contains(key); });
    if (!released.empty()) {
        Params gone;
        gone.add(who.grp);
        add_keys(gone, released);
        if (auto ok = exec(tx,
                           "DELETE FROM parked_keys k USING unnest($2::text[], $3::text[]) AS w(topic, key) "
                           "WHERE k.grp = $1 AND k.topic = w.topic AND k.key = w.key",
                           gone);
            !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    return stay;
}

// Decides between an incoming snapshot and the one in the queue: the older one ends as superseded.
struct Meeting {
    bool incoming_superseded = false;
    std::vector<std::int64_t> leaving;
    std::vector<std::string> superseded;  // Inbox rows to change: only events that were not done before.
    Mode mode = Mode::normal;             // How the one that stays is run.
    // Of the one that leaves: what it sent may still arrive, over what the newer one would write.
    std::optional<core::SystemTime> not_before;
    std::optional<std::int64_t> verify;  // The queued one stays and takes over the verification.
};

Meeting meet(const ParkedEvent& incoming, const std::vector<QueuedSnapshot>& queued) {
    Meeting meeting{.mode = incoming.mode, .not_before = incoming.not_before};
    for (const auto& other : queued) {
        if (other.event_id == incoming.event.event_id) {
            continue;
        }
        if (other.version > incoming.version) {
            meeting.incoming_superseded = true;
            if (incoming.mode == Mode::verify) {
                meeting.verify = other.seq;
            }
            continue;
        }
        meeting.leaving.push_back(other.seq);
        if (other.mode == Mode::normal) {
            meeting.superseded.push_back(other.event_id);
        }
        if (other.mode == Mode::verify) {
            meeting.mode = Mode::verify;
        }
        meeting.not_before = std::max(meeting.not_before, other.not_before);
    }
    return meeting;
}

std::vector<KeyOf> distinct(std::vector<KeyOf> keys) {
    std::ranges::sort(keys);
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    return keys;
}

struct Appended {
    std::vector<std::string> superseded;
    std::vector<bool> incoming_superseded;  // By index of the incoming events.
};

// Assumes that the keys' rows are locked.
core::Result<Appended> append_locked(Transaction& tx, const Identity& who, const std::vector<const ParkedEvent*>& incoming) {
    Appended result;
    result.incoming_superseded.resize(incoming.size());
    std::vector<KeyOf> snapshot_keys;
    for (const auto* event : incoming) {
        if (event->family == Family::snapshot) {
            snapshot_keys.push_back(event->event.at);
        }
    }
    auto queued = queued_snapshots(tx, who, distinct(std::move(snapshot_keys)));
    if (!queued) {
        return std::unexpected(std::move(queued.error()));
    }
    std::vector<ParkedEvent> changed;
    changed.reserve(incoming.size());
    std::vector<const ParkedEvent*> inserting;
    std::vector<std::int64_t> leaving;
    std::vector<std::int64_t> verifying;
    for (std::size_t i = 0; i < incoming.size(); ++i) {
        const auto& event = *incoming[i];
        if (event.family == Family::fact) {
            inserting.push_back(&event);
            continue;
        }
        const auto meeting = meet(event, (*queued)[event.event.at]);
        leaving.insert(leaving.end(), meeting.leaving.begin(), meeting.leaving.end());
        result.superseded.insert(result.superseded.end(), meeting.superseded.begin(), meeting.superseded.end());
        if (meeting.verify) {
            verifying.push_back(*meeting.verify);
        }
        if (meeting.incoming_superseded) {
            result.incoming_superseded[i] = true;
        } else if (meeting.mode != event.mode || meeting.not_before != event.not_before) {
            changed.push_back(event);
            changed.back().mode = meeting.mode;
            changed.back().not_before = meeting.not_before;
            if (event.due_at) {
                changed.back().due_at = std::max(event.due_at, meeting.not_before);
            }
            inserting.push_back(&changed.back());
        } else {
            inserting.push_back(&event);
        }
    }
    if (auto ok = delete_events(tx, leaving); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    if (!verifying.empty()) {
        if (auto ok = exec(tx, "UPDATE parked_events SET mode = 'verify' WHERE seq = ANY($1::bigint[])",
                           Params{}.add_array(std::span<const std::int64_t>(verifying)));
            !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    if (auto ok = insert_events(tx, who, inserting); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    return result;
}

}  // namespace

core::Result<std::vector<std::string>> change_queues(Transaction& tx, const Identity& who, core::SystemTime now,
                                                     std::span<const Closing* const> closings,
                                                     std::vector<ClosingAnswer>& answers) {
    std::vector<const ParkedEvent*> appending;
    std::vector<std::size_t> appending_index;
    std::vector<const ParkedEvent*> changing;
    std::vector<std::int64_t> removing;
    std::vector<KeyOf> waking;
    std::vector<KeyOf> settling;
    for (std::size_t i = 0; i < closings.size(); ++i) {
        const auto& closing = *closings[i];
        if (closing.append) {
            appending.push_back(&*closing.append);
            appending_index.push_back(i);
            if (closing.append_wakes) {
                waking.push_back(closing.key);
            }
        }
        if (closing.change) {
            changing.push_back(&*closing.change);
        }
        if (closing.remove) {
            removing.push_back(*closing.remove);
        }
        if (closing.append || closing.change || closing.remove || closing.settle) {
            settling.push_back(closing.key);
        }
    }
    if (settling.empty()) {
        return std::vector<std::string>{};
    }
    settling = distinct(std::move(settling));
    if (auto ok = open_keys(tx, who, now, appending); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    if (auto ok = lock_keys(tx, who, settling); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    if (auto ok = delete_events(tx, removing); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    if (auto ok = change_events(tx, changing); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    auto appended = append_locked(tx, who, appending);
    if (!appended) {
        return std::unexpected(std::move(appended.error()));
    }
    for (std::size_t i = 0; i < appending.size(); ++i) {
        answers[appending_index[i]].superseded = appended->incoming_superseded[i];
    }
    if (auto ok = wake_queues(tx, who, now, distinct(std::move(waking))); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    auto stay = settle_keys(tx, who, settling);
    if (!stay) {
        return std::unexpected(std::move(stay.error()));
    }
    for (std::size_t i = 0; i < closings.size(); ++i) {
        answers[i].key_parked = stay->contains(closings[i]->key);
    }
    return std::move(appended->superseded);
}

core::Result<void> append_events(Transaction& tx, const Identity& who, core::SystemTime now,
                                 std::span<const ParkedEvent> events) {
    std::vector<const ParkedEvent*> incoming;
    std::vector<KeyOf> keys;
    std::map<std::pair<KeyOf, bool>, const ParkedEvent*> newest;  // One snapshot a key may come in one go.
    for (const auto& event : events) {
        keys.push_back(event.event.at);
        if (event.family == Family::fact) {
            incoming.push_back(&event);
            continue;
        }
        auto& best = newest[{event.event.at, true}];
        if (best == nullptr || best->version <= event.version) {
            best = &event;
        }
    }
    for (const auto& [key, event] : newest) {
        incoming.push_back(event);
    }
    keys = distinct(std::move(keys));
    if (auto ok = open_keys(tx, who, now, incoming); !ok) {
        return ok;
    }
    if (auto ok = lock_keys(tx, who, keys); !ok) {
        return ok;
    }
    auto appended = append_locked(tx, who, incoming);
    if (!appended) {
        return std::unexpected(std::move(appended.error()));
    }
    auto superseded = std::move(appended->superseded);
    for (std::size_t i = 0; i < incoming.size(); ++i) {
        if (appended->incoming_superseded[i] && incoming[i]->mode == Mode::normal) {
            superseded.push_back(incoming[i]->event.event_id);  // A replay that came too late.
        }
    }
    if (!superseded.empty()) {
        Params params;
        params.add(who.grp).add(now).add_array(std::span<const std::string>(superseded));
        if (auto ok = exec(tx,
                           "UPDATE inbox SET state = 'skipped', reason = 'superseded', at = $2, settled_at = $2 "
                           "WHERE grp = $1 AND event_id = ANY($3::uuid[])",
                           params);
            !ok) {
            return ok;
        }
    }
    if (auto ok = wake_queues(tx, who, now, keys); !ok) {
        return ok;
    }
    auto stay = settle_keys(tx, who, keys);
    if (!stay) {
        return std::unexpected(std::move(stay.error()));
    }
    return {};
}

}  // namespace syncline::kit::store
