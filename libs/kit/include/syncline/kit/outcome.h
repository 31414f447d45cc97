// What a handler answers. The kit alone turns it into a fate; docs/architecture.md has the table.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <string>
#include <utility>
#include <variant>

namespace syncline::kit {

class [[nodiscard]] Outcome {
public:
    struct Done {};
    struct DoneUntil {
        core::SystemTime at;
        std::string reason;
    };
    struct Skipped {
        std::string reason;
    };
    using Failed = core::Error;

    // Everything that had to happen has happened.
    static Outcome done() { return Outcome(Done{}); }
    // Done now; the handler runs again with the newest snapshot of this key at that time. Blocks nothing.
    static Outcome done_until(core::SystemTime at, std::string reason) { return Outcome(DoneUntil{at, std::move(reason)}); }
    // Nothing had to happen, and why: a snake_case word from a bounded set ("test_order", "unchanged", "superseded").
    static Outcome skip(std::string reason) { return Outcome(Skipped{std::move(reason)}); }
    static Outcome failed(core::Error error) { return Outcome(Failed{std::move(error)}); }

    [[nodiscard]] const std::variant<Done, DoneUntil, Skipped, Failed>& value() const { return value_; }
    [[nodiscard]] bool ok() const { return !std::holds_alternative<Failed>(value_); }

private:
    explicit Outcome(std::variant<Done, DoneUntil, Skipped, Failed> value) : value_(std::move(value)) {}
    std::variant<Done, DoneUntil, Skipped, Failed> value_;
};

}  // namespace syncline::kit
