// Events as records: CloudEvents 1.0 in Kafka binary mode.
#pragma once

#include <syncline/kafka/producer.h>
#include <string>

#include "app/ports.h"

namespace ingress {

// Any thread. The producer must outlive it.
class KafkaPublisher final : public EventPublisher {
public:
    // `prefix` is that of the installation with its dot, "syncline.".
    KafkaPublisher(syncline::kafka::Producer& producer, std::string prefix) : producer_(producer), prefix_(std::move(prefix)) {}
    [[nodiscard]] syncline::core::Result<void> publish(MappedEvent event, EventContext context, Done done) override;

private:
    syncline::kafka::Producer& producer_;
    const std::string prefix_;
};

// Whom the dead letters of ingress belong to, where others have a consumer group.
inline constexpr std::string_view kIngressGroup = "ingress";

// The record of an event, everything but the prefix of its topic.
[[nodiscard]] syncline::kafka::OutgoingRecord to_record(MappedEvent&& event, EventContext&& context);

}  // namespace ingress
