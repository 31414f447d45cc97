#include "app/receive_webhook.h"

#include <syncline/core/fault.h>
#include <algorithm>
#include <utility>

namespace ingress {

namespace core = syncline::core;
using Outcome = WebhookAnswer::Outcome;

namespace {

constexpr std::size_t kCorrelationIdMax = 64;

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::published:
            return "published";
        case Outcome::dead_lettered:
            return "dead_lettered";
        case Outcome::ignored:
            return "ignored";
        case Outcome::bad_signature:
            return "bad_signature";
        case Outcome::unavailable:
            return "unavailable";
    }
    return "unavailable";
}

std::string source_of(std::string_view shop) {
    return "/shopify/" + std::string(shop);
}

std::string correlation_id_of(std::string_view sent, std::string_view event_id) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    const bool usable = !sent.empty() && sent.size() <= kCorrelationIdMax && std::ranges::all_of(sent, plain);
    return std::string(usable ? sent : event_id);
}

Webhook view_of(const ReceivedWebhook& received) {
    return {.shop = received.shop->alias,
            .shop_domain = received.shop->domain,
            .shop_currency = received.shop->currency,
            .other_shop_domains = received.shop->other_domains,
            .topic_name = received.topic,
            .topic = webhook_topic_from(received.topic),
            .triggered_at = received.triggered_at,
            .event_id = received.event_id,
            .webhook_id = received.webhook_id,
            .api_version = received.api_version,
            .received_at = received.received_at};
}

ReceiveWebhook::ReceiveWebhook(const ShopDirectory& shops, const WebhookMapping& mapping, EventPublisher& publisher,
                               core::Clock& clock, std::chrono::milliseconds acknowledge_limit)
    : shops_(shops),
      mapping_(mapping),
      publisher_(publisher),
      pending_(clock, acknowledge_limit, {.outcome = Outcome::unavailable, .code = "acknowledge_timeout"}) {}

Signature ReceiveWebhook::verify(const ReceivedWebhook& webhook) const {
    const auto result = check_signature(webhook.signature, webhook.body, shops_.secrets(*webhook.shop));
    if (result == Signature::wrong && shops_.refresh_secrets(*webhook.shop)) {
        // Rotated a moment ago: nothing valid may be refused.
        return check_signature(webhook.signature, webhook.body, shops_.secrets(*webhook.shop));
    }
    return result;
}

void ReceiveWebhook::run(ReceivedWebhook received, Done done) {
    if (const auto signature = verify(received); signature != Signature::good) {
        done({.outcome = Outcome::bad_signature, .code = std::string(code_of(signature))});
        return;
    }
    const auto webhook = view_of(received);
    if (webhook.topic == WebhookTopic::other) {
        done({.outcome = Outcome::ignored});
        return;
    }
    // A copy: parsing happens in place, and a body that does not map is kept as it came.
    auto event = mapping_.map(webhook, received.body);
    if (event) {
        WebhookAnswer answer{.outcome = Outcome::published, .observed = event->observed, .event_id = event->id};
        answer.unknown_members = std::move(event->unknown_members);
        publish(std::move(*event), received, std::move(answer), std::move(done));
        return;
    }
    auto dead = mapping_.unmappable(webhook, std::move(received.body), event.error());
    WebhookAnswer answer{
        .outcome = Outcome::dead_lettered, .code = event.error().code, .observed = dead.observed, .event_id = dead.id};
    publish(std::move(dead), received, std::move(answer), std::move(done));
}

void ReceiveWebhook::publish(MappedEvent event, const ReceivedWebhook& webhook, WebhookAnswer answer, Done done) {
    EventContext context{.correlation_id = correlation_id_of(webhook.event_id, event.id),
                         .traceparent = webhook.traceparent,
                         .source = source_of(webhook.shop->alias),
                         .received_at = webhook.received_at};
    const auto wait = pending_.add(std::move(done));
    const auto accepted = publisher_.publish(
        std::move(event), std::move(context), [wait, answer = std::move(answer)](core::Result<RecordPlace> place) mutable {
            if (place) {
                SYNCLINE_FAULT_POINT("webhook_produced");
                PendingAnswers<WebhookAnswer>::settle(wait, std::move(answer));
            } else {
                PendingAnswers<WebhookAnswer>::settle(wait,
                                                      {.outcome = Outcome::unavailable, .code = std::move(place.error().code)});
            }
        });
    if (!accepted) {
        PendingAnswers<WebhookAnswer>::settle(wait, {.outcome = Outcome::unavailable, .code = accepted.error().code});
    }
}

}  // namespace ingress
