// One call of a handler: the Delivery it sees, and what it left behind.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/outcome.h>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "src/processing/event.h"
#include "src/processing/intents.h"
#include "src/processing/task.h"
#include "src/store/rows.h"

namespace syncline::kit {

// What all runs of a processor share.
struct RunContext {
    core::Clock& clock;
    Intents& intents;
    std::string service;
    std::chrono::milliseconds call_deadline;
    std::chrono::milliseconds lease_margin;
    std::chrono::milliseconds longest_request;
};

struct RunRequest {
    const Event& event;
    AssignmentPtr home;
    store::Mode mode = store::Mode::normal;
    int attempt = 1;
    std::string override_code;
    // What tells this run from others of the same event (a timer's, say): part of the ids of what it publishes.
    std::string run_name;
};

// An intent of scope event whose lease this run holds.
struct TakenIntent {
    std::string external_key;
    Version version;
    EffectRecord record;
    bool succeeded = false;
    bool unknown = false;  // The call may have been carried out, and the target would do it twice.
};

struct RunResult {
    Outcome outcome = Outcome::done();
    std::vector<RowWrite> rows;
    std::vector<store::OutboxRow> published;
    std::vector<store::OutboxRow> published_if_held;
    std::vector<store::OutboxRow> published_if_dead;
    std::vector<TakenIntent> intents;
    bool abandoned = false;        // The assignment went away; nothing of this may be written.
    bool target_answered = false;  // A call came back with an answer, good or bad.
    bool creates_once = false;     // The effect whose outcome is unknown creates once.
    bool lease_busy = false;
    std::string busy_key;
    core::SystemTime busy_until{};
    std::chrono::nanoseconds took{0};
};

// Blocks for the handler. Never throws: an exception is an outcome of kind bug.
[[nodiscard]] RunResult run_handler(const RunContext& context, const RunRequest& request);

}  // namespace syncline::kit
