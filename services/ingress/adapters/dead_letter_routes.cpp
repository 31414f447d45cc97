#include "adapters/dead_letter_routes.h"

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <syncline/topics.h>
#include <utility>

#include "adapters/kafka_publisher.h"

namespace ingress {

namespace core = syncline::core;
namespace json = syncline::json;
using syncline::kit::AdminReply;
using syncline::kit::AdminRequest;
using namespace std::chrono_literals;

namespace {

constexpr auto kAdminLimit = 10s;
constexpr std::size_t kListMax = 1'000;

// The members that every service's dead letters have, and what only a webhook has.
void write_members(json::Writer& out, const DeadWebhookState& state) {
    const auto failed_at = core::format_rfc3339_utc(state.record.failed_at);
    out.member("id", state.id)
        .member("state", state.state)
        .member("event_id", state.record.event_id)
        .member("key", state.record.key)
        .member("topic", syncline::topics::dead_letters)
        .member("partition", std::int64_t{state.record.at.partition})
        .member("offset", state.record.at.offset)
        .member("type", "syncline.orders.v1.UnmappableWebhook")
        .member("class", "malformed")
        .member("code", state.record.code)
        .member("reason", state.record.reason)
        .member("attempts", 1)
        .member("first_at", failed_at)
        .member("last_at", failed_at)
        .member("shop", state.shop)
        .member("webhook_topic", state.topic)
        .member("path", state.path);
}

core::Result<OperatorRequest> operator_request(const AdminRequest& request, bool& dry_run) {
    OperatorRequest wanted{.actor = request.actor};
    if (request.body.empty()) {
        return wanted;
    }
    const auto document = json::Document::parse(request.body);
    if (!document) {
        return std::unexpected(document.error());
    }
    const auto take = [&](std::string_view name, std::string& to) -> core::Result<void> {
        if (const auto value = document->root().get_present(name)) {
            const auto text = value->string();
            if (!text) {
                return std::unexpected(text.error());
            }
            to.assign(*text);
        }
        return {};
    };
    if (auto read = take("replay_id", wanted.replay_id); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (auto read = take("reason", wanted.reason); !read) {
        return std::unexpected(std::move(read.error()));
    }
    if (const auto value = document->root().get_present("dry_run")) {
        const auto flag = value->boolean();
        if (!flag) {
            return std::unexpected(flag.error());
        }
        dry_run = *flag;
    }
    return wanted;
}

AdminReply list(ReplayWebhook& replay, core::Clock& clock, const AdminRequest& request) {
    DeadWebhookFilter filter{.shop = request.query_value("shop"),
                             .code = request.query_value("code"),
                             .key = request.query_value("key"),
                             .state = request.query.contains("state") ? request.query_value("state") : "dead"};
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
    if (const auto limit = request.query_value("limit"); !limit.empty()) {
        const auto number = core::parse_int<std::size_t>(limit);
        if (!number || *number == 0 || *number > kListMax) {
            return AdminReply::problem(400, "bad_limit", "limit is a number from 1 to 1000");
        }
        filter.limit = *number;
    }
    const auto error_class = request.query_value("class");
    // All of ingress's are malformed.
    const auto states = error_class.empty() || error_class == "malformed"
                            ? replay.list(filter, core::Deadline(clock, kAdminLimit))
                            : std::vector<DeadWebhookState>{};
    if (!states) {
        return AdminReply::problem(states.error());
    }
    json::Writer out;
    out.begin_object().member("group", kIngressGroup).key("items").begin_array();
    for (const auto& state : *states) {
        out.begin_object();
        write_members(out, state);
        out.end_object();
    }
    out.end_array().end_object();
    return AdminReply::json(std::move(out).take());
}

AdminReply show(ReplayWebhook& replay, core::Clock& clock, const AdminRequest& request) {
    const auto state = replay.show(request.path_value("id"), core::Deadline(clock, kAdminLimit));
    if (!state) {
        return AdminReply::problem(state.error());
    }
    json::Writer out;
    out.begin_object().key("dead_letter").begin_object();
    write_members(out, *state);
    // The value holds personal data: its size and digest identify it, the record itself is in the dead-letter topic.
    out.member("value_bytes", static_cast<std::int64_t>(state->record.value.size()))
        .member("value_sha256", core::hex_encode(core::bytes_of(core::sha256(state->record.value))))
        .end_object()
        .end_object();
    return AdminReply::json(std::move(out).take());
}

AdminReply replay_one(ReplayWebhook& replay, WebhookMetrics& metrics, core::Clock& clock, const AdminRequest& request) {
    bool dry_run = false;
    const auto wanted = operator_request(request, dry_run);
    if (!wanted) {
        return AdminReply::problem(wanted.error());
    }
    if (!dry_run && wanted->reason.empty()) {
        return AdminReply::problem(400, "reason_missing", "say why: {\"reason\": \"…\"}");
    }
    if (!dry_run && wanted->replay_id.empty()) {
        return AdminReply::problem(400, "replay_id_missing",
                                   "name this replay, so that twice pressed is once: {\"replay_id\": \"…\"}");
    }
    const auto id = request.path_value("id");
    const auto replayed = replay.replay(id, *wanted, dry_run, core::Deadline(clock, kAdminLimit));
    if (!dry_run) {
        metrics.replayed(!replayed ? "failed" : replayed->repeated ? "repeated" : "published");
    }
    if (!replayed) {
        return AdminReply::problem(replayed.error());
    }
    json::Writer out;
    out.begin_object()
        .member("id", id)
        .member("verb", "replay")
        .member("repeated", replayed->repeated)
        .member("dry_run", dry_run)
        .member("event_id", replayed->event_id)
        .member("type", replayed->type)
        .member("key", replayed->key)
        .end_object();
    return AdminReply::json(std::move(out).take());
}

AdminReply discard_one(ReplayWebhook& replay, core::Clock& clock, const AdminRequest& request) {
    bool dry_run = false;
    const auto wanted = operator_request(request, dry_run);
    if (!wanted) {
        return AdminReply::problem(wanted.error());
    }
    if (dry_run) {
        return show(replay, clock, request);
    }
    if (wanted->reason.empty()) {
        return AdminReply::problem(400, "reason_missing", "say why: {\"reason\": \"…\"}");
    }
    const auto id = request.path_value("id");
    const auto repeated = replay.discard(id, *wanted, core::Deadline(clock, kAdminLimit));
    if (!repeated) {
        return AdminReply::problem(repeated.error());
    }
    json::Writer out;
    out.begin_object().member("id", id).member("verb", "discard").member("repeated", *repeated).end_object();
    return AdminReply::json(std::move(out).take());
}

}  // namespace

void add_dead_letter_routes(syncline::kit::AdminRouter& router, ReplayWebhook& replay, WebhookMetrics& metrics,
                            core::Clock& clock) {
    router.route("GET", "/admin/dead-letters",
                 "Webhooks that could not be mapped, newest first. Query: state, class, code, shop, key, since, limit.",
                 [&replay, &clock](const AdminRequest& request) { return list(replay, clock, request); });
    router.route("GET", "/admin/dead-letters/{id}", "One webhook that could not be mapped, without its body.",
                 [&replay, &clock](const AdminRequest& request) { return show(replay, clock, request); });
    router.route(
        "POST", "/admin/dead-letters/{id}/replay", "Maps it again and publishes its event. Body: replay_id, reason, dry_run.",
        [&replay, &metrics, &clock](const AdminRequest& request) { return replay_one(replay, metrics, clock, request); });
    router.route("POST", "/admin/dead-letters/{id}/discard", "Gives it up for good. Body: reason.",
                 [&replay, &clock](const AdminRequest& request) { return discard_one(replay, clock, request); });
}

}  // namespace ingress
