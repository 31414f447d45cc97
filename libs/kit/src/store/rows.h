// What the kit stores, as values: one struct for each kind of row. No logic.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/handler.h>
#include <syncline/kit/transport.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace syncline::kit::store {

// The consumer group as a number of four bytes: it stands in every row.
[[nodiscard]] std::int32_t group_number(std::string_view group);

// Where a key lives: keys of different topics have nothing to do with each other.
struct KeyOf {
    std::string topic;
    std::string key;
    friend auto operator<=>(const KeyOf&, const KeyOf&) = default;
};

// What identifies an event everywhere in the kit's tables.
struct EventRow {
    std::string event_id;  // uuid
    KeyOf at;
    std::string type;
    Position position;
};

enum class InboxState : std::uint8_t { done, skipped, parked, held, dead };
[[nodiscard]] std::string_view to_string(InboxState state) noexcept;

struct InboxWrite {
    EventRow event;
    InboxState state = InboxState::done;
    std::string reason;
    bool known = false;  // There is a row already (a parked event, a timer): it is changed instead of inserted.
};

// How a parked event is run.
enum class Mode : std::uint8_t { normal, timer, verify, redrive };
[[nodiscard]] std::string_view to_string(Mode mode) noexcept;
[[nodiscard]] Mode mode_from(std::string_view text) noexcept;

// Why an event waits.
struct Waiting {
    bool held = false;
    core::ErrorKind kind = core::ErrorKind::conflict;
    std::string code;
    std::string reason;
    std::string waits_for;
    core::Figures figures;
    friend bool operator==(const Waiting&, const Waiting&) = default;
};

struct ParkedEvent {
    std::int64_t seq = 0;
    EventRow event;
    Family family = Family::fact;
    std::string resource;
    Version version;
    Mode mode = Mode::normal;
    Waiting waiting;
    std::string override_code;
    int attempts = 0;
    int crash_tries = 0;
    core::SystemTime first_at{};
    core::SystemTime last_at{};
    std::optional<core::SystemTime> due_at;      // Empty: held, until something makes it due.
    std::optional<core::SystemTime> not_before;  // Nothing makes it due sooner: what was sent may still arrive.
    TransportRecord record;
};

struct DeadLetter {
    std::string id;  // uuid
    EventRow event;
    Family family = Family::fact;
    std::string resource;
    Version version;
    std::string error_class;
    std::string code;
    std::string reason;
    int attempts = 0;
    core::SystemTime first_at{};
    core::SystemTime last_at{};
    TransportRecord record;
};

struct OutboxRow {
    std::string id;  // uuid
    std::string aggregate_type;
    std::string aggregate_id;
    std::string type;
    OutgoingRecord record;
    std::int64_t seq = 0;      // Set when read.
    std::int64_t version = 0;  // Set when stored.
    core::SystemTime created_at{};
};

struct TimerRow {
    EventRow event;
    Family family = Family::fact;
    std::string reason;
    core::SystemTime due_at;
};

// The end of an intent of an event; must still be ours.
struct IntentClose {
    std::string external_key;
    Version version;
    EffectRecord record;
    Position position;
    bool verified = false;  // It was the verification: nothing is left to look at.
};

struct IntentRelease {
    std::string external_key;
    core::SystemTime lease_until;
};

// Base64-free and exact: name and value with their lengths.
[[nodiscard]] std::string pack_headers(const RecordHeaders& headers);
[[nodiscard]] RecordHeaders unpack_headers(std::string_view bytes);

// Text as PostgreSQL can store it: valid UTF-8 without NUL as it is, anything else as "hex:…".
[[nodiscard]] std::string storable(std::string_view text);

}  // namespace syncline::kit::store
