// Sales documents in Odoo: sale.order and its lines.
//
// Creation is `load` in create-once mode, every line under an external id that names its order. A change is a read, a load of the
// new lines, then one write. See odoo/gateway.h for threads, blocking and errors.
#pragma once

#include <syncline/odoo/gateway.h>

#include "adapters/odoo_external_ids.h"
#include "app/ports.h"

namespace order_export {

class OdooOrders final : public ErpOrders {
public:
    OdooOrders(syncline::odoo::Gateway& odoo, OdooExternalIds& external_ids, const core::Clock& clock)
        : odoo_(odoo), external_ids_(external_ids), clock_(clock) {}

    [[nodiscard]] core::Result<std::optional<TargetId>> find(const OrderKey& order, const core::Deadline& deadline) override {
        return external_ids_.find("sale.order", order.external_name(), deadline);
    }

    [[nodiscard]] core::Result<TargetId> create_once(const SalesDocument& document, const ErpContacts& contacts,
                                                     const kit::Lease& lease) override;
    [[nodiscard]] core::Result<std::optional<ErpDocument>> read(const TargetId& id, const TargetId& company, bool with_progress,
                                                                const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> change(const TargetId& id, const SalesDocument& document, const ErpContacts& contacts,
                                            const std::vector<KnownLine>& known, const std::string& known_header,
                                            const kit::Lease& lease) override;
    [[nodiscard]] core::Result<void> round(const TargetId& id, const SalesDocument& document, const TargetId& product,
                                           const Decimal& price, const kit::Lease& lease) override;
    [[nodiscard]] core::Result<void> confirm(const TargetId& id, const TargetId& company, core::SystemTime ordered_at,
                                             const kit::Lease& lease) override;
    [[nodiscard]] core::Result<void> cancel(const TargetId& id, const TargetId& company, const kit::Lease& lease) override;

private:
    // Lines of ours on the document, by key.
    [[nodiscard]] core::Result<std::map<std::string, std::int64_t>> lines_by_key(const SalesDocument& document,
                                                                                 const std::vector<std::int64_t>& ids,
                                                                                 const core::Deadline& deadline);
    [[nodiscard]] core::Result<std::vector<std::int64_t>> load_lines(const TargetId& id, const SalesDocument& document,
                                                                     const std::vector<const DocumentLine*>& lines,
                                                                     const kit::Lease& lease);
    [[nodiscard]] core::Deadline until(const kit::Lease& lease) const { return core::Deadline(clock_, lease.until()); }

    syncline::odoo::Gateway& odoo_;
    OdooExternalIds& external_ids_;
    const core::Clock& clock_;
};

}  // namespace order_export
