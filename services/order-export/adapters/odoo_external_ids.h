// Which record stands under an external id of ours.
#pragma once

#include <syncline/odoo/gateway.h>
#include <atomic>
#include <optional>
#include <string>

#include "domain/rules.h"

namespace order_export {

// Any thread. Blocks for a gathered read; a user who may not read ir.model.data asks for each id by itself.
class OdooExternalIds {
public:
    explicit OdooExternalIds(syncline::odoo::Gateway& odoo) : odoo_(odoo) {}
    // `name` without the module; nullopt: there is none.
    [[nodiscard]] core::Result<std::optional<TargetId>> find(const std::string& model, const std::string& name,
                                                             const core::Deadline& deadline);

private:
    syncline::odoo::Gateway& odoo_;
    std::atomic<bool> limited_{false};
};

}  // namespace order_export
