#include "src/store/closing_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "src/store/columns.h"
#include "src/store/dead_letter_rows.h"
#include "src/store/outbox_rows.h"
#include "src/store/parked_rows.h"

namespace syncline::kit::store {
namespace {

using postgres::Params;
using postgres::Transaction;

template <typename T>
struct Part {
    std::size_t index;  // Of the closing.
    const T* row;
};

// The members `get` finds in the closings, with the closing each belongs to.
template <typename T, typename Get>
std::vector<Part<T>> parts_of(std::span<const Closing* const> closings, Get get) {
    std::vector<Part<T>> parts;
    for (std::size_t i = 0; i < closings.size(); ++i) {
        get(*closings[i], [&](const T& row) { parts.push_back({i, &row}); });
    }
    return parts;
}

class ClosingWriter {
public:
    ClosingWriter(Transaction& tx, const Identity& who, core::SystemTime now, std::span<const Closing* const> closings)
        : tx_(tx), who_(who), now_(now), closings_(closings) {
        answer_.answers.resize(closings.size());
    }

    core::Result<ClosingBatchAnswer> write(TransactionId& id) {
        for (const auto step : {&ClosingWriter::epochs, &ClosingWriter::close_intents}) {
            if (auto ok = (this->*step)(id); !ok) {
                return std::unexpected(ok.error());
            }
            if (answer_.again) {
                return std::move(answer_);
            }
        }
        if (auto ok = queues(); !ok) {
            return std::unexpected(ok.error());
        }
        if (auto ok = inbox(id); !ok || answer_.again) {
            return ok ? core::Result<ClosingBatchAnswer>(std::move(answer_)) : std::unexpected(ok.error());
        }
        for (const auto step :
             {&ClosingWriter::inbox_changes, &ClosingWriter::release_intents, &ClosingWriter::dead_letters,
              &ClosingWriter::service_rows, &ClosingWriter::outbox, &ClosingWriter::timers, &ClosingWriter::poison}) {
            if (auto ok = (this->*step)(); !ok) {
                return std::unexpected(ok.error());
            }
        }
        return std::move(answer_);
    }

private:
    using Done = core::Result<void>;

    Done exec(std::string_view sql, const Params& params) {
        auto rows = tx_.exec(sql, params);
        if (!rows) {
            return std::unexpected(std::move(rows.error()));
        }
        return {};
    }

    void refuse(std::size_t index, Verdict verdict) {
        answer_.answers[index].verdict = verdict;
        answer_.again = true;
    }

    // Also gives the transaction its number, for a commit that stays in doubt.
    Done epochs(TransactionId& id) {
        std::set<TopicPartition> wanted;
        for (const auto* closing : closings_) {
            wanted.insert(closing->partition);
        }
        Params params;
        params.add(who_.grp);
        add_texts(params, wanted, [](const auto& p) { return p.topic; });
        add_integers(params, wanted, [](const auto& p) { return p.partition; });
        auto rows = tx_.exec(
            "SELECT o.topic, o.partition, o.epoch, pg_current_xact_id()::text FROM partition_owner o "
            "JOIN unnest($2::text[], $3::integer[]) AS w(topic, partition) ON o.topic = w.topic AND o.partition = w.partition "
            "WHERE o.grp = $1 ORDER BY o.topic, o.partition FOR SHARE OF o",
            params);
        if (!rows) {
            return std::unexpected(std::move(rows.error()));
        }
        std::map<TopicPartition, std::int64_t> epochs;
        for (const auto row : *rows) {
            epochs[{row.string(0), row.int32(1)}] = row.int64(2);
            id.text = row.string(3);
        }
        for (std::size_t i = 0; i < closings_.size(); ++i) {
            const auto found = epochs.find(closings_[i]->partition);
            if (found == epochs.end() || found->second != closings_[i]->epoch) {
                refuse(i, Verdict::not_owner);
            }
        }
        return {};
    }

