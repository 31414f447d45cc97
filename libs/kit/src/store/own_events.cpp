#include <google/protobuf/message_lite.h>

#include <syncline/kit/outbox.h>
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "src/processing/event.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {

core::Result<void> write_outbox(postgres::Transaction& tx, std::string_view service, core::SystemTime now,
                                std::span<const OwnEvent> events) {
    std::vector<store::OutboxRow> rows;
    rows.reserve(events.size());
    for (const auto& own : events) {
        const auto type = own.event->GetTypeName();
        store::OutboxRow row{.id = own.id, .aggregate_type = own.where.topic, .aggregate_id = own.where.key, .type = type};
        row.record = {.topic = own.where.topic, .key = own.where.key, .value = own.event->SerializeAsString(), .headers = {}};
        row.record.headers = cloud_event_headers({.id = own.id,
                                                  .type = type,
                                                  .source = "syncline/" + std::string(service),
                                                  .subject = own.where.subject,
                                                  .correlation_id = own.correlation_id.empty() ? own.id : own.correlation_id,
                                                  .traceparent = {},
                                                  .time = own.time == core::SystemTime{} ? now : own.time,
                                                  .received_at = now});
        rows.push_back(std::move(row));
    }
    std::vector<const store::OutboxRow*> pointers;
    pointers.reserve(rows.size());
    std::ranges::transform(rows, std::back_inserter(pointers), [](const auto& row) { return &row; });
    return store::insert_outbox(tx, now, pointers);
}

}  // namespace syncline::kit
