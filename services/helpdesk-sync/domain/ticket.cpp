#include "domain/ticket.h"

#include <algorithm>

namespace helpdesk_sync {
namespace {

std::string_view what_happened(Trouble trouble) {
    switch (trouble) {
        case Trouble::order_held:
            return "Orders wait";
        case Trouble::order_failed:
            return "Orders were refused";
        case Trouble::refund_held:
            return "Refunds wait";
        case Trouble::refund_failed:
            return "Refunds were refused";
    }
    return "Orders wait";
}

std::string_view what_to_do(const Cause& cause) {
    if (cause.trouble == Trouble::order_failed || cause.trouble == Trouble::refund_failed) {
        return "They stand in the dead letters: correct the cause and replay them, or discard them with a reason "
               "(synclinectl dlq list). This ticket is solved when they have arrived.";
    }
    if (cause.waits_for.empty()) {
        return "A person has to decide: look at each order and release or override it (synclinectl hold list). "
               "This ticket is solved when nothing waits any more.";
    }
    return "They go on by themselves as soon as it is there. This ticket is solved when nothing waits any more.";
}

}  // namespace

std::string_view to_string(Action action) {
    switch (action) {
        case Action::nothing:
            return "nothing";
        case Action::create:
            return "create";
        case Action::comment:
            return "comment";
        case Action::solve:
            return "solve";
        case Action::reopen:
            return "reopen";
    }
    return "nothing";
}

std::optional<core::SystemTime> not_before(const Ticket& ticket, const Pace& pace, core::SystemTime now) {
    const auto next = ticket.written_at + pace.update_every;
    return ticket.state != TicketState::none && !ticket.closed && now < next ? std::optional(next) : std::nullopt;
}

Action next_action(const Ticket& ticket, const Affected& affected, const Pace& pace, core::SystemTime now) {
    if (ticket.state == TicketState::open && !ticket.closed) {
        if (affected.orders == 0) {
            return Action::solve;
        }
        return ticket.told == summary(affected) ? Action::nothing : Action::comment;
    }
    if (affected.orders == 0) {
        return Action::nothing;
    }
    const bool recent = ticket.state == TicketState::solved && now - ticket.written_at < pace.reopen_within;
    return recent && !ticket.closed ? Action::reopen : Action::create;
}

Ticket after(const Ticket& ticket, Action action, const Affected& affected, std::int64_t id, core::SystemTime now) {
    auto next = ticket;
    if (action == Action::nothing) {
        return next;
    }
    next.state = action == Action::solve ? TicketState::solved : TicketState::open;
    next.id = id;
    next.episode += action == Action::create ? 1 : 0;
    ++next.revision;
    // The opening names one order alone.
    next.told = action == Action::create ? (affected.orders == 1 ? summary(affected) : std::string()) : summary(affected);
    next.written_at = now;
    next.closed = false;
    return next;
}

Ticket lost(const Ticket& ticket, bool gone) {
    auto next = ticket;
    next.closed = true;
    next.state = TicketState::solved;
    ++next.revision;
    if (gone) {
        next.id = 0;
    }
    return next;
}

std::string summary(const Affected& affected) {
    auto text = std::to_string(affected.orders) + (affected.orders == 1 ? " order" : " orders");
    for (std::size_t i = 0; i < affected.some.size(); ++i) {
        text += (i == 0 ? ": " : ", ") + affected.some[i];
    }
    const auto named = static_cast<std::int64_t>(affected.some.size());
    return affected.orders > named ? text + " and " + std::to_string(affected.orders - named) + " more" : text;
}

std::string external_id(const std::string& helpdesk, const Cause& cause, std::int64_t episode) {
    return "syncline." + helpdesk + "." + cause.id() + "." + std::to_string(episode);
}

std::string subject_of(const Cause& cause) {
    return std::string(what_happened(cause.trouble)) + " at " + cause.connection + ": " +
           (cause.waits_for.empty() ? cause.code : cause.waits_for);
}

std::string opening(const Cause& cause, const OrderKey& first, std::int64_t earlier_ticket) {
    auto text = std::string(what_happened(cause.trouble)) + " at " + cause.connection + ".\nReason: " + cause.code + "\n";
    if (!cause.waits_for.empty()) {
        text += "Waiting for: " + cause.waits_for + "\n";
    }
    text += "First told of: " + first.text() + "\n\n" + std::string(what_to_do(cause));
    return earlier_ticket == 0 ? text : text + "\nEarlier ticket of this cause: #" + std::to_string(earlier_ticket);
}

std::string comment_for(Action action, const Affected& affected, const std::string& mark) {
    std::string text;
    if (action == Action::solve) {
        text = "Nothing waits for this any more.";
    } else if (action == Action::reopen) {
        text = "It is back: " + summary(affected) + ".";
    } else {
        text = "Waiting now: " + summary(affected) + ".";
    }
    return text + "\n" + mark;
}

std::string mark_of(const std::string& external_id, std::int64_t revision) {
    return "[" + external_id + "/" + std::to_string(revision) + "]";
}

}  // namespace helpdesk_sync