    Done close_intents(TransactionId& /*id*/) {
        const auto parts =
            parts_of<IntentClose>(closings_, [](const Closing& c, auto add) { std::ranges::for_each(c.intents, add); });
        if (parts.empty()) {
            return {};
        }
        Params params;
        params.add(who_.connection).add(who_.owner);
        add_texts(params, parts, [](const auto& p) { return p.row->external_key; });
        add_texts(params, parts, [&](const auto& p) { return closings_[p.index]->key.key; });
        add_integers(params, parts, [&](const auto& p) { return closings_[p.index]->epoch; });
        add_integers(params, parts, [](const auto& p) { return p.row->version.source_updated_at_ns; });
        add_integers(params, parts, [](const auto& p) { return p.row->version.observed_at_ns; });
        add_booleans(params, parts, [](const auto& p) { return p.row->version.fetched; });
        add_texts(params, parts, [](const auto& p) { return storable(p.row->record.target_id); });
        add_texts(params, parts, [](const auto& p) { return storable(p.row->record.name); });
        add_texts(params, parts, [](const auto& p) { return storable(p.row->record.detail); });
        add_texts(params, parts, [](const auto& p) { return p.row->position.topic; });
        add_integers(params, parts, [](const auto& p) { return p.row->position.partition; });
        add_integers(params, parts, [](const auto& p) { return p.row->position.offset; });
        auto rows = tx_.exec(
            "UPDATE intents i SET state = 'closed', lease_until = 'epoch', version_updated = w.updated, "
            "version_observed = w.observed, version_fetched = w.fetched, target_id = w.target_id, name = w.name, detail = "
            "w.detail, "
            "topic = w.topic, partition = w.partition, record_offset = w.record_offset "
            "FROM (SELECT $1::text AS connection, u.* FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], "
            "$7::bigint[], $8::boolean[], $9::text[], $10::text[], $11::text[], $12::text[], $13::integer[], $14::bigint[]) "
            "AS u(external_key, holder, epoch, updated, observed, fetched, target_id, name, detail, topic, partition, "
            "record_offset) OFFSET 0) w "
            "WHERE i.connection = w.connection AND i.external_key = w.external_key AND i.owner = $2 AND i.holder = w.holder "
            "AND i.epoch = w.epoch AND i.state = 'open' RETURNING i.external_key",
            params);
        if (!rows) {
            return std::unexpected(std::move(rows.error()));
        }
        std::set<std::string, std::less<>> closed;
        for (const auto row : *rows) {
            closed.insert(row.string(0));
        }
        for (const auto& part : parts) {
            if (!closed.contains(part.row->external_key)) {
                refuse(part.index, Verdict::fence_lost);
            }
        }
        return {};
    }

    Done queues() {
        auto parked = change_queues(tx_, who_, now_, closings_, answer_.answers);
        if (!parked) {
            return std::unexpected(std::move(parked.error()));
        }
        superseded_ = std::move(*parked);
        return {};
    }

    static void add_inbox_columns(Params& params, const std::vector<Part<InboxWrite>>& parts,
                                  const std::vector<ClosingAnswer>& answers) {
        const auto state_of = [&](const auto& p) {
            return answers[p.index].superseded ? InboxState::skipped : p.row->state;
        };
        add_texts(params, parts, [](const auto& p) { return p.row->event.event_id; });
        add_texts(params, parts, [](const auto& p) { return p.row->event.at.topic; });
        add_integers(params, parts, [](const auto& p) { return p.row->event.position.partition; });
        add_integers(params, parts, [](const auto& p) { return p.row->event.position.offset; });
        add_texts(params, parts, [](const auto& p) { return p.row->event.at.key; });
        add_texts(params, parts, [](const auto& p) { return storable(p.row->event.type); });
        add_texts(params, parts, [&](const auto& p) { return to_string(state_of(p)); });
        add_texts(params, parts,
                  [&](const auto& p) { return answers[p.index].superseded ? "superseded" : storable(p.row->reason); });
        add_booleans(params, parts,
                     [&](const auto& p) { return state_of(p) == InboxState::done || state_of(p) == InboxState::skipped; });
    }

    Done inbox(TransactionId& /*id*/) {
        const auto parts = parts_of<InboxWrite>(closings_, [](const Closing& c, auto add) {
            if (c.inbox && !c.inbox->known) {
                add(*c.inbox);
            }
        });
        if (parts.empty()) {
            return {};
        }
        Params params;
        params.add(who_.grp).add(now_);
        add_inbox_columns(params, parts, answer_.answers);
        auto rows = tx_.exec(
            "INSERT INTO inbox (grp, event_id, topic, partition, record_offset, key, type, state, reason, at, settled_at) "
            "SELECT $1::integer, w.event_id, w.topic, w.partition, w.record_offset, w.key, w.type, w.state, w.reason, "
            "$2::timestamptz, "
            "CASE WHEN w.settled THEN $2::timestamptz END "
            "FROM unnest($3::uuid[], $4::text[], $5::integer[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], "
            "$11::boolean[]) AS w(event_id, topic, partition, record_offset, key, type, state, reason, settled) "
            "ON CONFLICT DO NOTHING RETURNING event_id::text",
            params);
        if (!rows) {
            return std::unexpected(std::move(rows.error()));
        }
        std::set<std::string, std::less<>> written;
        for (const auto row : *rows) {
            written.insert(row.string(0));
        }
        for (const auto& part : parts) {
            // The same id twice in one batch is the same event under two keys: only one of them is settled.
            if (written.erase(part.row->event.event_id) == 0) {
                refuse(part.index, Verdict::duplicate);
            }
        }
        return {};
    }

