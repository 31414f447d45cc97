// Troubles in PostgreSQL: one row for each subject of an order that was ever in trouble at a connection, with its cause while it
// is. Read by primary key; written by the closing transaction, together with the event that tells the cause's ticket.
#pragma once

#include <syncline/postgres/pool.h>
#include <string>

#include "app/ports.h"

namespace helpdesk_sync {

// The tables of this file and of pg_tickets, for Service::migration.
extern const std::string_view kSchema;

class PgTroubles final : public Troubles {
public:
    // Both must outlive it. `helpdesk` is the deployment: several share the tables.
    PgTroubles(syncline::postgres::Pool& pool, core::Clock& clock, std::string helpdesk)
        : pool_(pool), clock_(clock), helpdesk_(std::move(helpdesk)) {}

    [[nodiscard]] core::Result<Standings> find(const OrderKey& order, const std::string& connection) override;
    void record(kit::Delivery& delivery, const OrderKey& order, const std::string& connection, const Change& change) override;
    void announce(kit::Delivery& delivery, const Cause& cause, const OrderKey& order) override;

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    const std::string helpdesk_;
};

}  // namespace helpdesk_sync
