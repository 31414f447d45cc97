// What leaves the house and what happens to it: fulfillments/*, fulfillment_orders/* and returns/* as events of fulfillments.v1.
//
// A fulfillment is a snapshot. Bodies of fulfillment orders and returns tell little more than ids and a status: they are notices,
// after which the order's own are to be read, so a body under another topic of its family does no harm. No message, note, name or
// address of these bodies is taken over.
#pragma once

#include <syncline/core/error.h>
#include <syncline/json/document.h>

#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress {

// `webhook.topic` is of TopicFamily::fulfillments.
[[nodiscard]] syncline::core::Result<MappedEvent> map_fulfillments(const Webhook& webhook, syncline::json::Value root);

}  // namespace ingress
