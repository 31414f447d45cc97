// Batches of messages instead of bytes.
//
//   service.on_batch(kit::batch_of<StockReported, StockAdjusted>({
//       .topic = topics::inventory,
//       .consumer_group = "inventory-sync.main.v1",
//       .apply = [&](std::span<const kit::BatchEvent<StockReported, StockAdjusted>> events, postgres::Transaction& tx)
//                    -> core::Result<kit::BatchOutcome> {
//           for (const auto& event : events) {
//               if (const auto* report = event.template get<StockReported>()) { … }
//           }
//           …
//       },
//   }));
//
// A value that is not a message of its type is a dead letter (malformed, "protobuf_malformed") and never reaches `apply`. The
// messages live on one arena for the call. Everything else is as in batch.h; the index of a bad record counts in `events`.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>

#include <syncline/kit/batch.h>
#include <string>
#include <variant>

namespace syncline::kit {

// Reads the whole value, nested 64 deep at most. False: it is no such message.
[[nodiscard]] bool parse_event(google::protobuf::MessageLite& message, std::string_view value);

template <typename... Events>
struct BatchEvent {
    const EventHeaders* headers = nullptr;  // Never null in `apply`.
    std::variant<const Events*...> message;
    // nullptr: it is of another type.
    template <typename Event>
    [[nodiscard]] const Event* get() const {
        const auto* held = std::get_if<const Event*>(&message);
        return held == nullptr ? nullptr : *held;
    }
};

template <typename... Events>
struct BatchOf {
    std::string topic;
    std::string consumer_group;
    std::size_t records_max = 5'000;
    std::function<core::Result<BatchOutcome>(std::span<const BatchEvent<Events...>>, postgres::Transaction&)> apply;
};

template <typename... Events>
[[nodiscard]] BatchHandler batch_of(BatchOf<Events...> typed) {
    BatchHandler handler;
    handler.topic = std::move(typed.topic);
    handler.consumer_group = std::move(typed.consumer_group);
    handler.types = {Events::descriptor()->full_name()...};
    handler.records_max = typed.records_max;
    handler.apply = [apply = std::move(typed.apply), types = handler.types](
                        std::span<const BatchRecord> records, postgres::Transaction& tx) -> core::Result<BatchOutcome> {
        google::protobuf::Arena arena;
        std::vector<BatchEvent<Events...>> events;
        std::vector<std::size_t> places;  // In `records`, of each event.
        std::vector<BadRecord> unreadable;
        events.reserve(records.size());
        places.reserve(records.size());
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto& record = records[i];
            BatchEvent<Events...> event{.headers = &record.headers, .message = {}};
            bool read = false;
            std::size_t type = 0;
            const auto read_as = [&]<typename Event>() {
                if (record.headers.type == types[type++]) {
                    auto* message = google::protobuf::Arena::CreateMessage<Event>(&arena);
                    read = parse_event(*message, record.value);
                    event.message = static_cast<const Event*>(message);
                    return true;
                }
                return false;
            };
            static_cast<void>((read_as.template operator()<Events>() || ...));
            if (!read) {
                unreadable.push_back({i, core::Error{.kind = core::ErrorKind::malformed,
                                                     .code = "protobuf_malformed",
                                                     .message = "the value is not a " + record.headers.type}});
                continue;
            }
            events.push_back(std::move(event));
            places.push_back(i);
        }
        auto outcome = events.empty() ? core::Result<BatchOutcome>(BatchOutcome{}) : apply(events, tx);
        if (!outcome) {
            return outcome;
        }
        for (auto& bad : outcome->bad) {
            if (bad.index >= places.size()) {
                return core::fail(core::ErrorKind::bug, "bad_index", "a bad record is named that the batch does not have");
            }
            bad.index = places[bad.index];
        }
        outcome->bad.insert(outcome->bad.end(), std::make_move_iterator(unreadable.begin()),
                            std::make_move_iterator(unreadable.end()));
        return outcome;
    };
    return handler;
}

}  // namespace syncline::kit
