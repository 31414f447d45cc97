#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/core/hash.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/topics.h>
#include <utility>

#include "adapters/shopify/deny_list.h"
#include "adapters/shopify/event_identity.h"
#include "adapters/shopify/mapping.h"

namespace ingress {

namespace core = syncline::core;
namespace json = syncline::json;
using syncline::orders::v1::UnmappableWebhook;

namespace {

bool mapped_by_tables(WebhookTopic topic) {
    switch (topic) {
        case WebhookTopic::orders_create:
        case WebhookTopic::orders_updated:
        case WebhookTopic::orders_cancelled:
        case WebhookTopic::orders_paid:
        case WebhookTopic::orders_fulfilled:
        case WebhookTopic::orders_partially_fulfilled:
            return true;
        default:
            return false;
    }
}

}  // namespace

core::Result<MappedEvent> ShopifyMapping::map(const Webhook& webhook, std::string body) const {
    // Orders are looked through by tables that find names given twice on their way; anything else is small.
    const auto document = json::Document::parse(std::move(body), {.reject_duplicate_keys = !mapped_by_tables(webhook.topic)});
    if (!document) {
        return std::unexpected(document.error());
    }
    return map_webhook(webhook, document->root());
}

namespace {

// Error messages of the JSON library begin with the path of the member.
std::string_view path_in(std::string_view message) {
    return message.substr(0, message.find_first_of(": "));
}

}  // namespace

MappedEvent ShopifyMapping::unmappable(const Webhook& webhook, std::string body, const core::Error& why) const {
    UnmappableWebhook message;
    message.set_shop(webhook.shop.data(), webhook.shop.size());
    message.set_topic(webhook.topic_name.data(), webhook.topic_name.size());
    message.set_code(why.code);
    const auto path = path_in(why.message);
    message.set_path(path.data(), path.size());
    message.set_triggered_at(webhook.triggered_at.data(), webhook.triggered_at.size());
    message.set_webhook_id(webhook.webhook_id.data(), webhook.webhook_id.size());
    message.set_event_id(webhook.event_id.data(), webhook.event_id.size());
    message.set_api_version(webhook.api_version.data(), webhook.api_version.size());

    MappedEvent event;
    const auto content = core::sha256(body);
    // Names twice are read, so that what is denied goes in both places.
    if (const auto document = json::Document::parse(body, {.reject_duplicate_keys = false})) {
        message.mutable_body()->set_raw(without_denied_members(document->root()));
    } else {
        message.mutable_body()->set_raw(std::move(body));
    }
    set_time(message.mutable_received_at(), webhook.received_at);
    event.topic = syncline::topics::dead_letters;
    event.type = UnmappableWebhook::descriptor()->full_name();
    event.observed = observed_at(webhook);
    event.time = event.observed.at;
    message.SerializeToString(&event.value);
    event.id = event_id(webhook, {.type = event.type, .cause = static_cast<int>(webhook.topic), .content = content});
    event.key = std::string(webhook.shop) + '/' + event.id;
    event.subject = "webhook/" + event.id;
    event.code = why.code;
    event.reason = why.message;
    return event;
}

core::Result<KeptWebhook> ShopifyMapping::reopen(std::string_view value) const {
    UnmappableWebhook message;
    if (!message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
        return core::fail(core::ErrorKind::malformed, "dead_letter_unreadable", "the record is no UnmappableWebhook");
    }
    if (message.body().content_case() != syncline::common::v1::PersonalDataEnvelope::kRaw) {
        return core::fail(core::ErrorKind::rejected, "body_sealed", "the body of this dead letter is not readable any more");
    }
    return KeptWebhook{.shop = message.shop(),
                       .topic = message.topic(),
                       .body = std::move(*message.mutable_body()->mutable_raw()),
                       .code = message.code(),
                       .path = message.path(),
                       .triggered_at = message.triggered_at(),
                       .event_id = message.event_id(),
                       .webhook_id = message.webhook_id(),
                       .api_version = message.api_version(),
                       .received_at = time_of(message.received_at())};
}

}  // namespace ingress
