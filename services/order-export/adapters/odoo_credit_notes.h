// Credit notes in Odoo: account.move of type out_refund, created once, posted, never by the reversal wizard.
#pragma once

#include <syncline/odoo/gateway.h>

#include "app/ports.h"

namespace order_export {

class OdooCreditNotes final : public ErpCreditNotes {
public:
    OdooCreditNotes(syncline::odoo::Gateway& odoo, const core::Clock& clock) : odoo_(odoo), clock_(clock) {}

    // The link to the invoice lets posting reconcile with it; a link to order lines would make the order invoiceable again
    // (odoo.md §7.4) and is never made.
    [[nodiscard]] core::Result<TargetId> create_once(const CreditNote& note, const TargetId& order,
                                                     const kit::Lease& lease) override;
    [[nodiscard]] core::Result<std::optional<ErpCreditNote>> read(const TargetId& id, const TargetId& company,
                                                                  const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> post(const TargetId& id, const TargetId& company, const kit::Lease& lease) override;

private:
    syncline::odoo::Gateway& odoo_;
    const core::Clock& clock_;
};

}  // namespace order_export
