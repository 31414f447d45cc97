// Whatever a body holds, it becomes an event, or a dead letter that can be opened again, and nothing else happens.
#include <syncline/core/assert.h>
#include <syncline/core/time.h>
#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/shopify/mapping.h"
#include "domain/webhook.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto topic = static_cast<ingress::WebhookTopic>(data[0] % static_cast<int>(ingress::WebhookTopic::other));
    const std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
    const ingress::Webhook webhook{.shop = "eu",
                                   .shop_domain = "acme-eu.myshopify.com",
                                   .shop_currency = "EUR",
                                   .topic_name = to_string(topic),
                                   .topic = topic,
                                   .triggered_at = "2026-11-20T10:00:00.5Z",
                                   .received_at = syncline::core::SystemTime{std::chrono::seconds{1'795'168'801}}};
    const ingress::ShopifyMapping mapping;
    const auto event = mapping.map(webhook, body);
    if (event) {
        SYNCLINE_ASSERT(!event->key.empty() && event->id.size() == 36 && event->unknown_members.size() <= 32);
        return 0;
    }
    SYNCLINE_ASSERT(event.error().kind == syncline::core::ErrorKind::malformed && !event.error().code.empty());
    const auto dead = mapping.unmappable(webhook, body, event.error());
    const auto kept = mapping.reopen(dead.value);
    SYNCLINE_ASSERT(kept && kept->topic == webhook.topic_name);
    return 0;
}
