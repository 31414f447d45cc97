// Contacts and addresses in Odoo: res.partner.
#pragma once

#include <atomic>
#include <mutex>
#include <syncline/odoo/gateway.h>

#include "app/ports.h"

namespace order_export {

class OdooParties final : public ErpParties {
public:
    OdooParties(syncline::odoo::Gateway& odoo, const core::Clock& clock) : odoo_(odoo), clock_(clock) {}

    [[nodiscard]] core::Result<std::optional<TargetId>> find(const ContactPlan& contact, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<ErpContacts> create_once(const ContactPlan& contact, const std::optional<TargetId>& existing,
                                                        const kit::Lease& lease) override;

private:
    [[nodiscard]] core::Result<std::optional<TargetId>> by_external_id(const std::string& name, const core::Deadline& deadline);
    // Database id of a country's state, "" if Odoo does not know it.
    [[nodiscard]] core::Result<std::string> state_id(const std::string& country, const std::string& province, const core::Deadline& deadline);

    syncline::odoo::Gateway& odoo_;
    const core::Clock& clock_;
    std::atomic<bool> limited_{false};  // The user may not read ir.model.data: ids are asked for one by one.
    std::mutex mutex_;
    std::map<std::string, std::string> states_;  // "US/NY" → id; a few thousand exist.
};

}  // namespace order_export
