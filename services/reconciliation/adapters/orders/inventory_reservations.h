// Tells inventory-sync up to when every order is known, so that falls nobody can explain are no reservations any more.
#pragma once

#include <string>

#include "app/order_ports.h"

namespace reconciliation {

class InventorySync;

class InventoryReservations final : public Reservations {
public:
    explicit InventoryReservations(InventorySync& port) : port_(port) {}
    [[nodiscard]] core::Result<void> clear_pending(const std::string& shop, core::SystemTime until,
                                                   const core::Deadline& deadline) override;

private:
    InventorySync& port_;
};

}  // namespace reconciliation
