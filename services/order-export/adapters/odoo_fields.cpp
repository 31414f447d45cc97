#include "adapters/odoo_fields.h"

#include <fmt/format.h>
#include <syncline/core/parse.h>
#include <chrono>

namespace order_export {
namespace {

using core::ErrorKind;

}  // namespace

std::string external_id(std::string_view name) {
    return std::string(kModule) + "." + std::string(name);
}

std::string odoo_date(core::SystemTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::string odoo_datetime(core::SystemTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    return fmt::format("{} {:02}:{:02}:{:02}", odoo_date(time), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

std::int64_t odoo_id(const TargetId& id) {
    return core::parse_int<std::int64_t>(id).value_or(0);
}

std::string joined(const std::vector<TargetId>& ids) {
    std::string text;
    for (const auto& id : ids) {
        text += (text.empty() ? "" : ",") + id;
    }
    return text;
}

odoo::Scope scope_of(const TargetId& company, const std::string& language) {
    return {.company = odoo_id(company), .language = language};
}

core::Result<core::Money> total_of(const odoo::Answer& record) {
    const auto amount = record.value()->get("amount_total");
    const auto currency = record.value()->get("currency_id");
    if (!amount || !currency) {
        return core::fail(ErrorKind::conflict, "reply_unexpected", "Odoo left out the total or the currency of a document");
    }
    const auto reference = odoo::reference(*currency);
    if (!reference || !*reference) {
        return core::fail(ErrorKind::conflict, "reply_unexpected", "a document has no currency");
    }
    const auto& code = (*reference)->name;
    auto total = odoo::amount(*amount, core::currency_decimals(code));
    if (!total) {
        return std::unexpected(std::move(total.error()));
    }
    return core::Money{.amount = *total, .currency = code};
}

std::optional<TargetId> id_in(const std::vector<odoo::Answer>& records, std::string_view field) {
    if (records.empty()) {
        return std::nullopt;
    }
    const auto id = records.front().value()->get(field);
    const auto number = id ? id->int64().value_or(0) : 0;
    return number > 0 ? std::optional(std::to_string(number)) : std::nullopt;
}

Decimal quantity_of(const odoo::Answer& record, std::string_view field) {
    const auto value = record.value()->get(field);
    return value ? odoo::amount(*value, 6).value_or(Decimal{}) : Decimal{};
}

}  // namespace order_export
