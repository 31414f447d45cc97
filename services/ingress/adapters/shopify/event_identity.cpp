#include "adapters/shopify/event_identity.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/core/time.h>

namespace ingress {

namespace core = syncline::core;

namespace {
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
}

std::string event_id(const Webhook& webhook, const Identity& identity) {
    constexpr char kSeparator = '\n';
    std::string name;
    name.reserve(256);
    name.append(webhook.shop).push_back(kSeparator);
    name.append(identity.type).push_back(kSeparator);
    name.append(std::to_string(identity.cause)).push_back(kSeparator);
    name.append(std::to_string(identity.resource)).push_back(kSeparator);
    name.append(std::to_string(identity.source_updated_at_ns)).push_back(kSeparator);
    name.append(webhook.triggered_at).push_back(kSeparator);
    name.append(core::bytes_of(identity.content));
    return core::uuid_v5(core::kSynclineNamespace, name);
}

std::string key_of(std::string_view shop, std::int64_t id) {
    std::string key;
    key.reserve(shop.size() + 21);
    key.append(shop).append(1, '/').append(std::to_string(id));
    return key;
}

std::string subject_of(std::string_view kind, std::int64_t id) {
    return std::string(kind).append(1, '/').append(std::to_string(id));
}

void set_time(google::protobuf::Timestamp* to, core::SystemTime time) {
    const auto nanos = core::nanos_since_epoch(time);
    to->set_seconds(nanos / kNanosPerSecond);
    to->set_nanos(static_cast<std::int32_t>(nanos % kNanosPerSecond));
}

core::SystemTime time_of(const google::protobuf::Timestamp& time) {
    return core::time_from_nanos(time.seconds() * kNanosPerSecond + time.nanos());
}

}  // namespace ingress
