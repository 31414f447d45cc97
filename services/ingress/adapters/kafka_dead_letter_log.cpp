#include "adapters/kafka_dead_letter_log.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/dead_letter_action.pb.h>
#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/topics.h>

#include "adapters/kafka_publisher.h"

namespace ingress {

namespace core = syncline::core;
namespace kafka = syncline::kafka;
namespace topics = syncline::topics;
using syncline::common::v1::DeadLetterAction;

namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

std::string header_of(const kafka::Record& record, std::string_view name) {
    const auto value = record.header(name);
    return value ? std::string(*value) : std::string();
}

// Nothing if the record is another service's: dead letters of all share the topic.
std::optional<DeadWebhook> own_dead_letter(kafka::Record&& record) {
    if (header_of(record, "ce_type") != syncline::orders::v1::UnmappableWebhook::descriptor()->full_name() || !record.value) {
        return std::nullopt;
    }
    DeadWebhook dead{.at = {.partition = record.partition, .offset = record.offset},
                     .key = record.key.value_or(std::string()),
                     .event_id = header_of(record, "ce_id"),
                     .correlation_id = header_of(record, "ce_correlationid"),
                     .code = header_of(record, "syncline-error-code"),
                     .reason = header_of(record, "syncline-error-reason"),
                     .failed_at = record.timestamp};
    if (const auto at = core::parse_rfc3339(header_of(record, "syncline-last-failure"))) {
        dead.failed_at = *at;
    }
    dead.value = std::move(*record.value);
    return dead;
}

}  // namespace

core::Result<DeadWebhook> KafkaDeadLetterLog::read(RecordPlace at, const core::Deadline& deadline) {
    auto record = fetcher_.read(prefix_ + topics::dead_letters, at.partition, at.offset, deadline);
    if (!record && record.error().code != "offset_gone" && record.error().code != "offset_not_written") {
        return std::unexpected(std::move(record.error()));
    }
    if (record) {
        if (auto dead = own_dead_letter(std::move(*record))) {
            return std::move(*dead);
        }
    }
    return core::fail(core::ErrorKind::not_ready, "no_such_dead_letter",
                      "ingress has no dead letter of that id; they are kept 30 days");
}

core::Result<std::vector<DeadWebhook>> KafkaDeadLetterLog::list(int records_max, const core::Deadline& deadline) {
    auto records = fetcher_.tail(prefix_ + topics::dead_letters, records_max, deadline);
    if (!records) {
        return std::unexpected(std::move(records.error()));
    }
    std::vector<DeadWebhook> dead;
    for (auto& record : *records) {
        if (auto own = own_dead_letter(std::move(record))) {
            dead.push_back(std::move(*own));
        }
    }
    return dead;
}

core::Result<std::vector<DeadWebhookAction>> KafkaDeadLetterLog::actions(int records_max, const core::Deadline& deadline) {
    const auto records = fetcher_.tail(prefix_ + topics::dead_letter_actions, records_max, deadline);
    if (!records) {
        return std::unexpected(records.error());
    }
    std::vector<DeadWebhookAction> actions;
    for (const auto& record : *records) {
        DeadLetterAction message;
        if (!record.value || !message.ParseFromString(*record.value) || message.group() != kIngressGroup) {
            continue;
        }
        actions.push_back(
            {.action_id = message.action_id(),
             .dead_letter_id = message.dead_letter_id(),
             .verb = message.verb(),
             .actor = message.actor(),
             .reason = message.reason(),
             .acted_at = core::time_from_nanos(message.acted_at().seconds() * kNanosPerSecond + message.acted_at().nanos())});
    }
    return actions;
}

core::Result<void> KafkaDeadLetterLog::record(const DeadWebhookAction& action, std::string_view key,
                                              const core::Deadline& deadline) {
    DeadLetterAction message;
    message.set_action_id(action.action_id);
    message.set_dead_letter_id(action.dead_letter_id);
    message.set_group(std::string(kIngressGroup));
    message.set_verb(action.verb);
    message.set_actor(action.actor);
    message.set_reason(action.reason);
    const auto nanos = core::nanos_since_epoch(action.acted_at);
    message.mutable_acted_at()->set_seconds(nanos / kNanosPerSecond);
    message.mutable_acted_at()->set_nanos(static_cast<std::int32_t>(nanos % kNanosPerSecond));

    MappedEvent event;
    event.topic = topics::dead_letter_actions;
    event.type = DeadLetterAction::descriptor()->full_name();
    event.key = key;
    event.id = action.action_id;
    event.subject = "dead-letter/" + action.dead_letter_id;
    event.time = action.acted_at;
    message.SerializeToString(&event.value);
    auto record =
        to_record(std::move(event), {.correlation_id = action.action_id, .source = "/ingress", .received_at = action.acted_at});
    record.topic.insert(0, prefix_);
    const auto sent = producer_.send(record, deadline);
    if (!sent) {
        return std::unexpected(sent.error());
    }
    return {};
}

}  // namespace ingress
