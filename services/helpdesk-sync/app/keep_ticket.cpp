#include "app/keep_ticket.h"

#include <syncline/core/parse.h>

namespace helpdesk_sync {

using kit::Outcome;

Outcome KeepTicket::run(const Cause& cause, const OrderKey& order, kit::Delivery& delivery) {
    auto ticket = ports_.tickets.find(cause);
    if (!ticket) {
        return Outcome::failed(std::move(ticket.error()));
    }
    const auto now = ports_.clock.now();
    if (const auto later = not_before(*ticket, pace_, now)) {
        return Outcome::done_until(*later, "gathering");
    }
    const auto affected = ports_.tickets.affected(cause);
    if (!affected) {
        return Outcome::failed(affected.error());
    }
    auto action = next_action(*ticket, *affected, pace_, now);
    if (action == Action::nothing && ticket->state != TicketState::open && (delivery.attempt() > 1 || delivery.verify())) {
        // Healed while it was unknown whether the ticket had been made.
        const auto made = ports_.desk.find(external_id(helpdesk_, cause, ticket->episode + 1), delivery.deadline());
        if (!made) {
            return Outcome::failed(made.error());
        }
        if (*made != 0) {
            *ticket = after(*ticket, Action::create, *affected, *made, ticket->written_at);
            action = Action::solve;
        }
    }
    if (action == Action::nothing) {
        return Outcome::skip("no_news");
    }
    const auto record =
        delivery.effect({.external_key = "ticket/" + helpdesk_ + "/" + cause.id(),
                         .version = {.source_updated_at_ns = ticket->revision + 1},
                         .creates_once = action == Action::create},
                        [&](const kit::Lease& lease) {
                            const core::Deadline leased(ports_.clock, lease.until());
                            return write(action, *ticket, *affected, cause, order, delivery.deadline().sooner_of(leased));
                        });
    if (!record) {
        const auto& code = record.error().code;
        if (action != Action::create && (code == "ticket_closed" || code == "ticket_gone")) {
            // A person has closed or deleted it: what still waits gets a new one.
            ports_.tickets.record(delivery, cause, lost(*ticket, code == "ticket_gone"));
            return Outcome::done_until(now, code);
        }
        return Outcome::failed(record.error());
    }
    const auto id = core::parse_int<std::int64_t>(record->target_id).value_or(ticket->id);
    const auto written = after(*ticket, action, *affected, id, now);
    ports_.tickets.record(delivery, cause, written);
    ports_.written(action, cause.trouble);
    const bool more = written.state == TicketState::open && written.told != summary(*affected);
    return more ? Outcome::done_until(now + pace_.update_every, "gathering") : Outcome::done();
}

core::Result<kit::EffectRecord> KeepTicket::write(Action action, const Ticket& ticket, const Affected& affected,
                                                  const Cause& cause, const OrderKey& order, const core::Deadline& deadline) {
    auto id = ticket.id;
    if (action == Action::create) {
        const auto made = ports_.desk.create({.external_id = external_id(helpdesk_, cause, ticket.episode + 1),
                                              .subject = subject_of(cause),
                                              .comment = opening(cause, order, ticket.id),
                                              .followup_of = ticket.closed ? ticket.id : 0},
                                             deadline);
        if (!made) {
            return std::unexpected(made.error());
        }
        id = *made;
    } else {
        const auto mark = mark_of(external_id(helpdesk_, cause, ticket.episode), ticket.revision + 1);
        const auto* const status = action == Action::solve ? "solved" : action == Action::reopen ? "open" : "";
        const auto done = ports_.desk.comment(id, comment_for(action, affected, mark), mark, status, deadline);
        if (!done) {
            return std::unexpected(done.error());
        }
    }
    return kit::EffectRecord{.target_id = std::to_string(id), .name = {}, .detail = {}};
}

}  // namespace helpdesk_sync
