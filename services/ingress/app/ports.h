// What receiving and replaying webhooks needs from the world.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress {

// A shop of the configuration, as one request sees it.
struct KnownShop {
    std::string alias;
    std::string domain;  // Lower case.
    std::string currency;
    std::string label;                            // The alias, or "other" beyond the hundredth shop: for metrics.
    std::vector<std::string_view> other_domains;  // Of all other shops.
    std::shared_ptr<const void> keep;             // What other_domains borrows from.
};

// Which shops there are and what signs their webhooks. Any thread; never blocks longer than reading a small local file.
class ShopDirectory {
public:
    virtual ~ShopDirectory() = default;
    // nullptr: unknown or disabled.
    [[nodiscard]] virtual std::shared_ptr<const KnownShop> by_domain(std::string_view domain) const = 0;
    [[nodiscard]] virtual std::shared_ptr<const KnownShop> by_alias(std::string_view alias) const = 0;
    // All secrets that sign for this shop now.
    [[nodiscard]] virtual std::vector<std::string> secrets(const KnownShop& shop) const = 0;
    // Looks at the secret files at once; true if any has changed.
    [[nodiscard]] virtual bool refresh_secrets(const KnownShop& shop) const = 0;
};

// From a body to an event. Pure; any thread.
class WebhookMapping {
public:
    virtual ~WebhookMapping() = default;
    // Takes the body. Every error is of kind malformed: this body will never map, until the mapping changes.
    [[nodiscard]] virtual syncline::core::Result<MappedEvent> map(const Webhook& webhook, std::string body) const = 0;
    // The dead letter of a body that does not map, its denied members removed if it parses.
    [[nodiscard]] virtual MappedEvent unmappable(const Webhook& webhook, std::string body,
                                                 const syncline::core::Error& why) const = 0;
    // The webhook a dead letter of ingress keeps.
    [[nodiscard]] virtual syncline::core::Result<KeptWebhook> reopen(std::string_view value) const = 0;
};

// Headers of the record besides those that follow from the event.
struct EventContext {
    std::string correlation_id;
    std::string traceparent;
    std::string source;  // ce_source
    syncline::core::SystemTime received_at{};
};

// Where a record lies.
struct RecordPlace {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend bool operator==(const RecordPlace&, const RecordPlace&) = default;
};

// The broker. publish() never blocks; `done` runs exactly once, on the publisher's own thread, unless publish() returned an
// error.
class EventPublisher {
public:
    using Done = std::move_only_function<void(syncline::core::Result<RecordPlace>)>;
    virtual ~EventPublisher() = default;
    [[nodiscard]] virtual syncline::core::Result<void> publish(MappedEvent event, EventContext context, Done done) = 0;
};

// A record of the dead-letters topic that ingress itself wrote.
struct DeadWebhook {
    RecordPlace at;
    std::string key;
    std::string event_id;  // ce_id of the dead letter.
    std::string correlation_id;
    std::string code;
    std::string reason;
    syncline::core::SystemTime failed_at{};
    std::string value;  // The serialized UnmappableWebhook.
};

// What an operator did with one.
struct DeadWebhookAction {
    std::string action_id;
    std::string dead_letter_id;
    std::string verb;  // replay, discard
    std::string actor;
    std::string reason;
    syncline::core::SystemTime acted_at{};
};

// The dead-letters topic and the record of what was done with it. Blocks until the deadline; any thread.
class DeadLetterLog {
public:
    virtual ~DeadLetterLog() = default;
    // kind not_ready, code "no_such_dead_letter", if there is none of ingress's at that place.
    [[nodiscard]] virtual syncline::core::Result<DeadWebhook> read(RecordPlace at, const syncline::core::Deadline& deadline) = 0;
    // Newest last; at most `records_max` records of each partition are looked at.
    [[nodiscard]] virtual syncline::core::Result<std::vector<DeadWebhook>> list(int records_max,
                                                                                const syncline::core::Deadline& deadline) = 0;
    [[nodiscard]] virtual syncline::core::Result<std::vector<DeadWebhookAction>> actions(
        int records_max, const syncline::core::Deadline& deadline) = 0;
    // Waits until the brokers have it.
    [[nodiscard]] virtual syncline::core::Result<void> record(const DeadWebhookAction& action, std::string_view key,
                                                              const syncline::core::Deadline& deadline) = 0;
};

}  // namespace ingress
