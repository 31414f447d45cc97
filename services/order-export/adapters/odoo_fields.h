// Small translations between the domain and Odoo's cells that the adapters share.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/odoo/gateway.h>
#include <string>
#include <vector>

#include "domain/export_plan.h"

namespace order_export {

namespace odoo = syncline::odoo;

// The module of every external id Syncline makes.
inline constexpr std::string_view kModule = "syncline";

// "syncline.eu_order_5001"
[[nodiscard]] std::string external_id(std::string_view name);
// "2026-11-20 10:15:30", UTC: Odoo refuses T and Z.
[[nodiscard]] std::string odoo_datetime(core::SystemTime time);
[[nodiscard]] std::string odoo_date(core::SystemTime time);
// Ids of the mapping are digits (checked when the file is read); anything else is 0.
[[nodiscard]] std::int64_t odoo_id(const TargetId& id);
[[nodiscard]] std::string joined(const std::vector<TargetId>& ids);
[[nodiscard]] odoo::Scope scope_of(const TargetId& company, const std::string& language = {});
// Amount and currency of a record of sale.order or account.move.
[[nodiscard]] core::Result<core::Money> total_of(const odoo::Answer& record);
// The id in `field` of the first record; nullopt without one.
[[nodiscard]] std::optional<TargetId> id_in(const std::vector<odoo::Answer>& records, std::string_view field);
// A quantity of a record; 0 if absent.
[[nodiscard]] Decimal quantity_of(const odoo::Answer& record, std::string_view field);

}  // namespace order_export
