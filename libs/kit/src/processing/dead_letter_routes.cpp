#include "src/processing/dead_letter_routes.h"

#include <google/protobuf/util/time_util.h>
#include <syncline/common/v1/dead_letter_action.pb.h>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <algorithm>
#include <memory>
#include <optional>

#include "src/processing/admin_values.h"
#include "src/processing/event.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {
namespace {

using core::ErrorKind;

class Routes {
public:
    explicit Routes(DeadLetterDesk desk) : desk_(std::move(desk)) {
        for (const auto& group : desk_.groups) {
            names_ += (names_.empty() ? "" : ", ") + group.who.group;
        }
    }

    AdminReply list(const AdminRequest& request) const {
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
        std::vector<std::pair<const DeadLetterGroup*, store::StoredDeadLetter>> found;
        for (const auto& group : desk_.groups) {
            auto letters = store::list_dead_letters(desk_.pool, deadline(), group.who, filter);
            if (!letters) {
                return AdminReply::problem(letters.error());
            }
            for (auto& letter : *letters) {
                found.emplace_back(&group, std::move(letter));
            }
        }
        std::ranges::stable_sort(found, std::ranges::greater{}, [](const auto& entry) { return entry.second.letter.last_at; });
        found.resize(std::min(found.size(), static_cast<std::size_t>(filter.limit)));
        json::Writer out;
        out.begin_object().member("group", names_).key("items").begin_array();
        for (const auto& [group, letter] : found) {
            write_dead_letter(out, letter, group->who.group);
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    }

    AdminReply show(const AdminRequest& request) const {
        const auto id = request.path_value("id");
        if (!looks_like_uuid(id)) {
            return unknown("no such dead letter");
        }
        for (const auto& group : desk_.groups) {
            const auto found = store::find_dead_letter(desk_.pool, deadline(), group.who, id);
            if (!found) {
                return AdminReply::problem(found.error());
            }
            if (!*found) {
                continue;
            }
            json::Writer out;
            const auto& letter = (*found)->letter;
            out.begin_object().key("dead_letter");
            write_dead_letter(out, **found, group.who.group);
            // The value may hold personal data: its size and digest identify it, the record itself is in the dead-letter topic.
            out.member("value_bytes", static_cast<std::int64_t>(letter.record.value.size()))
                .member("value_sha256", core::hex_encode(core::bytes_of(core::sha256(letter.record.value))))
                .end_object();
            return AdminReply::json(std::move(out).take());
        }
        return unknown("no such dead letter");
    }

    AdminReply replay(const AdminRequest& request) const {
        const auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        if (order->replay_id.empty() && !order->dry_run) {
            return AdminReply::problem(400, "replay_id_missing",
                                       "name this replay, so that twice pressed is once: {\"replay_id\": \"…\"}");
        }
        return act_on(request, *order, "replay",
                      [](const DeadLetterGroup& group, postgres::Transaction& tx, const store::DeadLetter& letter) {
                          return group.replay(tx, letter);
                      });
    }

    AdminReply discard(const AdminRequest& request) const {
        const auto order = read_order_with_reason(request);
        if (!order) {
            return AdminReply::problem(order.error());
        }
        return act_on(request, *order, "discard",
                      [this](const DeadLetterGroup& group, postgres::Transaction& tx, const store::DeadLetter& letter) {
                          return store::settle_dead_letter(tx, group.who, now(), letter.id, "discarded", std::nullopt);
                      });
    }

private:
    template <typename Act>
    AdminReply act_on(const AdminRequest& request, const Order& order, std::string_view verb, Act act) const {
        const auto id = request.path_value("id");
        if (!looks_like_uuid(id)) {
            return unknown("no such dead letter");
        }
        if (order.dry_run) {
            return show(request);
        }
        bool repeated = false;
        const auto action_id = order.replay_id.empty() ? std::string() : "replay/" + id + '/' + order.replay_id;
        const auto done = desk_.pool.run(deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
            const DeadLetterGroup* owner = nullptr;
            std::optional<store::StoredDeadLetter> stored;
            for (const auto& group : desk_.groups) {
                auto found = store::lock_dead_letter(tx, group.who, id);
                if (!found) {
                    return std::unexpected(std::move(found.error()));
                }
                if (*found) {
                    owner = &group;
                    stored = std::move(*found);
                    break;
                }
            }
            if (owner == nullptr) {
                return core::fail(ErrorKind::not_ready, "not_found", "no such dead letter");
            }
            const auto& letter = stored->letter;
            const auto fresh = store::record_action(
                tx, owner->who, admin_action(now(), verb, letter.event.at.key, request.actor, order.reason, action_id));
            if (!fresh) {
                return std::unexpected(fresh.error());
            }
            repeated = !*fresh;
            if (repeated) {
                return {};
            }
            if (stored->state != "dead") {
                return core::fail(ErrorKind::conflict, "not_dead", "the letter is " + stored->state);
            }
            if (auto ok = act(*owner, tx, letter); !ok) {
                return ok;
            }
            return announce(tx, *owner, verb, letter, request.actor, order);
        });
        if (!done) {
            return AdminReply::problem(done.error());
        }
        desk_.wake_relay();
        json::Writer out;
        out.begin_object().member("id", id).member("verb", verb).member("repeated", repeated).end_object();
        return AdminReply::json(std::move(out).take());
    }

    core::Result<void> announce(postgres::Transaction& tx, const DeadLetterGroup& group, std::string_view verb,
                                const store::DeadLetter& letter, const std::string& actor, const Order& order) const {
        common::v1::DeadLetterAction event;
        const auto id = core::uuid_v5(core::kSynclineNamespace, "action|" + std::string(verb) + '|' + letter.id + '|' +
                                                                    order.replay_id + '|' + time_text(letter.last_at));
        event.set_action_id(id);
        event.set_dead_letter_id(letter.id);
        event.set_group(group.who.group);
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
                                 .source = "syncline/" + desk_.service,
                                 .subject = letter.id,
                                 .correlation_id = std::string(header_value(letter.record.headers, "ce_correlationid")),
                                 .traceparent = {},
                                 .time = now(),
                                 .received_at = {}});
        const store::OutboxRow* rows[] = {&row};
        return store::insert_outbox(tx, now(), rows);
    }

    [[nodiscard]] static core::Deadline deadline() { return {core::system_clock(), std::chrono::seconds{10}}; }
    [[nodiscard]] core::SystemTime now() const { return desk_.clock.now(); }

    const DeadLetterDesk desk_;
    std::string names_;
};

}  // namespace

void add_dead_letter_routes(AdminRouter& router, DeadLetterDesk desk) {
    const auto routes = std::make_shared<const Routes>(std::move(desk));
    router.route("GET", "/admin/dead-letters", "Dead letters, newest first. Query: state, class, code, shop, key, since, limit.",
                 [routes](const auto& r) { return routes->list(r); });
    router.route("GET", "/admin/dead-letters/{id}", "One dead letter, without its value.",
                 [routes](const auto& r) { return routes->show(r); });
    router.route("POST", "/admin/dead-letters/{id}/replay", "Handles it again. Body: replay_id, reason.",
                 [routes](const auto& r) { return routes->replay(r); });
    router.route("POST", "/admin/dead-letters/{id}/discard", "Gives it up for good. Body: reason.",
                 [routes](const auto& r) { return routes->discard(r); });
}

}  // namespace syncline::kit
