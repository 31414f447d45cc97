#include "src/processing/admin_values.h"

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <algorithm>

namespace syncline::kit {

using core::ErrorKind;

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
    return limit ? std::clamp(*limit, 1, kAdminLimitMax) : 100;
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

void write_dead_letter(json::Writer& out, const store::StoredDeadLetter& stored, std::string_view group) {
    const auto& letter = stored.letter;
    out.begin_object().member("id", letter.id).member("group", group).member("state", stored.state);
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

store::AdminAction admin_action(core::SystemTime now, std::string_view verb, const std::string& subject, const std::string& actor,
                                const std::string& reason, const std::string& id) {
    return {.id = id.empty() ? core::uuid_v4() : id,
            .verb = std::string(verb),
            .subject = subject,
            .actor = actor,
            .reason = reason,
            .at = now};
}

}  // namespace syncline::kit
