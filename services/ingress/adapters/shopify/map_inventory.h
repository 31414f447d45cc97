// Shopify's own word about stock: inventory_levels/*, inventory_items/* and locations/* as events of inventory.v1.
//
// Snapshots, each with its version (`updated_at` of the body, the time observed). What a body says counts, never what its topic
// says, for only the body is signed; a deletion and a disconnect therefore have nothing but ids (code "delete_with_members"), and
// are unconfirmed. A body whose gid names another kind of resource is none of these (code "not_this_resource").
#pragma once

#include <syncline/core/error.h>
#include <syncline/json/document.h>

#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress {

// `webhook.topic` is of TopicFamily::inventory.
[[nodiscard]] syncline::core::Result<MappedEvent> map_inventory(const Webhook& webhook, syncline::json::Value root);

}  // namespace ingress
