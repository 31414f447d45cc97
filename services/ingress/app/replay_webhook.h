// Dead letters of ingress: webhooks with a good signature that did not map. After the mapping was mended they are mapped again.
//
// ingress has no database. A dead letter is a record of the dead-letters topic, its id is its place there
// ("<partition>-<offset>"); what was done with it is told by the dead-letter-actions topic. Mapping again is the same as
// receiving again: the event gets the id it would have had then, so even two replicas asked at once make one event for every
// consumer. Blocks for the broker, until the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/ports.h"

namespace ingress {

struct DeadWebhookState {
    DeadWebhook record;
    std::string id;  // "<partition>-<offset>"
    std::string shop;
    std::string topic;       // Of the webhook.
    std::string path;        // Where in the body.
    std::string state;       // dead, replayed, discarded
    std::string settled_by;  // The action_id that settled it; empty while dead.
};

struct DeadWebhookFilter {
    std::string shop;  // Empty: all.
    std::string code;
    std::string key;
    std::string state;
    std::optional<syncline::core::SystemTime> since;
    std::size_t limit = 100;
};

// Who does it, why, and the id under which pressing twice counts once.
struct OperatorRequest {
    std::string replay_id;  // Chosen by the operator's tool.
    std::string actor;
    std::string reason;
};

struct ReplayedWebhook {
    bool repeated = false;  // This replay_id was done before: nothing was published now.
    std::string event_id;
    std::string type;
    std::string key;
};

class ReplayWebhook {
public:
    ReplayWebhook(const ShopDirectory& shops, const WebhookMapping& mapping, EventPublisher& publisher, DeadLetterLog& log,
                  syncline::core::Clock& clock)
        : shops_(shops), mapping_(mapping), publisher_(publisher), log_(log), clock_(clock) {}

    // Newest first.
    [[nodiscard]] syncline::core::Result<std::vector<DeadWebhookState>> list(const DeadWebhookFilter& filter,
                                                                             const syncline::core::Deadline& deadline);
    [[nodiscard]] syncline::core::Result<DeadWebhookState> show(std::string_view id, const syncline::core::Deadline& deadline);
    // Errors: not_ready no_such_dead_letter; conflict not_dead (replayed or discarded before); rejected unknown_shop,
    // topic_without_event; the mapping's own (malformed) when it still does not map: then nothing has changed.
    [[nodiscard]] syncline::core::Result<ReplayedWebhook> replay(std::string_view id, const OperatorRequest& request,
                                                                 bool dry_run, const syncline::core::Deadline& deadline);
    // True if it was discarded before. Errors: no_such_dead_letter; not_dead.
    [[nodiscard]] syncline::core::Result<bool> discard(std::string_view id, const OperatorRequest& request,
                                                       const syncline::core::Deadline& deadline);

private:
    [[nodiscard]] syncline::core::Result<DeadWebhookState> describe(DeadWebhook record,
                                                                    const std::vector<DeadWebhookAction>& actions);
    [[nodiscard]] syncline::core::Result<void> publish(MappedEvent event, const KeptWebhook& kept, const DeadWebhook& record,
                                                       const syncline::core::Deadline& deadline);
    [[nodiscard]] syncline::core::Result<void> note(const DeadWebhookState& letter, std::string_view verb, std::string action_id,
                                                    const OperatorRequest& request, const syncline::core::Deadline& deadline);

    const ShopDirectory& shops_;
    const WebhookMapping& mapping_;
    EventPublisher& publisher_;
    DeadLetterLog& log_;
    syncline::core::Clock& clock_;
};

// "3-17" ↔ partition 3, offset 17. Error: kind malformed, code "bad_dead_letter_id".
[[nodiscard]] syncline::core::Result<RecordPlace> place_from(std::string_view id);
[[nodiscard]] std::string id_of(const RecordPlace& place);

}  // namespace ingress
