// What is known of orders, in PostgreSQL: order_statuses (one row an order) and connection_statuses (one row for each connection
// that has spoken of it). Read by primary key; written by the closing transaction of an event, so that rows and the event's end
// exist together or not at all. The kit handles one event of an order at a time, so nothing is lost between the two.
#pragma once

#include <syncline/postgres/pool.h>

#include "app/ports.h"

namespace order_status {

// The tables, for Service::migration.
extern const std::string_view kStatusSchema;

class PgStatusStore final : public StatusStore {
public:
    // Both must outlive it.
    PgStatusStore(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {}

    [[nodiscard]] core::Result<OrderStatus> find(const OrderKey& key) override;
    void record(kit::Delivery& delivery, const OrderStatus& order, const std::string& connection) override;

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
};

}  // namespace order_status
