// Facts about an order that are no refund: risk, deletion, movements of money.
#pragma once

#include <syncline/kit/outcome.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/ports.h"

namespace order_export {

struct RiskAssessment {
    OrderKey key;
    std::string provider;  // Empty: Shopify.
    RiskLevel level = RiskLevel::unknown;
    core::SystemTime observed{};
};

// Remembers the level for later snapshots; confirms a quotation that only waited for it; a level that the rules hold is a hold of
// this fact until somebody overrides that code.
class AssessRisk {
public:
    AssessRisk(ExportLedger& ledger, ErpOrders& orders, ExportResults& results, RulesSource rules, const core::Clock& clock)
        : ledger_(ledger), orders_(orders), results_(results), rules_(std::move(rules)), clock_(clock) {}
    [[nodiscard]] kit::Outcome run(const RiskAssessment& assessment, kit::Delivery& delivery);

private:
    ExportLedger& ledger_;
    ErpOrders& orders_;
    ExportResults& results_;
    RulesSource rules_;
    const core::Clock& clock_;
};

// What Shopify's webhook says of a deletion proves nothing. Unconfirmed it is a hold on the document alone, which ends by itself
// when somebody has looked: by a snapshot that was fetched later (the order is still there), or by the confirmed deletion. That
// one (or the code overridden by a person) is terminal: an untouched document is cancelled, later snapshots are skipped.
struct ToldDeletion {
    OrderKey key;
    bool confirmed = false;
    std::int64_t observed_ns = 0;
};

// What the hold of an unconfirmed deletion waits for, and whose.
[[nodiscard]] std::string deletion_key(const OrderKey& order);
[[nodiscard]] std::optional<OrderKey> awaited_deletion(std::string_view waits_for);

class DeleteOrder {
public:
    DeleteOrder(ExportLedger& ledger, ErpOrders& orders, ExportResults& results)
        : ledger_(ledger), orders_(orders), results_(results) {}
    [[nodiscard]] kit::Outcome run(const ToldDeletion& told, kit::Delivery& delivery);

private:
    ExportLedger& ledger_;
    ErpOrders& orders_;
    ExportResults& results_;
};

// What became of a refund's money, for the refund that waits for it.
class RecordMoney {
public:
    explicit RecordMoney(ExportLedger& ledger) : ledger_(ledger) {}
    [[nodiscard]] kit::Outcome run(const OrderKey& key, std::uint64_t transaction, bool of_refund, MoneyState state,
                                   kit::Delivery& delivery);

private:
    ExportLedger& ledger_;
};

}  // namespace order_export
