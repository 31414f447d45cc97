#include "domain/order.h"

#include <array>
#include <utility>

namespace order_export {
namespace {

constexpr std::array<std::pair<FinancialStatus, std::string_view>, 9> kFinancial{{
    {FinancialStatus::unknown, "unknown"},
    {FinancialStatus::pending, "pending"},
    {FinancialStatus::authorized, "authorized"},
    {FinancialStatus::partially_paid, "partially_paid"},
    {FinancialStatus::paid, "paid"},
    {FinancialStatus::partially_refunded, "partially_refunded"},
    {FinancialStatus::refunded, "refunded"},
    {FinancialStatus::voided, "voided"},
    {FinancialStatus::expired, "expired"},
}};
constexpr std::array<std::pair<RiskLevel, std::string_view>, 5> kRisk{{
    {RiskLevel::unknown, "unknown"},
    {RiskLevel::none, "none"},
    {RiskLevel::low, "low"},
    {RiskLevel::medium, "medium"},
    {RiskLevel::high, "high"},
}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
    for (const auto& [candidate, name] : table) {
        if (candidate == value) {
            return name;
        }
    }
    return "unknown";
}

template <typename Value, typename Table>
std::optional<Value> value_in(const Table& table, std::string_view name) {
    for (const auto& [value, candidate] : table) {
        if (candidate == name) {
            return value;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(FinancialStatus status) {
    return name_in(kFinancial, status);
}
std::string_view to_string(RiskLevel level) {
    return name_in(kRisk, level);
}
std::optional<FinancialStatus> financial_status_from(std::string_view name) {
    return value_in<FinancialStatus>(kFinancial, name);
}
std::optional<RiskLevel> risk_level_from(std::string_view name) {
    return value_in<RiskLevel>(kRisk, name);
}

}  // namespace order_export
