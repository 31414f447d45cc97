#include "src/processing/admin_routes.h"

#include <google/protobuf/util/time_util.h>
#include <syncline/common/v1/dead_letter_action.pb.h>

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <algorithm>

#include "src/processing/engine.h"
#include "src/store/admin_rows.h"
#include "src/store/dead_letter_rows.h"
#include "src/store/inbox_rows.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {
namespace {

using core::ErrorKind;
using Engine = Processor::Engine;

constexpr int kLimitMax = 1000;

// What an operator sends with a verb.
struct Order {
    std::string reason;
    std::string replay_id;
    std::string code;
    std::string event_id;
    bool dry_run = false;
};

core::Result<Order> read_order(const AdminRequest& request) {
    Order order;
    if (!request.body.empty()) {
        const auto document = json::Document::parse(request.body);
        if (!document) {
            return std::unexpected(document.error());
        }
        const auto root = document->root();
        const auto text = [&](std::string_view name, std::string& into) -> core::Result<void> {
            if (const auto value = root.get_present(name)) {
                const auto read = value->string();
                if (!read) {
                    return std::unexpected(read.error());
                }
                into = std::string(*read);
            }
            return {};
        };
        for (const auto& [name, into] : {std::pair{"reason", &order.reason}, std::pair{"replay_id", &order.replay_id},
                                         std::pair{"code", &order.code}, std::pair{"ce_id", &order.event_id}}) {
            if (const auto ok = text(name, *into); !ok) {
                return std::unexpected(ok.error());
            }
        }
        if (const auto dry = root.get_present("dry_run")) {
            const auto read = dry->boolean();
            if (!read) {
                return std::unexpected(read.error());
            }
            order.dry_run = *read;
        }
    }
    if (request.query_value("dry_run") == "true") {
        order.dry_run = true;
    }
    return order;
}

core::Result<Order> read_order_with_reason(const AdminRequest& request) {
    auto order = read_order(request);
    if (order && order->reason.empty() && !order->dry_run) {
        return core::fail(ErrorKind::rejected, "reason_missing", "say why: {\"reason\": \"…\"}");
    }
    return order;
}

int limit_of(const AdminRequest& request) {
    const auto limit = core::parse_int<int>(request.query_value("limit"));
    return limit ? std::clamp(*limit, 1, kLimitMax) : 100;
}

std::string time_text(core::SystemTime time) {
    return core::format_rfc3339_utc(time);
}

void write_event(json::Writer& out, const store::EventRow& event) {
    out.member("event_id", event.event_id)
        .member("key", event.at.key)
        .member("topic", event.at.topic)
        .member("partition", std::int64_t{event.position.partition})
        .member("offset", event.position.offset)
        .member("type", event.type);
}

void write_parked(json::Writer& out, const store::ParkedEvent& event) {
    out.begin_object();
    write_event(out, event.event);
    out.member("state", event.waiting.held ? "held" : "waiting")
        .member("mode", store::to_string(event.mode))
        .member("family", event.family == Family::snapshot ? "snapshot" : "fact")
        .member("resource", event.resource)
        .member("kind", core::to_string(event.waiting.kind))
        .member("code", event.waiting.code)
        .member("reason", event.waiting.reason)
        .member("waits_for", event.waiting.waits_for)
        .member("expected", event.waiting.figures.expected)
        .member("found", event.waiting.figures.found)
        .member("currency", event.waiting.figures.currency)
        .member("override_code", event.override_code)
        .member("attempts", event.attempts)
        .member("first_at", time_text(event.first_at))
        .member("last_at", time_text(event.last_at))
        .member("due_at", event.due_at ? time_text(*event.due_at) : std::string())
        .end_object();
}

void write_dead_letter(json::Writer& out, const store::StoredDeadLetter& stored) {
    const auto& letter = stored.letter;
    out.begin_object().member("id", letter.id).member("state", stored.state);
    write_event(out, letter.event);
    out.member("class", letter.error_class)
        .member("code", letter.code)
        .member("reason", letter.reason)
        .member("attempts", letter.attempts)
        .member("first_at", time_text(letter.first_at))
        .member("last_at", time_text(letter.last_at))
        .end_object();
}

AdminReply unknown(std::string_view what) {
    return AdminReply::problem(404, "not_found", what);
}

bool looks_like_uuid(std::string_view text) {
    return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

class Routes {
public:
    explicit Routes(Engine& engine) : engine_(engine) {}

    AdminReply key(const AdminRequest& request) const {
        const auto name = request.path_value("key");
        auto inbox = store::inbox_of_key(pool(), deadline(), who(), name);
        auto parked =
            store::list_parked(pool(), deadline(), who(), {.state = {}, .shop = {}, .key = name, .code = {}, .limit = kLimitMax});
        auto dead = store::list_dead_letters(
            pool(), deadline(), who(),
            {.state = {}, .error_class = {}, .code = {}, .shop = {}, .key = name, .since = {}, .limit = kLimitMax});
        auto unsent = store::unsent_of_key(pool(), deadline(), name);
        auto actions = store::actions_about(pool(), deadline(), who(), name);
        for (const auto* error :
             {inbox ? nullptr : &inbox.error(), parked ? nullptr : &parked.error(), dead ? nullptr : &dead.error(),
              unsent ? nullptr : &unsent.error(), actions ? nullptr : &actions.error()}) {
            if (error != nullptr) {
                return AdminReply::problem(*error);
            }
        }
        json::Writer out;
        out.begin_object().member("key", name).member("group", who().group).key("events").begin_array();
        for (const auto& entry : *inbox) {
            out.begin_object();
            write_event(out, entry.event);
            out.member("state", entry.state).member("reason", entry.reason).member("at", time_text(entry.at)).end_object();
        }
        out.end_array().key("parked").begin_array();
        for (const auto& event : *parked) {
            write_parked(out, event);
        }
        out.end_array().key("dead_letters").begin_array();
        for (const auto& letter : *dead) {
            write_dead_letter(out, letter);
        }
        out.end_array().member("outbox_unsent", *unsent).key("actions").begin_array();
        for (const auto& action : *actions) {
            out.begin_object()
                .member("verb", action.verb)
                .member("actor", action.actor)
                .member("reason", action.reason)
                .member("at", time_text(action.at))
                .end_object();
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply parked(const AdminRequest& request, std::string state) const {
        const auto events = store::list_parked(pool(), deadline(), who(),
                                               {.state = std::move(state),
                                                .shop = request.query_value("shop"),
                                                .key = request.query_value("key"),
                                                .code = request.query_value("code"),
                                                .limit = limit_of(request)});
        if (!events) {
            return AdminReply::problem(events.error());
        }
        json::Writer out;
        out.begin_object().member("group", who().group).key("items").begin_array();
        for (const auto& event : *events) {
            write_parked(out, event);
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply hold(const AdminRequest& request) const {
        const auto events =
            store::list_parked(pool(), deadline(), who(),
                               {.state = "held", .shop = {}, .key = request.path_value("key"), .code = {}, .limit = kLimitMax});
        if (!events) {
            return AdminReply::problem(events.error());
        }
        if (events->empty()) {
            return unknown("nothing of this key is held");
        }
        const auto actions = store::actions_about(pool(), deadline(), who(), request.path_value("key"));
        if (!actions) {
            return AdminReply::problem(actions.error());
        }
        json::Writer out;
        out.begin_object().member("key", request.path_value("key")).key("items").begin_array();
        for (const auto& event : *events) {
            write_parked(out, event);
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply release(const AdminRequest& request, bool overriding) const {
        auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        if (overriding && order->code.empty()) {
            return AdminReply::problem(400, "code_missing", "name the code that is overridden");
        }
        const auto name = request.path_value("key");
        if (order->dry_run) {
            return hold(request);
        }
        const auto changed = pool().run(deadline(), [&](postgres::Transaction& tx) -> core::Result<std::int64_t> {
            auto released = store::release_holds(tx, who(), now(), name, overriding ? order->code : std::string());
            if (!released) {
                return released;
            }
            if (*released == 0) {
                return core::fail(ErrorKind::not_ready, "not_held",
                                  overriding ? "nothing of this key is held with this code" : "nothing of this key is held");
            }
            if (auto ok = recorded(tx, overriding ? "override" : "release", name, request.actor, order->reason, {}); !ok) {
                return std::unexpected(std::move(ok.error()));
            }
            return released;
        });
        if (!changed) {
            return AdminReply::problem(changed.error());
        }
        json::Writer out;
        out.begin_object().member("key", name).member("released", *changed).end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply dead_letters(const AdminRequest& request) const {
        store::DeadLetterFilter filter{.state = request.query.contains("state") ? request.query_value("state") : "dead",
                                       .error_class = request.query_value("class"),
                                       .code = request.query_value("code"),
                                       .shop = request.query_value("shop"),
                                       .key = request.query_value("key"),
                                       .since = {},
                                       .limit = limit_of(request)};
        if (filter.state == "all") {
            filter.state.clear();
        }
        if (const auto since = request.query_value("since"); !since.empty()) {
            const auto time = core::parse_rfc3339(since);
            if (!time) {
                return AdminReply::problem(time.error());
            }
            filter.since = *time;
        }
        const auto letters = store::list_dead_letters(pool(), deadline(), who(), filter);
        if (!letters) {
            return AdminReply::problem(letters.error());
        }
        json::Writer out;
        out.begin_object().member("group", who().group).key("items").begin_array();
        for (const auto& letter : *letters) {
            write_dead_letter(out, letter);
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply dead_letter(const AdminRequest& request) const {
        const auto id = request.path_value("id");
        if (!looks_like_uuid(id)) {
            return unknown("no such dead letter");
        }
        const auto found = store::find_dead_letter(pool(), deadline(), who(), id);
        if (!found) {
            return AdminReply::problem(found.error());
        }
        if (!*found) {
            return unknown("no such dead letter");
        }
        json::Writer out;
        const auto& letter = (*found)->letter;
        out.begin_object().key("dead_letter");
        write_dead_letter(out, **found);
        // The value may hold personal data: its size and digest identify it, the record itself is in the dead-letter topic.
        out.member("value_bytes", static_cast<std::int64_t>(letter.record.value.size()))
            .member("value_sha256", core::hex_encode(core::bytes_of(core::sha256(letter.record.value))))
            .end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply replay(const AdminRequest& request) const {
        auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        if (order->replay_id.empty() && !order->dry_run) {
            return AdminReply::problem(400, "replay_id_missing",
                                       "name this replay, so that twice pressed is once: {\"replay_id\": \"…\"}");
        }
        return on_dead_letter(
            request, *order, "replay", [&](postgres::Transaction& tx, const store::DeadLetter& letter) -> core::Result<void> {
                const store::ParkedEvent event{
                    .event = letter.event,
                    .family = letter.family,
                    .resource = letter.resource,
                    .version = letter.version,
                    .waiting = {.kind = ErrorKind::not_ready, .code = "replayed", .reason = "replayed by an operator"},
                    .first_at = now(),
                    .last_at = now(),
                    .due_at = now(),
                    .record = letter.record};
                if (auto ok = store::settle_dead_letter(tx, who(), now(), letter.id, "replayed", store::InboxState::parked);
                    !ok) {
                    return ok;
                }
                return store::append_events(tx, who(), now(), std::span(&event, 1));
            });
    }

    AdminReply discard(const AdminRequest& request) const {
        auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        return on_dead_letter(request, *order, "discard", [&](postgres::Transaction& tx, const store::DeadLetter& letter) {
            return store::settle_dead_letter(tx, who(), now(), letter.id, "discarded", std::nullopt);
        });
    }

    AdminReply connection(const AdminRequest& /*request*/) const {
        const auto pause = store::connection_pause(pool(), deadline(), who());
        if (!pause) {
            return AdminReply::problem(pause.error());
        }
        const auto figures = engine_.figures();
        json::Writer out;
        out.begin_object()
            .member("connection", who().connection)
            .member("group", who().group)
            .member("paused", pause->has_value())
            .member("paused_by", *pause ? (*pause)->actor : std::string())
            .member("reason", *pause ? (*pause)->reason : std::string())
            .member("circuit_open", figures.circuit_open)
            .member("partitions", static_cast<std::int64_t>(figures.partitions))
            .member("in_flight_records", static_cast<std::int64_t>(figures.in_flight_records))
            .end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply pause(const AdminRequest& request, bool pausing) const {
        auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        if (order->dry_run) {
            return connection(request);
        }
        const auto done = pool().run(deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
            auto changed =
                pausing ? store::pause_connection(tx, who(), {.actor = request.actor, .reason = order->reason, .at = now()})
                        : store::resume_connection(tx, who());
            if (!changed) {
                return changed;
            }
            return recorded(tx, pausing ? "pause" : "resume", who().connection, request.actor, order->reason, {});
        });
        if (!done) {
            return AdminReply::problem(done.error());
        }
        engine_.set_operator_pause(pausing);
        return connection(request);
    }

    AdminReply redrive(const AdminRequest& request) const {
        auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        if (!looks_like_uuid(order->event_id)) {
            return AdminReply::problem(400, "ce_id_missing", "name the event: {\"ce_id\": \"…\"}");
        }
        const auto entry = store::find_inbox(pool(), deadline(), who(), order->event_id);
        if (!entry) {
            return AdminReply::problem(entry.error());
        }
        if (!*entry) {
            return unknown("this group has not seen this event");
        }
        const auto& found = **entry;
        if (found.state != "done" && found.state != "skipped") {
            return AdminReply::problem(409, "not_done",
                                       "the event is " + found.state + ": only done or skipped events are driven again");
        }
        const auto records = engine_.ports().reader.read(std::span(&found.event.position, 1),
                                                         core::Deadline(core::system_clock(), std::chrono::seconds{10}));
        if (!records.front()) {
            return AdminReply::problem(records.front().error());
        }
        auto event = read_event(*records.front(), engine_.handlers());
        if (event.handler == nullptr || !decode(event, *records.front())) {
            return AdminReply::problem(409, "not_handled", "no handler here takes this event");
        }
        if (!order->dry_run) {
            const store::ParkedEvent again{
                .event = event.row,
                .family = event.handler->family,
                .resource = event.resource,
                .version = event.version,
                .mode = store::Mode::redrive,
                .waiting = {.kind = ErrorKind::not_ready, .code = "redrive", .reason = "driven again by an operator"},
                .first_at = now(),
                .last_at = now(),
                .due_at = now(),
                .record = *records.front()};
            const auto done = pool().run(deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
                if (auto ok = store::append_events(tx, who(), now(), std::span(&again, 1)); !ok) {
                    return ok;
                }
                return recorded(tx, "redrive", found.event.at.key, request.actor, order->reason, {});
            });
            if (!done) {
                return AdminReply::problem(done.error());
            }
        }
        json::Writer out;
        out.begin_object().member("dry_run", order->dry_run).member("was", found.state).member("reason", found.reason);
        write_event(out, event.row);
        out.end_object();
        return AdminReply::json(std::move(out).take());
    }

private:
    template <typename Act>
    AdminReply on_dead_letter(const AdminRequest& request, const Order& order, std::string_view verb, Act act) const {
        const auto id = request.path_value("id");
        if (!looks_like_uuid(id)) {
            return unknown("no such dead letter");
        }
        if (order.dry_run) {
            return dead_letter(request);
        }
        bool repeated = false;
        const auto action_id = order.replay_id.empty() ? std::string() : "replay/" + id + '/' + order.replay_id;
        const auto done = pool().run(deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
            auto found = store::lock_dead_letter(tx, who(), id);
            if (!found) {
                return std::unexpected(std::move(found.error()));
            }
            if (!*found) {
                return core::fail(ErrorKind::not_ready, "not_found", "no such dead letter");
            }
            const auto& stored = **found;
            auto fresh =
                store::record_action(tx, who(), action(verb, stored.letter.event.at.key, request.actor, order.reason, action_id));
            if (!fresh) {
                return std::unexpected(std::move(fresh.error()));
            }
            repeated = !*fresh;
            if (repeated) {
                return {};
            }
            if (stored.state != "dead") {
                return core::fail(ErrorKind::conflict, "not_dead", "the letter is " + stored.state);
            }
            if (auto ok = act(tx, stored.letter); !ok) {
                return ok;
            }
            return announce(tx, verb, stored.letter, request.actor, order);
        });
        if (!done) {
            return AdminReply::problem(done.error());
        }
        engine_.wake_relay();
        json::Writer out;
        out.begin_object().member("id", id).member("verb", verb).member("repeated", repeated).end_object();
        return AdminReply::json(std::move(out).take());
    }

    core::Result<void> announce(postgres::Transaction& tx, std::string_view verb, const store::DeadLetter& letter,
                                const std::string& actor, const Order& order) const {
        common::v1::DeadLetterAction event;
        const auto id = core::uuid_v5(core::kSynclineNamespace, "action|" + std::string(verb) + '|' + letter.id + '|' +
                                                                    order.replay_id + '|' + time_text(letter.last_at));
        event.set_action_id(id);
        event.set_dead_letter_id(letter.id);
        event.set_group(who().group);
        event.set_verb(std::string(verb));
        event.set_actor(actor);
        event.set_reason(order.reason);
        *event.mutable_acted_at() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(now().time_since_epoch().count());
        store::OutboxRow row{.id = id,
                             .aggregate_type = "dead-letter-actions.v1",
                             .aggregate_id = letter.event.at.key,
                             .type = event.GetTypeName()};
        row.record = {
            .topic = "dead-letter-actions.v1", .key = letter.record.key, .value = event.SerializeAsString(), .headers = {}};
        row.record.headers =
            cloud_event_headers({.id = id,
                                 .type = row.type,
                                 .source = "syncline/" + engine_.options().service,
                                 .subject = letter.id,
                                 .correlation_id = std::string(header_value(letter.record.headers, "ce_correlationid")),
                                 .traceparent = {},
                                 .time = now(),
                                 .received_at = {}});
        const store::OutboxRow* rows[] = {&row};
        return store::insert_outbox(tx, now(), rows);
    }

    store::AdminAction action(std::string_view verb, const std::string& subject, const std::string& actor,
                              const std::string& reason, const std::string& id) const {
        return {.id = id.empty() ? core::uuid_v4() : id,
                .verb = std::string(verb),
                .subject = subject,
                .actor = actor,
                .reason = reason,
                .at = now()};
    }

    core::Result<void> recorded(postgres::Transaction& tx, std::string_view verb, const std::string& subject,
                                const std::string& actor, const std::string& reason, const std::string& id) const {
        auto fresh = store::record_action(tx, who(), action(verb, subject, actor, reason, id));
        if (!fresh) {
            return std::unexpected(std::move(fresh.error()));
        }
        return {};
    }

    [[nodiscard]] postgres::Pool& pool() const { return engine_.database().pool(); }
    [[nodiscard]] core::Deadline deadline() const { return {core::system_clock(), std::chrono::seconds{10}}; }
    [[nodiscard]] const store::Identity& who() const { return engine_.who(); }
    [[nodiscard]] core::SystemTime now() const { return engine_.ports().clock.now(); }

    Engine& engine_;
};

}  // namespace

void add_admin_routes(AdminRouter& router, Engine& engine) {
    const auto routes = std::make_shared<const Routes>(engine);
    router.route("GET", "/admin/keys/{key...}", "What became of the events of a key.",
                 [routes](const auto& r) { return routes->key(r); });
    router.route("GET", "/admin/parked", "Events that wait for another attempt. Query: shop, key, code, limit.",
                 [routes](const auto& r) { return routes->parked(r, "waiting"); });
    router.route("GET", "/admin/holds", "Events that wait for a mapping or a person. Query: shop, key, code, limit.",
                 [routes](const auto& r) { return routes->parked(r, "held"); });
    router.route("GET", "/admin/holds/{key...}", "What of a key is held, and why.",
                 [routes](const auto& r) { return routes->hold(r); });
    router.route("POST", "/admin/holds/{key...}/release", "Looks again at what is held of a key. Body: reason.",
                 [routes](const auto& r) { return routes->release(r, false); });
    router.route("POST", "/admin/holds/{key...}/override", "Goes on in spite of this code. Body: code, reason.",
                 [routes](const auto& r) { return routes->release(r, true); });
    router.route("GET", "/admin/dead-letters", "Dead letters, newest first. Query: state, class, code, shop, key, since, limit.",
                 [routes](const auto& r) { return routes->dead_letters(r); });
    router.route("GET", "/admin/dead-letters/{id}", "One dead letter, without its value.",
                 [routes](const auto& r) { return routes->dead_letter(r); });
    router.route("POST", "/admin/dead-letters/{id}/replay", "Handles it again. Body: replay_id, reason.",
                 [routes](const auto& r) { return routes->replay(r); });
    router.route("POST", "/admin/dead-letters/{id}/discard", "Gives it up for good. Body: reason.",
                 [routes](const auto& r) { return routes->discard(r); });
    router.route("GET", "/admin/connection", "The target, its circuit and whether it is paused.",
                 [routes](const auto& r) { return routes->connection(r); });
    router.route("POST", "/admin/connection/pause", "Stops handling in all instances. Body: reason.",
                 [routes](const auto& r) { return routes->pause(r, true); });
    router.route("POST", "/admin/connection/resume", "Goes on in all instances. Body: reason.",
                 [routes](const auto& r) { return routes->pause(r, false); });
    router.route("POST", "/admin/redrive", "Handles a done event once more. Body: ce_id, reason, dry_run.",
                 [routes](const auto& r) { return routes->redrive(r); });
}

}  // namespace syncline::kit
