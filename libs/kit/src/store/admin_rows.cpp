#include "src/store/admin_rows.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;

core::Result<void> only_status(core::Result<postgres::Rows> rows) {
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

}  // namespace

core::Result<bool> record_action(postgres::Transaction& tx, const Identity& who, const AdminAction& action) {
    auto rows = tx.exec(
        "INSERT INTO admin_actions (id, grp, verb, subject, actor, reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT "
        "DO NOTHING",
        Params{}
            .add(storable(action.id))
            .add(who.grp)
            .add(action.verb)
            .add(storable(action.subject))
            .add(storable(action.actor))
            .add(storable(action.reason))
            .add(action.at));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return rows->affected() == 1;
}

core::Result<std::vector<AdminAction>> actions_about(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                     const std::string& subject) {
    auto rows = pool.exec(
        deadline, "SELECT id, verb, subject, actor, reason, at FROM admin_actions WHERE subject = $1 AND grp = $2 ORDER BY at",
        Params{}.add(subject).add(who.grp));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<AdminAction> actions;
    for (const auto row : *rows) {
        actions.push_back({.id = row.string(0),
                           .verb = row.string(1),
                           .subject = row.string(2),
                           .actor = row.string(3),
                           .reason = row.string(4),
                           .at = row.time(5)});
    }
    return actions;
}

core::Result<std::int64_t> release_holds(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                         const std::string& key, const std::string& override_code) {
    auto locked = tx.exec("SELECT topic FROM parked_keys WHERE grp = $1 AND key = $2 ORDER BY topic FOR UPDATE",
                          Params{}.add(who.grp).add(key));
    if (!locked) {
        return std::unexpected(std::move(locked.error()));
    }
    auto events = tx.exec(
        "UPDATE parked_events SET due_at = $3, override_code = CASE WHEN $4::text = '' THEN override_code ELSE $4 END "
        "WHERE grp = $1 AND key = $2 AND state = 'held' AND ($4::text = '' OR code = $4)",
        Params{}.add(who.grp).add(key).add(now).add(override_code));
    if (!events) {
        return std::unexpected(std::move(events.error()));
    }
    if (events->affected() > 0) {
        if (auto ok = only_status(tx.exec("UPDATE parked_keys SET due_at = $3 WHERE grp = $1 AND key = $2",
                                          Params{}.add(who.grp).add(key).add(now)));
            !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    return events->affected();
}

core::Result<std::optional<ConnectionPause>> connection_pause(postgres::Pool& pool, const core::Deadline& deadline,
                                                              const Identity& who) {
    auto rows = pool.exec(deadline, "SELECT actor, reason, at FROM connection_pauses WHERE connection = $1",
                          Params{}.add(who.connection));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    if (rows->empty()) {
        return std::optional<ConnectionPause>{};
    }
    return std::optional(
        ConnectionPause{.actor = (*rows)[0].string(0), .reason = (*rows)[0].string(1), .at = (*rows)[0].time(2)});
}

core::Result<void> pause_connection(postgres::Transaction& tx, const Identity& who, const ConnectionPause& pause) {
    return only_status(
        tx.exec("INSERT INTO connection_pauses (connection, actor, reason, at) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (connection) DO UPDATE SET actor = excluded.actor, reason = excluded.reason, at = excluded.at",
                Params{}.add(who.connection).add(storable(pause.actor)).add(storable(pause.reason)).add(pause.at)));
}

core::Result<void> resume_connection(postgres::Transaction& tx, const Identity& who) {
    return only_status(tx.exec("DELETE FROM connection_pauses WHERE connection = $1", Params{}.add(who.connection)));
}

core::Result<void> note_mapping_version(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                        const std::string& version, core::SystemTime now) {
    return only_status(pool.exec(
        deadline, "INSERT INTO mapping_versions (connection, version, first_seen) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        Params{}.add(who.connection).add(version).add(now)));
}

core::Result<std::vector<ParkedEvent>> list_parked(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                   const ParkedFilter& filter) {
    std::string columns(kParkedColumns);
    const std::string_view value = "e.record_value ";
    columns.replace(columns.rfind(value), value.size(), "NULL::bytea ");
    auto rows =
        pool.exec(deadline,
                  "SELECT " + columns +
                      "FROM parked_events e WHERE e.grp = $1 AND ($2::text = '' OR e.state = $2) "
                      "AND ($3::text = '' OR split_part(e.key, '/', 1) = $3) AND ($4::text = '' OR e.key = $4) "
                      "AND ($5::text = '' OR e.code = $5) ORDER BY e.first_at, e.seq LIMIT $6",
                  Params{}.add(who.grp).add(filter.state).add(filter.shop).add(filter.key).add(filter.code).add(filter.limit));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    std::vector<ParkedEvent> events;
    for (const auto row : *rows) {
        events.push_back(read_parked_event(row));
    }
    return events;
}

core::Result<std::int64_t> unsent_of_key(postgres::Pool& pool, const core::Deadline& deadline, const std::string& key) {
    auto rows = pool.exec(deadline, "SELECT count(*) FROM outbox WHERE aggregateid = $1", Params{}.add(key));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return (*rows)[0].int64(0);
}

}  // namespace syncline::kit::store
