#include "src/processing/event.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message_lite.h>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/kit/batch_events.h>
#include <algorithm>
#include <set>

namespace syncline::kit {
namespace {

bool is_uuid(std::string_view text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        // Lower case only: the store compares and returns ids in this form.
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

core::SystemTime time_of(std::string_view text) {
    return core::parse_rfc3339(text).value_or(core::SystemTime{});
}

core::Error wrong(std::string message) {
    return {.kind = core::ErrorKind::bug,
            .code = "handlers_wrong",
            .message = std::move(message),
            .hint = "mend the wiring of the service"};
}

}  // namespace

std::string place_of(const Position& position) {
    return position.topic + '/' + std::to_string(position.partition) + '/' + std::to_string(position.offset);
}

std::string event_id_of(std::string_view ce_id, const Position& position) {
    if (ce_id.empty()) {
        return core::uuid_v5(core::kSynclineNamespace, place_of(position));
    }
    return is_uuid(ce_id) ? std::string(ce_id) : core::uuid_v5(core::kSynclineNamespace, ce_id);
}

std::string_view header_value(const RecordHeaders& headers, std::string_view name) {
    for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
        if (header->first == name) {
            return header->second;
        }
    }
    return {};
}

std::size_t TransportRecord::bytes() const {
    std::size_t total = value.size() + (key ? key->size() : 0) + sizeof(TransportRecord);
    for (const auto& [name, text] : headers) {
        total += name.size() + text.size() + sizeof(headers.front());
    }
    return total;
}

core::Result<HandlerTable> HandlerTable::make(std::vector<HandlerSpec> handlers) {
    HandlerTable table;
    if (handlers.empty()) {
        return std::unexpected(wrong("there is no handler"));
    }
    table.group_ = handlers.front().consumer_group;
    for (auto& handler : handlers) {
        if (handler.type.empty() || handler.topic.empty() || handler.consumer_group.empty() || !handler.make || !handler.call) {
            return std::unexpected(wrong("a handler needs a type, a topic, a consumer group and a function: " + handler.type));
        }
        if (handler.consumer_group != table.group_) {
            return std::unexpected(wrong("all handlers of a service share one consumer group: " + handler.consumer_group));
        }
        if (handler.family == Family::snapshot && !handler.version) {
            return std::unexpected(wrong("a snapshot needs a version: " + handler.type));
        }
        auto place = std::pair(handler.topic, handler.type);
        if (!table.handlers_.emplace(std::move(place), std::move(handler)).second) {
            return std::unexpected(wrong("two handlers for one type of one topic"));
        }
    }
    return table;
}

const HandlerSpec* HandlerTable::find(std::string_view topic, std::string_view type) const {
    const auto found = handlers_.find(std::pair(std::string(topic), std::string(type)));
    return found == handlers_.end() ? nullptr : &found->second;
}

std::vector<std::string> HandlerTable::topics() const {
    std::set<std::string> topics;
    for (const auto& [place, handler] : handlers_) {
        topics.insert(place.first);
    }
    return {topics.begin(), topics.end()};
}

std::vector<std::string> HandlerTable::snapshot_types() const {
    std::vector<std::string> types;
    for (const auto& [place, handler] : handlers_) {
        if (handler.family == Family::snapshot) {
            types.push_back(handler.type);
        }
    }
    return types;
}

Event read_event(const TransportRecord& record, const HandlerTable& handlers) {
    Event event;
    auto& headers = event.headers;
    headers.id = header_value(record.headers, "ce_id");
    headers.type = header_value(record.headers, "ce_type");
    headers.source = header_value(record.headers, "ce_source");
    headers.subject = header_value(record.headers, "ce_subject");
    headers.correlation_id = header_value(record.headers, "ce_correlationid");
    headers.traceparent = header_value(record.headers, "traceparent");
    headers.time = time_of(header_value(record.headers, "ce_time"));
    headers.received_at = time_of(header_value(record.headers, "syncline-received-at"));
    // A record without a key belongs to nobody: it gets a lane of its own.
    headers.key = record.key ? store::storable(*record.key)
                             : "@" + std::to_string(record.position.partition) + '/' + std::to_string(record.position.offset);
    headers.topic = record.position.topic;
    headers.partition = record.position.partition;
    headers.offset = record.position.offset;
    event.row = {.event_id = event_id_of(headers.id, record.position),
                 .at = {record.position.topic, headers.key},
                 .type = headers.type,
                 .position = record.position};
    event.handler = handlers.find(record.position.topic, headers.type);
    return event;
}

bool parse_event(google::protobuf::MessageLite& message, std::string_view value) {
    google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(value.data()),
                                                 static_cast<int>(value.size()));
    input.SetRecursionLimit(64);
    return message.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

core::Result<void> decode(Event& event, const TransportRecord& record) {
    event.message = event.handler->make();
    if (!parse_event(*event.message, record.value)) {
        return core::fail(core::ErrorKind::malformed, "protobuf_malformed", "the value is not a " + event.handler->type);
    }
    if (event.handler->version) {
        event.version = event.handler->version(*event.message);
    }
    if (event.handler->resource) {
        event.resource = event.handler->resource(*event.message);
    }
    return {};
}

RecordHeaders cloud_event_headers(const OutgoingHeaders& headers) {
    RecordHeaders out{{"content-type", "application/protobuf"},
                      {"ce_specversion", "1.0"},
                      {"ce_id", headers.id},
                      {"ce_type", headers.type},
                      {"ce_source", headers.source},
                      {"ce_subject", headers.subject},
                      {"ce_time", core::format_rfc3339_utc(headers.time)},
                      {"ce_correlationid", headers.correlation_id}};
    if (!headers.traceparent.empty()) {
        out.emplace_back("traceparent", headers.traceparent);
    }
    if (headers.received_at != core::SystemTime{}) {
        out.emplace_back("syncline-received-at", core::format_rfc3339_utc(headers.received_at));
    }
    return out;
}

OutgoingRecord dead_letter_record(const store::DeadLetter& letter, std::string_view group) {
    OutgoingRecord record{
        .topic = "dead-letters.v1", .key = letter.record.key, .value = letter.record.value, .headers = letter.record.headers};
    const auto& position = letter.event.position;
    const auto partition = std::to_string(position.partition);
    const auto offset = std::to_string(position.offset);
    const auto add = [&](std::string name, std::string_view value) {
        record.headers.emplace_back(std::move(name), value);
    };
    add("syncline-dead-letter-id", letter.id);
    add("syncline-error-class", letter.error_class);
    add("syncline-error-code", letter.code);
    add("syncline-error-reason", letter.reason);
    add("syncline-attempts", std::to_string(letter.attempts));
    add("syncline-origin-topic", position.topic);
    add("syncline-origin-partition", partition);
    add("syncline-origin-offset", offset);
    add("syncline-group", group);
    add("syncline-first-failure", core::format_rfc3339_utc(letter.first_at));
    add("syncline-last-failure", core::format_rfc3339_utc(letter.last_at));
    // Kafka Connect's names, for tools that know them.
    add("__connect.errors.topic", position.topic);
    add("__connect.errors.partition", partition);
    add("__connect.errors.offset", offset);
    add("__connect.errors.connector.name", group);
    add("__connect.errors.task.id", "0");
    add("__connect.errors.stage", letter.error_class == "malformed" ? "VALUE_CONVERTER" : "TASK_PUT");
    add("__connect.errors.exception.class.name", letter.code);
    add("__connect.errors.exception.message", letter.reason);
    return record;
}

store::OutboxRow dead_letter_row(const store::DeadLetter& letter, std::string_view group, core::SystemTime now) {
    return {.id = core::uuid_v5(core::kSynclineNamespace, letter.id + '|' + std::to_string(now.time_since_epoch().count())),
            .aggregate_type = "dead-letters.v1",
            .aggregate_id = letter.event.at.key,
            .type = letter.event.type,
            .record = dead_letter_record(letter, group)};
}

}  // namespace syncline::kit
