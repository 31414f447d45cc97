#include "adapters/kafka_publisher.h"

#include <syncline/core/time.h>
#include <utility>

namespace ingress {

namespace core = syncline::core;
namespace kafka = syncline::kafka;

namespace {

// While tracing is off the event's own id serves as trace id, so that logs of all services still meet.
std::string traceparent_from(std::string_view event_id) {
    std::string digits;
    digits.reserve(32);
    for (const char c : event_id) {
        if (c != '-') {
            digits.push_back(c);
        }
    }
    return "00-" + digits + "-" + digits.substr(digits.size() / 2) + "-00";
}

// The names that the service kit gives a dead letter, and Kafka Connect's beside them.
void add_diagnosis(kafka::Headers& headers, const MappedEvent& event, const EventContext& context) {
    const auto failed_at = core::format_rfc3339_utc(context.received_at);
    headers.push_back({"syncline-error-class", "malformed"});
    headers.push_back({"syncline-error-code", event.code});
    headers.push_back({"syncline-error-reason", event.reason});
    headers.push_back({"syncline-attempts", "1"});
    headers.push_back({"syncline-group", std::string(kIngressGroup)});
    headers.push_back({"syncline-first-failure", failed_at});
    headers.push_back({"syncline-last-failure", failed_at});
    headers.push_back({"__connect.errors.connector.name", std::string(kIngressGroup)});
    headers.push_back({"__connect.errors.stage", "VALUE_CONVERTER"});
    headers.push_back({"__connect.errors.exception.class.name", event.code});
    headers.push_back({"__connect.errors.exception.message", event.reason});
}

}  // namespace

kafka::OutgoingRecord to_record(MappedEvent&& event, EventContext&& context) {
    kafka::OutgoingRecord record;
    record.headers.reserve(24);
    auto add = [&](const char* name, std::string value) {
        record.headers.push_back({name, std::move(value)});
    };
    if (context.traceparent.empty()) {
        context.traceparent = traceparent_from(event.id);
    }
    add("content-type", "application/protobuf");
    add("ce_specversion", "1.0");
    add("ce_id", std::move(event.id));
    add("ce_type", std::string(event.type));
    add("ce_source", std::move(context.source));
    add("ce_subject", std::move(event.subject));
    add("ce_time", core::format_rfc3339_utc(event.time));
    add("ce_correlationid", std::move(context.correlation_id));
    add("traceparent", std::move(context.traceparent));
    add("syncline-received-at", core::format_rfc3339_utc(context.received_at));
    if (!event.code.empty()) {
        add_diagnosis(record.headers, event, context);
    }
    record.topic = event.topic;
    record.key = std::move(event.key);
    record.value = std::move(event.value);
    return record;
}

core::Result<void> KafkaPublisher::publish(MappedEvent event, EventContext context, Done done) {
    auto record = to_record(std::move(event), std::move(context));
    record.topic.insert(0, prefix_);
    return producer_.produce(record, [done = std::move(done)](core::Result<kafka::Position> at) mutable {
        if (at) {
            done(RecordPlace{.partition = at->partition, .offset = at->offset});
        } else {
            done(std::unexpected(std::move(at.error())));
        }
    });
}

}  // namespace ingress
