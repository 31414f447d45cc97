// GET /admin/orders/{shop}/{id} and /admin/doctor: what this connection knows of an order, and whether its target fits the
// mapping.
#pragma once

#include <syncline/kit/admin.h>
#include <syncline/odoo/gateway.h>

#include "app/ports.h"

namespace order_export {

// Everything passed must outlive the router.
void add_admin_routes(kit::AdminRouter& router, const std::string& connection, ExportLedger& ledger,
                      syncline::odoo::Gateway& odoo, RulesSource rules, const core::Clock& clock);

// One line of doctor.
struct Finding {
    std::string check;
    bool good = true;
    std::string text;
    bool advice = false;  // Good, and yet worth a change in the target.
};
// Asks the target: version, rounding method (round_per_line is Shopify's arithmetic), taxes, pricelists and products of the
// mapping. Blocks for a few calls.
[[nodiscard]] std::vector<Finding> examine(syncline::odoo::Gateway& odoo, const Rules& rules, const core::Deadline& deadline);

}  // namespace order_export
