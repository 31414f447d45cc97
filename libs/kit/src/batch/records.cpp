#include "src/batch/records.h"

#include <google/protobuf/message_lite.h>

#include <fmt/format.h>
#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <algorithm>

#include "src/processing/event.h"

namespace syncline::kit {
namespace {

using core::ErrorKind;

constexpr std::string_view kContentType = "application/protobuf";

// False: there is text and it is no time.
bool read_time(std::string_view text, core::SystemTime& into) {
    if (text.empty()) {
        return true;
    }
    const auto time = core::parse_rfc3339(text);
    if (time) {
        into = *time;
    }
    return time.has_value();
}

}  // namespace

ReadRecord read_record(const TransportRecord& record, const BatchHandler& handler) {
    ReadRecord read;
    auto& headers = read.record.headers;
    read.record.value = record.value;
    std::string_view time;
    std::string_view received_at;
    std::string_view content_type;
    for (const auto& [name, value] : record.headers) {
        if (name == "ce_type") {
            headers.type = value;
        } else if (name == "ce_id") {
            headers.id = value;
        } else if (name == "ce_source") {
            headers.source = value;
        } else if (name == "ce_subject") {
            headers.subject = value;
        } else if (name == "ce_correlationid") {
            headers.correlation_id = value;
        } else if (name == "traceparent") {
            headers.traceparent = value;
        } else if (name == "ce_time") {
            time = value;
        } else if (name == "syncline-received-at") {
            received_at = value;
        } else if (name == "content-type") {
            content_type = value;
        }
    }
    headers.key = record.key ? store::storable(*record.key)
                             : "@" + std::to_string(record.position.partition) + '/' + std::to_string(record.position.offset);
    headers.topic = record.position.topic;
    headers.partition = record.position.partition;
    headers.offset = record.position.offset;
    const bool times_read = read_time(time, headers.time) && read_time(received_at, headers.received_at);
    const auto malformed = [&](std::string what) {
        read.use = RecordUse::malformed;
        read.error = {.kind = ErrorKind::malformed, .code = "headers_malformed", .message = std::move(what)};
    };
    if (headers.type.empty()) {
        malformed("the record has no ce_type");
    } else if (std::ranges::find(handler.types, headers.type) == handler.types.end()) {
        read.use = RecordUse::passed_over;
    } else if (!times_read) {
        malformed("ce_time or syncline-received-at is no time");
    } else if (!content_type.empty() && !content_type.starts_with(kContentType)) {
        malformed("the content type is not application/protobuf");
    }
    return read;
}

store::DeadLetter batch_letter(const LetterContext& context, const TransportRecord& record, const EventHeaders& headers,
                               const core::Error& error, int attempts) {
    const auto& position = record.position;
    return {.id = core::uuid_v5(core::kSynclineNamespace, "dead|" + context.group + "|@" + place_of(position)),
            .event = {.event_id = event_id_of(headers.id, position),
                      .at = {position.topic, headers.key},
                      .type = headers.type,
                      .position = position},
            .resource = {},
            .version = {},
            .error_class = std::string(core::to_string(error.kind)),
            .code = error.code,
            .reason = error.message,
            .attempts = attempts,
            .first_at = context.now,
            .last_at = context.now,
            .record = record};
}

std::vector<store::OutboxRow> event_rows(const LetterContext& context, const BatchOutcome& outcome, const std::string& occasion) {
    std::vector<store::OutboxRow> rows;
    rows.reserve(outcome.events.size());
    for (const auto& [where, event] : outcome.events) {
        const auto type = event->GetTypeName();
        const auto id =
            core::uuid_v5(core::kSynclineNamespace, fmt::format("batch|{}|{}|{}|{}", context.group, occasion, type, rows.size()));
        store::OutboxRow row{.id = id, .aggregate_type = where.topic, .aggregate_id = where.key, .type = type};
        row.record = {.topic = where.topic, .key = where.key, .value = event->SerializeAsString(), .headers = {}};
        row.record.headers = cloud_event_headers({.id = id,
                                                  .type = type,
                                                  .source = "syncline/" + context.service,
                                                  .subject = where.subject,
                                                  .correlation_id = id,
                                                  .traceparent = {},
                                                  .time = context.now,
                                                  .received_at = {}});
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace syncline::kit
