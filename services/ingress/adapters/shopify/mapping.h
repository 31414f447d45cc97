// Webhook bodies as events: pure functions from JSON to the event contract.
//
// The mapping is an allow-list: each object of a body has one table of the members it takes over (members.h); members that are
// deliberately left out stand in the table too; any other is only named in `unknown_members`, never an error. Tokens, IP
// addresses, client and payment details are in no table, so they cannot leave ingress. Personal data goes into the event's
// envelope and nowhere else.
//
// What makes a body unmappable (an Error of kind malformed, its message naming the member and never its value):
//   member_missing      an id, the currency, updated_at, … without which the event would mean nothing
//   wrong_type          a member of another type than Shopify documents
//   number_*, decimal_*, amount_precision, time_malformed   a number or time that cannot be kept exactly
//   id_not_positive     an id of zero or below
//   currency_malformed  an amount without a currency's code
//   duplicate_key       a member that comes twice
//   shop_mismatch       the body names another shop than the header
//   delete_with_members, redact_with_members, not_an_order, not_this_resource
//                       the body of another topic: a captured one, sent again under this topic
//   event_too_large     the event would not fit its topic
// Null and absent are the same. Any thread; nothing blocks.
#pragma once

#include <syncline/core/error.h>
#include <syncline/json/document.h>

#include "app/ports.h"
#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress {

// `root` is the body of a webhook of a topic that means something (not WebhookTopic::other).
[[nodiscard]] syncline::core::Result<MappedEvent> map_webhook(const Webhook& webhook, syncline::json::Value root);

// The mapping as the use case sees it: parses, maps, and turns what cannot be mapped into a dead letter. Stateless.
class ShopifyMapping final : public WebhookMapping {
public:
    [[nodiscard]] syncline::core::Result<MappedEvent> map(const Webhook& webhook, std::string body) const override;
    [[nodiscard]] MappedEvent unmappable(const Webhook& webhook, std::string body,
                                         const syncline::core::Error& why) const override;
    [[nodiscard]] syncline::core::Result<KeptWebhook> reopen(std::string_view value) const override;
};

}  // namespace ingress
