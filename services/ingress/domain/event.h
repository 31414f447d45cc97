// An event as ingress publishes it.
#pragma once

#include <syncline/core/clock.h>
#include <string>
#include <string_view>
#include <vector>

#include "domain/webhook.h"

namespace ingress {

// An event, ready for the broker.
struct MappedEvent {
    std::string_view topic;                    // Without prefix: a constant of syncline/topics.h.
    std::string key;                           // "eu/820982911946154508"
    std::string_view type;                     // Full Protobuf name.
    std::string id;                            // ce_id: the same for every repetition of the delivery.
    std::string subject;                       // "order/820982911946154508"
    std::string value;                         // The serialized message.
    syncline::core::SystemTime time{};         // When it happened: ce_time.
    ObservedAt observed;                       // The second part of its version.
    std::vector<std::string> unknown_members;  // "order.new_member", each name once; bounded.
    std::string code;                          // Of a dead letter: why, in one word of a bounded set.
    std::string reason;                        // Of a dead letter: for a person; never a value of the body.
};

// What a dead letter keeps of a webhook, so that it can be mapped again.
struct KeptWebhook {
    std::string shop;
    std::string topic;  // As sent: "orders/create".
    std::string body;
    std::string code;
    std::string path;
    std::string triggered_at;
    std::string event_id;
    std::string webhook_id;
    std::string api_version;
    syncline::core::SystemTime received_at{};
};

}  // namespace ingress
