// What helpdesk-sync needs from outside. Each port has one real adapter (adapters/) and one fake (tests/fakes.h). Any handler
// thread; errors are of the closed list and nothing is retried here.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <string>
#include <vector>

#include "domain/ticket.h"
#include "domain/trouble.h"

namespace helpdesk_sync {

namespace kit = syncline::kit;

// What is known of orders in trouble. Blocks for a query.
class Troubles {
public:
    virtual ~Troubles() = default;
    [[nodiscard]] virtual core::Result<Standings> find(const OrderKey& order, const std::string& connection) = 0;
    // A row of the closing transaction.
    virtual void record(kit::Delivery& delivery, const OrderKey& order, const std::string& connection, const Change& change) = 0;
    // An event of the closing transaction: who keeps the ticket of the cause has news.
    virtual void announce(kit::Delivery& delivery, const Cause& cause, const OrderKey& order) = 0;
};

// The tickets of causes, and who waits for them. Blocks for a query.
class Tickets {
public:
    virtual ~Tickets() = default;
    [[nodiscard]] virtual core::Result<Ticket> find(const Cause& cause) = 0;
    [[nodiscard]] virtual core::Result<Affected> affected(const Cause& cause) = 0;
    // A row of the closing transaction.
    virtual void record(kit::Delivery& delivery, const Cause& cause, const Ticket& ticket) = 0;
};

struct NewTicket {
    std::string external_id;
    std::string subject;
    std::string comment;
    std::int64_t followup_of = 0;  // A closed ticket that this one continues; 0: none.
};

// The help desk. Blocks for calls, at most to the deadline. Errors of a ticket that cannot be changed any more: "ticket_closed",
// "ticket_gone".
class HelpDesk {
public:
    virtual ~HelpDesk() = default;
    // The id of the ticket with that external id; 0 when there is none.
    [[nodiscard]] virtual core::Result<std::int64_t> find(const std::string& external_id, const core::Deadline& deadline) = 0;
    // One ticket for an external id, however often it is asked for.
    [[nodiscard]] virtual core::Result<std::int64_t> create(const NewTicket& ticket, const core::Deadline& deadline) = 0;
    // Comments once for a mark, with which the comment ends, and sets the status in the same step (empty: as it is).
    [[nodiscard]] virtual core::Result<void> comment(std::int64_t ticket, const std::string& text, const std::string& mark,
                                                     const std::string& status, const core::Deadline& deadline) = 0;
};

}  // namespace helpdesk_sync
