// The last steps of every mapping: a message becomes an event, and the event has to fit its topic.
#pragma once

#include <syncline/core/error.h>
#include <syncline/core/hash.h>
#include <cstdint>
#include <string>
#include <utility>

#include "adapters/shopify/event_identity.h"
#include "adapters/shopify/members.h"
#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress {

// Where an event goes and what it is about.
struct Routing {
    const char* topic;  // A constant of syncline/topics.h.
    std::string key;
    std::string subject;
    std::int64_t resource = 0;  // Shopify's id: part of the event's own.
};

// `message` carries everything but the time it was observed; that is set here. Two deliveries are one event if everything else
// and X-Shopify-Triggered-At are the same.
template <typename Message>
[[nodiscard]] MappedEvent finish_event(const Webhook& webhook, Message& message, Routing routing) {
    MappedEvent event;
    event.topic = routing.topic;
    event.type = Message::descriptor()->full_name();
    event.key = std::move(routing.key);
    event.subject = std::move(routing.subject);
    event.observed = observed_at(webhook);
    message.SerializeToString(&event.value);
    event.id =
        event_id(webhook, {.type = event.type, .resource = routing.resource, .content = syncline::core::sha256(event.value)});
    set_time(message.mutable_observed_at(), event.observed.at);
    event.value.clear();
    message.SerializeToString(&event.value);
    event.time = event.observed.at;
    return event;
}

// Error: code "event_too_large".
[[nodiscard]] syncline::core::Result<MappedEvent> fitting(Mapping& mapping, MappedEvent event);

}  // namespace ingress
