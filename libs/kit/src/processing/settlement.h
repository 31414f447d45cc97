// From the end of a run to the closing transaction that records it: every fate as rows. Pure but for ids and the clock given.
#pragma once

#include <syncline/core/clock.h>
#include <optional>
#include <string>

#include "src/processing/event.h"
#include "src/processing/fate.h"
#include "src/processing/handler_run.h"
#include "src/store/closing_rows.h"

namespace syncline::kit {

// Which event it was and how it came: a fresh record, or an event of a queue.
struct Subject {
    const Event& event;
    const TransportRecord& record;
    const store::ParkedEvent* parked = nullptr;  // Null: a fresh record.
    int attempts = 1;                            // This one included.
    std::optional<core::SystemTime> first_failed_at;
    bool alone = false;

    [[nodiscard]] store::Mode mode() const { return parked == nullptr ? store::Mode::normal : parked->mode; }
};

struct SettleContext {
    std::string group;
    core::SystemTime now;
    std::chrono::milliseconds longest_request;
};

// The handler succeeded or skipped.
[[nodiscard]] store::Closing settle_success(const SettleContext& context, const Subject& subject, RunResult&& result);
// A skip without a handler (a type nobody wants any more).
[[nodiscard]] store::Closing settle_skip(const SettleContext& context, const Subject& subject, std::string reason);
// How it waits in the queue of its key.
struct Wait {
    bool held = false;                   // Until something makes it due.
    std::chrono::milliseconds delay{0};  // Else: until the next attempt,
    bool firm = false;                   // which nothing makes come sooner.
};
// park and hold.
[[nodiscard]] store::Closing settle_waiting(const SettleContext& context, const Subject& subject, RunResult&& result,
                                            const core::Error& error, const Wait& wait);
[[nodiscard]] store::Closing settle_dead(const SettleContext& context, const Subject& subject, RunResult&& result,
                                         const core::Error& error);
// Behind a parked key: into its queue, which becomes due.
[[nodiscard]] store::Closing settle_append(const SettleContext& context, const Subject& subject);

}  // namespace syncline::kit
