// A refund becomes one posted credit note.
//
// The same refund comes as a fact of its own and inside snapshots; whichever is handled first exports it, the other finds it
// done. Create once → read back → compare → post, never by the target's wizard.
#pragma once

#include "app/ports.h"

#include <syncline/kit/outcome.h>

namespace order_export {

class ExportRefund {
public:
    ExportRefund(ExportLedger& ledger, ErpCreditNotes& notes, ExportResults& results, RulesSource rules)
        : ledger_(ledger), notes_(notes), results_(results), rules_(std::move(rules)) {}

    // The fact. not_ready while its order is not exported; a hold while money is pending.
    [[nodiscard]] kit::Outcome run(const OrderKey& key, const Refund& refund, kit::Delivery& delivery);

    // Inside a snapshot whose order has just been brought up to date. What needs a person or a mapping does not hold the
    // snapshot: it is noted in the ledger and its own fact is held. An Error is one that the whole snapshot must be retried for.
    [[nodiscard]] core::Result<void> run_from_snapshot(LedgerEntry& entry, const Refund& refund, const CurrentRules& rules,
                                                       kit::Delivery& delivery);

private:
    // nullopt in the entry's document: nothing to credit; the reason is in `code`.
    [[nodiscard]] core::Result<RefundEntry> credit(const LedgerEntry& entry, const Refund& refund, const CurrentRules& rules,
                                                   kit::Delivery& delivery, core::Money& amount);

    ExportLedger& ledger_;
    ErpCreditNotes& notes_;
    ExportResults& results_;
    RulesSource rules_;
};

}  // namespace order_export
