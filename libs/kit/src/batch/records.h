// Records of a batch as their handler sees them, and what the kit makes of those that are bad: dead letters. Pure but for ids.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/batch.h>
#include <cstdint>
#include <string>
#include <vector>

#include "src/store/rows.h"

namespace syncline::kit {

enum class RecordUse : std::uint8_t { wanted, passed_over, malformed };

struct ReadRecord {
    RecordUse use = RecordUse::wanted;
    BatchRecord record;  // Its value points into the record that was read.
    core::Error error;   // Only of a malformed one.
};

// Malformed: no ce_type, a time that is none, another content type than Protobuf. A type nobody asked for is passed over,
// whatever else its headers say.
[[nodiscard]] ReadRecord read_record(const TransportRecord& record, const BatchHandler& handler);

struct LetterContext {
    std::string group;
    core::SystemTime now;
    std::string service;
};

// Its id comes from group and position: the same record is the same letter, however often it is read.
[[nodiscard]] store::DeadLetter batch_letter(const LetterContext& context, const TransportRecord& record,
                                             const EventHeaders& headers, const core::Error& error, int attempts);

// The events of an outcome; `occasion` names the transaction, so that no two of them give one id to two events.
[[nodiscard]] std::vector<store::OutboxRow> event_rows(const LetterContext& context, const BatchOutcome& outcome,
                                                       const std::string& occasion);

}  // namespace syncline::kit
