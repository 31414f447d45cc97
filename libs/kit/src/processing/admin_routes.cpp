#include "src/processing/admin_routes.h"

#include <syncline/json/writer.h>

#include "src/processing/admin_values.h"
#include "src/processing/engine.h"
#include "src/store/admin_rows.h"
#include "src/store/dead_letter_rows.h"
#include "src/store/inbox_rows.h"

namespace syncline::kit {
namespace {

using core::ErrorKind;
using Engine = Processor::Engine;

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

class Routes {
public:
    explicit Routes(Engine& engine) : engine_(engine) {}

    AdminReply key(const AdminRequest& request) const {
        const auto name = request.path_value("key");
        auto inbox = store::inbox_of_key(pool(), deadline(), who(), name);
        auto parked = store::list_parked(pool(), deadline(), who(),
                                         {.state = {}, .shop = {}, .key = name, .code = {}, .limit = kAdminLimitMax});
        auto dead = store::list_dead_letters(
            pool(), deadline(), who(),
            {.state = {}, .error_class = {}, .code = {}, .shop = {}, .key = name, .since = {}, .limit = kAdminLimitMax});
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
            write_dead_letter(out, letter, who().group);
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
        const auto events = store::list_parked(
            pool(), deadline(), who(),
            {.state = "held", .shop = {}, .key = request.path_value("key"), .code = {}, .limit = kAdminLimitMax});
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
        if (event.row.event_id != found.event.event_id) {
            return AdminReply::problem(409, "record_gone",
                                       "another event stands at its position, as the topic was made anew: backfill the order");
        }
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
    core::Result<void> recorded(postgres::Transaction& tx, std::string_view verb, const std::string& subject,
                                const std::string& actor, const std::string& reason, const std::string& id) const {
        auto fresh = store::record_action(tx, who(), admin_action(now(), verb, subject, actor, reason, id));
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

void add_key_routes(AdminRouter& router, Engine& engine) {
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
}

void add_connection_routes(AdminRouter& router, Engine& engine) {
    const auto routes = std::make_shared<const Routes>(engine);
    router.route("GET", "/admin/connection", "The target, its circuit and whether it is paused.",
                 [routes](const auto& r) { return routes->connection(r); });
    router.route("POST", "/admin/connection/pause", "Stops handling in all instances. Body: reason.",
                 [routes](const auto& r) { return routes->pause(r, true); });
    router.route("POST", "/admin/connection/resume", "Goes on in all instances. Body: reason.",
                 [routes](const auto& r) { return routes->pause(r, false); });
    router.route("POST", "/admin/redrive", "Handles a done event once more. Body: ce_id, reason, dry_run.",
                 [routes](const auto& r) { return routes->redrive(r); });
}

DeadLetterGroup dead_letters_of(Engine& engine) {
    return {.who = engine.who(),
            .replay = [&engine](postgres::Transaction& tx, const store::DeadLetter& letter) -> core::Result<void> {
                const auto now = engine.ports().clock.now();
                const store::ParkedEvent event{
                    .event = letter.event,
                    .family = letter.family,
                    .resource = letter.resource,
                    .version = letter.version,
                    .waiting = {.kind = ErrorKind::not_ready, .code = "replayed", .reason = "replayed by an operator"},
                    .first_at = now,
                    .last_at = now,
                    .due_at = now,
                    .record = letter.record};
                if (auto ok = store::settle_dead_letter(tx, engine.who(), now, letter.id, "replayed", store::InboxState::parked);
                    !ok) {
                    return ok;
                }
                return store::append_events(tx, engine.who(), now, std::span(&event, 1));
            }};
}

}  // namespace syncline::kit
