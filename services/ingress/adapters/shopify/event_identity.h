// What makes an event the event it is: its id, key and subject, and times as the contract writes them.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/hash.h>
#include <cstdint>
#include <string>
#include <string_view>

#include "domain/webhook.h"

namespace google::protobuf {
class Timestamp;
}

namespace ingress {

// The id of an event is a UUIDv5 of these, the shop and Triggered-At as sent: the same for every repetition of a delivery,
// another one when a state comes back later.
struct Identity {
    std::string_view type;  // Full Protobuf name.
    int cause = 0;
    std::int64_t resource = 0;  // Shopify's id of the order, refund, transaction …
    std::int64_t source_updated_at_ns = 0;
    syncline::core::Digest content{};  // Without times and origin.
};
[[nodiscard]] std::string event_id(const Webhook& webhook, const Identity& identity);

// "eu/820982911946154508"
[[nodiscard]] std::string key_of(std::string_view shop, std::int64_t id);
// "refund/890088186047892319"
[[nodiscard]] std::string subject_of(std::string_view kind, std::int64_t id);

void set_time(google::protobuf::Timestamp* to, syncline::core::SystemTime time);
[[nodiscard]] syncline::core::SystemTime time_of(const google::protobuf::Timestamp& time);

}  // namespace ingress