    Done inbox_changes() {
        const auto parts = parts_of<InboxWrite>(closings_, [](const Closing& c, auto add) {
            if (c.inbox && c.inbox->known) {
                add(*c.inbox);
            }
        });
        if (!parts.empty()) {
            Params params;
            params.add(who_.grp).add(now_);
            add_inbox_columns(params, parts, answer_.answers);
            if (auto ok =
                    exec("UPDATE inbox i SET state = w.state, reason = w.reason, at = $2, "
                         "settled_at = CASE WHEN w.settled THEN $2::timestamptz END "
                         "FROM (SELECT $1::integer AS grp, u.* FROM unnest($3::uuid[], $4::text[], $5::integer[], $6::bigint[], "
                         "$7::text[], $8::text[], $9::text[], $10::text[], $11::boolean[]) "
                         "AS u(event_id, topic, partition, record_offset, key, type, state, reason, settled) OFFSET 0) w "
                         "WHERE i.grp = w.grp AND i.event_id = w.event_id",
                         params);
                !ok) {
                return ok;
            }
        }
        if (superseded_.empty()) {
            return {};
        }
        Params params;
        params.add(who_.grp).add(now_).add_array(std::span<const std::string>(superseded_));
        return exec(
            "UPDATE inbox SET state = 'skipped', reason = 'superseded', at = $2, settled_at = $2 "
            "WHERE grp = $1 AND event_id = ANY($3::uuid[])",
            params);
    }

    Done release_intents() {
        const auto parts =
            parts_of<IntentRelease>(closings_, [](const Closing& c, auto add) { std::ranges::for_each(c.releases, add); });
        if (parts.empty()) {
            return {};
        }
        Params params;
        params.add(who_.connection).add(who_.owner).add(now_);
        add_texts(params, parts, [](const auto& p) { return p.row->external_key; });
        add_texts(params, parts, [&](const auto& p) { return closings_[p.index]->key.key; });
        add_times(params, parts, [](const auto& p) { return p.row->lease_until; });
        return exec(
            "UPDATE intents i SET lease_until = w.lease_until, state = CASE WHEN w.lease_until > $3 THEN 'open' ELSE 'closed' "
            "END "
            "FROM (SELECT $1::text AS connection, u.* FROM unnest($4::text[], $5::text[], $6::timestamptz[]) "
            "AS u(external_key, holder, lease_until) OFFSET 0) w "
            "WHERE i.connection = w.connection AND i.external_key = w.external_key AND i.owner = $2 AND i.holder = w.holder AND "
            "i.state = "
            "'open'",
            params);
    }

    Done dead_letters() {
        const auto parts = parts_of<DeadLetter>(closings_, [](const Closing& c, auto add) {
            if (c.dead) {
                add(*c.dead);
            }
        });
        std::vector<const DeadLetter*> rows;
        std::ranges::transform(parts, std::back_inserter(rows), [](const auto& p) { return p.row; });
        return insert_dead_letters(tx_, who_, rows);
    }

    Done service_rows() {
        std::vector<std::pair<std::string_view, std::vector<const RowWrite*>>> by_sql;  // In the order they were asked for.
        for (const auto* closing : closings_) {
            for (const auto& row : closing->rows) {
                auto group = std::ranges::find(by_sql, row.sql, &decltype(by_sql)::value_type::first);
                if (group == by_sql.end()) {
                    group = by_sql.insert(by_sql.end(), {row.sql, {}});
                }
                group->second.push_back(&row);
            }
        }
        for (const auto& [sql, rows] : by_sql) {
            Params params;
            for (std::size_t column = 0; column < rows.front()->values.size(); ++column) {
                std::vector<std::optional<std::string>> values;
                for (const auto* row : rows) {
                    values.push_back(column < row->values.size() ? row->values[column] : std::nullopt);
                }
                params.add_array(std::span<const std::optional<std::string>>(values));
            }
            if (auto ok = exec(sql, params); !ok) {
                return ok;
            }
        }
        return {};
    }

