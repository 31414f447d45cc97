// Products in Odoo by SKU (product.product.default_code), with a bounded memory: what is known costs no call for ten minutes.
#pragma once

#include <syncline/odoo/gateway.h>
#include <list>
#include <mutex>
#include <unordered_map>

#include "app/ports.h"

namespace order_export {

class OdooProducts final : public ErpProducts {
public:
    OdooProducts(syncline::odoo::Gateway& odoo, const core::Clock& clock, std::size_t remembered_max)
        : odoo_(odoo), clock_(clock), remembered_max_(remembered_max) {}

    // Unknown SKUs are not remembered: a product that has just been made is found at once.
    [[nodiscard]] core::Result<std::map<core::Sku, TargetId>> find(const std::vector<core::Sku>& skus, const TargetId& company,
                                                                   const core::Deadline& deadline) override;

private:
    struct Known {
        std::string key;
        TargetId id;
        core::SteadyTime until;
    };
    [[nodiscard]] std::optional<TargetId> remembered(const std::string& key);
    void remember(const std::string& key, const TargetId& id);

    syncline::odoo::Gateway& odoo_;
    const core::Clock& clock_;
    const std::size_t remembered_max_;
    std::mutex mutex_;
    std::list<Known> recent_;  // Newest first.
    std::unordered_map<std::string, std::list<Known>::iterator> by_key_;
};

}  // namespace order_export
