// One batch to its end: transactions that move the offset, halves where an error stands inside, dead letters.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "src/batch/meters.h"
#include "src/batch/partition.h"
#include "src/processing/database.h"
#include "src/processing/meters.h"
#include "src/store/closing_rows.h"

namespace syncline::kit {

struct BatchContext {
    Database& database;
    const store::Identity& who;
    core::Clock& clock;
    const std::string& service;
    const EventMeters& events;
    const BatchMeters& meters;
};

enum class BatchEnd : std::uint8_t {
    applied,
    not_ours,  // Another owner has gone on; what of the batch was not settled must be looked at anew.
    given_up,  // The partition was taken away, or the process ends.
    broken,    // PostgreSQL refuses the kit's own statements: only a restart helps.
};

struct BatchResult {
    BatchEnd end = BatchEnd::applied;
    std::size_t settled = 0;    // Records from the front that are done.
    bool wrote_outbox = false;  // The relay has something to do.
    std::optional<core::Error> error;
};

// Blocks until it is done, PostgreSQL's absences included. On the worker that has the partition. `limit`: as batch_limit() said.
[[nodiscard]] BatchResult run_batch(const BatchContext& context, BatchPartition& partition,
                                    std::span<const TransportRecord> records, std::int64_t limit);

}  // namespace syncline::kit
