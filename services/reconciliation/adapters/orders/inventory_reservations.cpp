#include "adapters/orders/inventory_reservations.h"

#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <utility>

#include "adapters/inventory_sync.h"

namespace reconciliation {

core::Result<void> InventoryReservations::clear_pending(const std::string& shop, core::SystemTime until,
                                                        const core::Deadline& deadline) {
    syncline::json::Writer body;
    body.begin_object()
        .member("shop", shop)
        .member("until", core::format_rfc3339_utc(until))
        .member("reason", "the gap check has read every order up to then")
        .end_object();
    const auto answer = port_.post("/admin/stock/clear-pending", std::move(body).take(), deadline);
    return answer ? core::Result<void>{} : std::unexpected(answer.error());
}

}  // namespace reconciliation
