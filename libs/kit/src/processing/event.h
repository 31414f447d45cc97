// A record as an event: its CloudEvents headers, its handler, its message. Also the headers of what the kit publishes.
#pragma once

#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/handler.h>
#include <syncline/kit/transport.h>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/store/rows.h"

namespace syncline::kit {

struct Event {
    EventHeaders headers;
    store::EventRow row;
    const HandlerSpec* handler = nullptr;  // nullptr: nobody here wants this type.
    // Set by decode():
    std::shared_ptr<google::protobuf::MessageLite> message;
    Version version;
    std::string resource;
};

class HandlerTable {
public:
    // Errors: kind bug. Two handlers for one type of one topic, different groups, a handler without functions.
    [[nodiscard]] static core::Result<HandlerTable> make(std::vector<HandlerSpec> handlers);

    [[nodiscard]] const HandlerSpec* find(std::string_view topic, std::string_view type) const;
    [[nodiscard]] const std::string& group() const { return group_; }
    [[nodiscard]] std::vector<std::string> topics() const;
    [[nodiscard]] std::vector<std::string> snapshot_types() const;

private:
    std::string group_;
    std::map<std::pair<std::string, std::string>, HandlerSpec, std::less<>> handlers_;
};

// Never fails: what is missing stays empty, and the id of a record without one is made from its position.
[[nodiscard]] Event read_event(const TransportRecord& record, const HandlerTable& handlers);
// Parses the message and asks the handler for version and resource. Errors: kind malformed.
[[nodiscard]] core::Result<void> decode(Event& event, const TransportRecord& record);

// "orders.v1/3/1200": names a record everywhere.
[[nodiscard]] std::string place_of(const Position& position);
// The row id of an event: its ce_id, or a uuid made from it or from the place.
[[nodiscard]] std::string event_id_of(std::string_view ce_id, const Position& position);

struct OutgoingHeaders {
    std::string id;
    std::string type;
    std::string source;
    std::string subject;
    std::string correlation_id;
    std::string traceparent;
    core::SystemTime time;
    core::SystemTime received_at;
};
[[nodiscard]] RecordHeaders cloud_event_headers(const OutgoingHeaders& headers);

// The dead letter of an event as a record: key, value and headers of the original, the diagnosis in further headers.
[[nodiscard]] OutgoingRecord dead_letter_record(const store::DeadLetter& letter, std::string_view group);
// The same as a row of the outbox.
[[nodiscard]] store::OutboxRow dead_letter_row(const store::DeadLetter& letter, std::string_view group, core::SystemTime now);

}  // namespace syncline::kit
