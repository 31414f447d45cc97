// Contacts and addresses in Odoo: res.partner.
#pragma once

#include <syncline/odoo/gateway.h>
#include <mutex>

#include "adapters/odoo_external_ids.h"
#include "app/ports.h"

namespace order_export {

class OdooParties final : public ErpParties {
public:
    OdooParties(syncline::odoo::Gateway& odoo, OdooExternalIds& external_ids, const core::Clock& clock)
        : odoo_(odoo), external_ids_(external_ids), clock_(clock) {}

    [[nodiscard]] core::Result<std::optional<TargetId>> find(const ContactPlan& contact, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<ErpContacts> create_once(const ContactPlan& contact, const std::optional<TargetId>& existing,
                                                        const kit::Lease& lease) override;

private:
    // Database id of a country's state, "" if Odoo does not know it.
    [[nodiscard]] core::Result<std::string> state_id(const std::string& country, const std::string& province,
                                                     const core::Deadline& deadline);

    syncline::odoo::Gateway& odoo_;
    OdooExternalIds& external_ids_;
    const core::Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, std::string> states_;  // "US/NY" → id; a few thousand exist.
};

}  // namespace order_export