    Done outbox() {
        std::vector<const OutboxRow*> rows;
        for (const auto* closing : closings_) {
            std::ranges::transform(closing->outbox, std::back_inserter(rows), [](const auto& row) { return &row; });
        }
        return insert_outbox(tx_, now_, rows);
    }

    Done timers() {
        std::vector<const Closing*> clearing;
        std::ranges::copy_if(closings_, std::back_inserter(clearing), [](const auto* c) { return c->clears_timers; });
        if (!clearing.empty()) {
            Params params;
            params.add(who_.grp);
            add_texts(params, clearing, [](const auto* c) { return c->key.topic; });
            add_texts(params, clearing, [](const auto* c) { return c->key.key; });
            if (auto ok = exec("DELETE FROM timers t USING (SELECT $1::integer AS grp, u.* FROM unnest($2::text[], $3::text[]) "
                               "AS u(topic, key) OFFSET 0) w WHERE t.grp = w.grp AND t.topic = w.topic AND t.key = w.key AND "
                               "t.family = 'snapshot'",
                               params);
                !ok) {
                return ok;
            }
        }
        const auto parts = parts_of<TimerRow>(closings_, [](const Closing& c, auto add) {
            if (c.timer) {
                add(*c.timer);
            }
        });
        if (parts.empty()) {
            return {};
        }
        Params params;
        params.add(who_.grp);
        add_texts(params, parts, [](const auto& p) { return p.row->event.at.topic; });
        add_texts(params, parts, [](const auto& p) { return p.row->event.at.key; });
        add_texts(params, parts, [](const auto& p) { return storable(p.row->reason); });
        add_times(params, parts, [](const auto& p) { return p.row->due_at; });
        add_texts(params, parts, [](const auto& p) { return p.row->family == Family::snapshot ? "snapshot" : "fact"; });
        add_texts(params, parts, [](const auto& p) { return p.row->event.event_id; });
        add_integers(params, parts, [](const auto& p) { return p.row->event.position.partition; });
        add_integers(params, parts, [](const auto& p) { return p.row->event.position.offset; });
        return exec(
            "INSERT INTO timers (grp, topic, key, reason, due_at, family, event_id, partition, record_offset) "
            "SELECT $1::integer, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[], "
            "$8::integer[], "
            "$9::bigint[]) "
            "ON CONFLICT (grp, topic, key, reason) DO UPDATE SET due_at = excluded.due_at, family = excluded.family, "
            "event_id = excluded.event_id, partition = excluded.partition, record_offset = excluded.record_offset",
            params);
    }

    Done poison() {
        const auto parts = parts_of<Position>(closings_, [](const Closing& c, auto add) {
            if (c.poison) {
                add(*c.poison);
            }
        });
        if (parts.empty()) {
            return {};
        }
        Params params;
        params.add(who_.grp);
        add_texts(params, parts, [](const auto& p) { return p.row->topic; });
        add_integers(params, parts, [](const auto& p) { return p.row->partition; });
        add_integers(params, parts, [](const auto& p) { return p.row->offset; });
        return exec(
            "DELETE FROM poison_tries t USING unnest($2::text[], $3::integer[], $4::bigint[]) AS w(topic, partition, "
            "record_offset) "
            "WHERE t.grp = $1 AND t.topic = w.topic AND t.partition = w.partition AND t.record_offset = w.record_offset",
            params);
    }

    Transaction& tx_;
    const Identity& who_;
    const core::SystemTime now_;
    const std::span<const Closing* const> closings_;
    ClosingBatchAnswer answer_;
    std::vector<std::string> superseded_;  // Events that left a queue for a newer snapshot.
};

}  // namespace

core::Result<ClosingBatchAnswer> write_closings(Transaction& tx, const Identity& who, core::SystemTime now,
                                                std::span<const Closing* const> closings, TransactionId& id) {
    return ClosingWriter(tx, who, now, closings).write(id);
}

core::Result<std::optional<bool>> was_committed(postgres::Pool& pool, const core::Deadline& deadline, const TransactionId& id) {
    auto rows = pool.exec(deadline, "SELECT pg_xact_status($1::xid8)", Params{}.add(id.text));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    const auto status = (*rows)[0].optional_text(0);
    if (status == "in progress") {
        return std::nullopt;
    }
    return std::optional(status == "committed");
}

}  // namespace syncline::kit::store
