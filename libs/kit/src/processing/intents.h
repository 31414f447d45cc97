// The right to act in the target: intents of many keys, taken and ended together.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/gather.h>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "src/processing/database.h"
#include "src/processing/task.h"
#include "src/store/intent_rows.h"

namespace syncline::kit {

class Intents {
public:
    // `ended` is told the external key of every shared intent that ended here: whoever waits for it may come.
    Intents(Database& database, store::Identity who, core::Clock& clock, std::chrono::milliseconds linger,
            std::chrono::milliseconds longest_request, std::function<void(const std::string&)> ended);

    // Blocks until it is decided. Errors: kind transient when it was given up (the assignment is abandoned); bug.
    [[nodiscard]] core::Result<store::IntentAnswer> acquire(store::IntentWish wish, AssignmentPtr home);
    // False: it was taken over meanwhile.
    [[nodiscard]] core::Result<bool> end_shared(store::SharedEnd end, AssignmentPtr home);
    // The lease ran out during a call: the document has to be read back after the target's longest request.
    void mark_verify(const std::string& external_key, const AssignmentPtr& home);

private:
    struct Request {
        std::variant<store::IntentWish, store::SharedEnd> what;
        AssignmentPtr home;
    };
    using Answer = core::Result<store::IntentAnswer>;  // Of an end: busy means lost.
    [[nodiscard]] std::vector<Answer> flush(const std::vector<Request>& requests);

    Database& database_;
    const store::Identity who_;
    core::Clock& clock_;
    const std::chrono::milliseconds longest_request_;
    const std::function<void(const std::string&)> ended_;
    std::unique_ptr<core::Gather<Request, Answer>> gather_;  // Last: its threads use the rest.
};

}  // namespace syncline::kit
