// What has to happen to the ticket of a cause, and what it says. Nothing in it is about a person: orders are named by shop and
// id.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/trouble.h"

namespace helpdesk_sync {

// Orders that wait for a cause now.
struct Affected {
    std::int64_t orders = 0;
    std::vector<std::string> some;  // The longest waiting ones, kNamedMax at most.
};
inline constexpr int kNamedMax = 20;

enum class TicketState : std::uint8_t { none, open, solved };

// The ticket of a cause as it was last written.
struct Ticket {
    TicketState state = TicketState::none;
    std::int64_t id = 0;        // The newest ticket; 0 while there was none.
    std::int64_t episode = 0;   // Counts the tickets of a cause; part of the key in the help desk.
    std::int64_t revision = 0;  // Counts what was written; names each comment.
    std::string told;           // What it says of who waits.
    core::SystemTime written_at;
    bool closed = false;  // The help desk takes no changes of it any more.
    friend bool operator==(const Ticket&, const Ticket&) = default;
};

struct Pace {
    std::chrono::milliseconds update_every{120'000};      // Between two writes to one ticket.
    std::chrono::milliseconds reopen_within{86'400'000};  // After being solved; later, the cause gets a new ticket.
};

enum class Action : std::uint8_t { nothing, create, comment, solve, reopen };
[[nodiscard]] std::string_view to_string(Action action);

// When the ticket may be written next; nothing: at once.
[[nodiscard]] std::optional<core::SystemTime> not_before(const Ticket& ticket, const Pace& pace, core::SystemTime now);
[[nodiscard]] Action next_action(const Ticket& ticket, const Affected& affected, const Pace& pace, core::SystemTime now);
// The ticket once that is done; `id` is the help desk's.
[[nodiscard]] Ticket after(const Ticket& ticket, Action action, const Affected& affected, std::int64_t id, core::SystemTime now);
// The ticket when the help desk says that it is closed or gone: what still waits gets a new one.
[[nodiscard]] Ticket lost(const Ticket& ticket, bool gone);

// "3 orders: eu/1, eu/2, us/1"
[[nodiscard]] std::string summary(const Affected& affected);

// A deterministic key of the cause's next or present ticket: "syncline.main.<cause>.2".
[[nodiscard]] std::string external_id(const std::string& helpdesk, const Cause& cause, std::int64_t episode);
[[nodiscard]] std::string subject_of(const Cause& cause);
// The first comment: the cause and the order that was the first to be told of, nothing that changes while it is sent again.
[[nodiscard]] std::string opening(const Cause& cause, const OrderKey& first, std::int64_t earlier_ticket);
// A later comment; it ends with mark_of() of its revision.
[[nodiscard]] std::string comment_for(Action action, const Affected& affected, const std::string& mark);
[[nodiscard]] std::string mark_of(const std::string& external_id, std::int64_t revision);

}  // namespace helpdesk_sync
