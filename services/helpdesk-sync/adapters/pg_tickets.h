// The tickets of causes in PostgreSQL. A cause's ticket is read by primary key, who waits for it by an index of what is in
// trouble.
#pragma once

#include <syncline/postgres/pool.h>
#include <string>

#include "app/ports.h"

namespace helpdesk_sync {

class PgTickets final : public Tickets {
public:
    // Both must outlive it.
    PgTickets(syncline::postgres::Pool& pool, core::Clock& clock, std::string helpdesk)
        : pool_(pool), clock_(clock), helpdesk_(std::move(helpdesk)) {}

    [[nodiscard]] core::Result<Ticket> find(const Cause& cause) override;
    [[nodiscard]] core::Result<Affected> affected(const Cause& cause) override;
    void record(kit::Delivery& delivery, const Cause& cause, const Ticket& ticket) override;

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    const std::string helpdesk_;
};

}  // namespace helpdesk_sync
