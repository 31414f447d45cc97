// The closing transaction of many events at once. settle() blocks its caller until the batch it went into is settled.
//
// A batch with an event that must not be written (another owner, a lost intent, a duplicate) is written without it; a batch
// that PostgreSQL refuses is written event by event, so that only the bad one fails; a commit in doubt is looked up.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/gather.h>
#include <memory>
#include <vector>

#include "src/processing/database.h"
#include "src/processing/task.h"
#include "src/store/closing_rows.h"

namespace syncline::kit {

struct ClosingRequest {
    store::Closing closing;
    AssignmentPtr home;  // Its `abandoned` ends the waiting for a database that is away.
};

class ClosingDesk {
public:
    ClosingDesk(Database& database, store::Identity who, core::Clock& clock, std::chrono::milliseconds linger);

    // Errors: kind bug or rejected, what PostgreSQL said about this event's rows; kind transient when it was given up.
    [[nodiscard]] core::Result<store::ClosingAnswer> settle(ClosingRequest request);

private:
    using Answer = core::Result<store::ClosingAnswer>;
    [[nodiscard]] std::vector<Answer> flush(const std::vector<ClosingRequest>& requests);
    // Writes those of `indexes`, and fills their answers.
    void write(const std::vector<ClosingRequest>& requests, std::vector<std::size_t> indexes, std::vector<Answer>& answers);
    [[nodiscard]] core::Result<store::ClosingBatchAnswer> write_once(const std::vector<const store::Closing*>& closings);

    Database& database_;
    const store::Identity who_;
    core::Clock& clock_;
    std::unique_ptr<core::Gather<ClosingRequest, Answer>> gather_;  // Last: its threads use the rest.
};

}  // namespace syncline::kit
