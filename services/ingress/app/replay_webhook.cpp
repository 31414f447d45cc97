#include "app/replay_webhook.h"

#include <syncline/core/parse.h>
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "app/receive_webhook.h"

namespace ingress {

namespace core = syncline::core;

namespace {

// Of each partition; older ones are reached by their id.
constexpr int kRecordsLookedAtMax = 2'000;

// Hands the publisher's answer to the thread that waits for it; outlives a waiter that has given up.
struct Answer {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<core::Result<RecordPlace>> place;
};

}  // namespace

core::Result<RecordPlace> place_from(std::string_view id) {
    const auto dash = id.find('-');
    if (dash != std::string_view::npos) {
        const auto partition = core::parse_int<std::int32_t>(id.substr(0, dash));
        const auto offset = core::parse_int<std::int64_t>(id.substr(dash + 1));
        if (partition && offset && *partition >= 0 && *offset >= 0) {
            return RecordPlace{.partition = *partition, .offset = *offset};
        }
    }
    return core::fail(core::ErrorKind::malformed, "bad_dead_letter_id", "a dead letter of ingress is named <partition>-<offset>");
}

std::string id_of(const RecordPlace& place) {
    return std::to_string(place.partition) + '-' + std::to_string(place.offset);
}

core::Result<DeadWebhookState> ReplayWebhook::describe(DeadWebhook record, const std::vector<DeadWebhookAction>& actions) {
    auto kept = mapping_.reopen(record.value);
    if (!kept) {
        return std::unexpected(std::move(kept.error()));
    }
    DeadWebhookState state{.id = id_of(record.at), .shop = kept->shop, .topic = kept->topic, .path = kept->path, .state = "dead"};
    for (const auto& action : actions) {
        if (action.dead_letter_id == state.id) {
            state.state = action.verb == "discard" ? "discarded" : "replayed";
            state.settled_by = action.action_id;
        }
    }
    state.record = std::move(record);
    return state;
}

core::Result<std::vector<DeadWebhookState>> ReplayWebhook::list(const DeadWebhookFilter& filter, const core::Deadline& deadline) {
    auto records = log_.list(kRecordsLookedAtMax, deadline);
    if (!records) {
        return std::unexpected(std::move(records.error()));
    }
    const auto actions = log_.actions(kRecordsLookedAtMax, deadline);
    if (!actions) {
        return std::unexpected(actions.error());
    }
    std::vector<DeadWebhookState> states;
    for (auto& record : *records) {
        if ((!filter.code.empty() && record.code != filter.code) || (!filter.key.empty() && record.key != filter.key)) {
            continue;
        }
        if (filter.since && record.failed_at < *filter.since) {
            continue;
        }
        auto state = describe(std::move(record), *actions);
        if (state && (filter.shop.empty() || state->shop == filter.shop) &&
            (filter.state.empty() || state->state == filter.state)) {
            states.push_back(std::move(*state));
        }
    }
    std::ranges::stable_sort(states, [](const auto& a, const auto& b) { return a.record.failed_at > b.record.failed_at; });
    if (states.size() > filter.limit) {
        states.resize(filter.limit);
    }
    return states;
}

core::Result<DeadWebhookState> ReplayWebhook::show(std::string_view id, const core::Deadline& deadline) {
    const auto place = place_from(id);
    if (!place) {
        return std::unexpected(place.error());
    }
    auto record = log_.read(*place, deadline);
    if (!record) {
        return std::unexpected(std::move(record.error()));
    }
    const auto actions = log_.actions(kRecordsLookedAtMax, deadline);
    if (!actions) {
        return std::unexpected(actions.error());
    }
    return describe(std::move(*record), *actions);
}

core::Result<ReplayedWebhook> ReplayWebhook::replay(std::string_view id, const OperatorRequest& request, bool dry_run,
                                                    const core::Deadline& deadline) {
    const auto letter = show(id, deadline);
    if (!letter) {
        return std::unexpected(letter.error());
    }
    const auto action_id = "replay/" + letter->id + '/' + request.replay_id;
    if (letter->settled_by == action_id) {
        return ReplayedWebhook{.repeated = true};
    }
    if (letter->state != "dead") {
        return core::fail(core::ErrorKind::conflict, "not_dead", "the dead letter is " + letter->state);
    }
    auto kept = mapping_.reopen(letter->record.value);
    if (!kept) {
        return std::unexpected(std::move(kept.error()));
    }
    ReceivedWebhook again;
    again.shop = shops_.by_alias(kept->shop);
    if (!again.shop) {
        return core::fail(core::ErrorKind::rejected, "unknown_shop", "the shop of this webhook is not configured any more",
                          "put it back into shops.yaml, or discard the dead letter");
    }
    again.topic = kept->topic;
    again.triggered_at = kept->triggered_at;
    again.event_id = kept->event_id;
    again.webhook_id = kept->webhook_id;
    again.api_version = kept->api_version;
    again.received_at = kept->received_at;
    const auto webhook = view_of(again);
    if (webhook.topic == WebhookTopic::other) {
        return core::fail(core::ErrorKind::rejected, "topic_without_event", "nobody consumes this topic");
    }
    auto event = mapping_.map(webhook, std::move(kept->body));
    if (!event) {
        return std::unexpected(std::move(event.error()));
    }
    ReplayedWebhook replayed{.event_id = event->id, .type = std::string(event->type), .key = event->key};
    if (dry_run) {
        return replayed;
    }
    // First the event, then the note: an operator who presses again after a failure between the two repeats an event, and that is
    // absorbed; the other way round it would be lost.
    if (auto published = publish(std::move(*event), *kept, letter->record, deadline); !published) {
        return std::unexpected(std::move(published.error()));
    }
    if (auto noted = note(*letter, "replay", action_id, request, deadline); !noted) {
        return std::unexpected(std::move(noted.error()));
    }
    return replayed;
}

core::Result<void> ReplayWebhook::publish(MappedEvent event, const KeptWebhook& kept, const DeadWebhook& record,
                                          const core::Deadline& deadline) {
    const auto answer = std::make_shared<Answer>();
    EventContext context{
        .correlation_id = record.correlation_id, .source = source_of(kept.shop), .received_at = kept.received_at};
    const auto accepted = publisher_.publish(std::move(event), std::move(context), [answer](core::Result<RecordPlace> at) {
        {
            const std::lock_guard lock(answer->mutex);
            answer->place = std::move(at);
        }
        answer->wake.notify_all();
    });
    if (!accepted) {
        return accepted;
    }
    std::unique_lock lock(answer->mutex);
    if (!clock_.wait_until(lock, answer->wake, deadline.at(), [&] { return answer->place.has_value(); })) {
        return core::fail(core::ErrorKind::transient, "acknowledge_timeout", "the brokers have not acknowledged in time",
                          "press again");
    }
    if (!*answer->place) {
        return std::unexpected(answer->place->error());
    }
    return {};
}

core::Result<bool> ReplayWebhook::discard(std::string_view id, const OperatorRequest& request, const core::Deadline& deadline) {
    const auto letter = show(id, deadline);
    if (!letter) {
        return std::unexpected(letter.error());
    }
    if (letter->state == "discarded") {
        return true;
    }
    if (letter->state != "dead") {
        return core::fail(core::ErrorKind::conflict, "not_dead", "the dead letter is " + letter->state);
    }
    if (auto noted = note(*letter, "discard", "discard/" + letter->id, request, deadline); !noted) {
        return std::unexpected(std::move(noted.error()));
    }
    return false;
}

core::Result<void> ReplayWebhook::note(const DeadWebhookState& letter, std::string_view verb, std::string action_id,
                                       const OperatorRequest& request, const core::Deadline& deadline) {
    return log_.record({.action_id = std::move(action_id),
                        .dead_letter_id = letter.id,
                        .verb = std::string(verb),
                        .actor = request.actor,
                        .reason = request.reason,
                        .acted_at = clock_.now()},
                       letter.record.key, deadline);
}

}  // namespace ingress
