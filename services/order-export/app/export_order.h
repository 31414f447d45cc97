// One ERP sales document per order, however often and in whatever order its snapshots come.
//
// superseded or excluded? → plan → contacts and products → create once, or read and change → totals → confirmation → ledger.
// Correct without the inbox: the ledger's version, the plan's hash and the stamp on the document decide what is left to do.
#pragma once

#include <syncline/kit/outcome.h>

#include "app/export_refund.h"
#include "app/ports.h"
#include "app/resolve_contacts.h"

namespace order_export {

class ExportOrder {
public:
    struct Ports {
        ExportLedger& ledger;
        ErpOrders& orders;
        ErpProducts& products;
        ResolveContacts& contacts;
        ExportRefund& refunds;
        ExportResults& results;
        RulesSource rules;
        std::function<std::string()> contact_key;  // Secret of the keyed hashes.
        const core::Clock& clock;
    };
    explicit ExportOrder(Ports ports) : ports_(std::move(ports)) {}

    [[nodiscard]] kit::Outcome run(const Order& order, kit::Delivery& delivery);

private:
    struct Work;
    [[nodiscard]] kit::Outcome bring(Work& work);
    [[nodiscard]] kit::Outcome cancel(Work& work);
    [[nodiscard]] kit::Outcome refuse(Work& work, core::Error error);
    [[nodiscard]] kit::Outcome finish(Work& work, bool unchanged);
    [[nodiscard]] core::Result<void> resolve_products(Work& work);
    [[nodiscard]] core::Result<kit::EffectRecord> apply(Work& work, const kit::Lease& lease);
    [[nodiscard]] core::Result<void> check_totals(Work& work, const kit::Lease& lease);
    void settle(Work& work, DocumentState state);

    Ports ports_;
};

// A document that somebody delivered, invoiced or locked is changed by nobody: needs_decision. nullopt: it may be changed.
[[nodiscard]] std::optional<core::Error> touched(const ErpDocument& document);

// Version as the kit counts.
[[nodiscard]] kit::Version kit_version(const SnapshotVersion& version);

}  // namespace order_export
