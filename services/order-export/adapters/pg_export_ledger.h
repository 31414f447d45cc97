// The ledger in PostgreSQL: export_orders, export_refunds, export_risks, export_money, all keyed by connection.
//
// Reads of many threads are gathered into one query; rows are written by the closing transaction of their event. Lookups are by
// primary key or by an index that begins with it, so their cost does not depend on history.
#pragma once

#include <syncline/core/gather.h>
#include <syncline/postgres/pool.h>
#include <memory>
#include <string>

#include "app/ports.h"

namespace order_export {

// The tables, for Service::migration.
extern const std::string_view kLedgerSchema;

class PgExportLedger final : public ExportLedger {
public:
    // `pool` and `clock` must outlive it. Starts its threads with the first request.
    PgExportLedger(syncline::postgres::Pool& pool, core::Clock& clock, std::string connection);
    ~PgExportLedger() override;

    [[nodiscard]] core::Result<LedgerEntry> find(const OrderKey& key) override;
    void record(kit::Delivery& delivery, const LedgerEntry& entry) override;
    void record(kit::Delivery& delivery, const OrderKey& key, const RefundEntry& refund) override;
    void record_money(kit::Delivery& delivery, const OrderKey& key, std::uint64_t transaction, MoneyState state) override;
    core::Result<void> remember_risk(const OrderKey& key, const std::string& provider, RiskLevel level, core::SystemTime observed,
                                     bool accepted) override;

private:
    using Found = core::Result<LedgerEntry>;
    [[nodiscard]] std::vector<Found> find_all(const std::vector<OrderKey>& keys);

    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    const std::string connection_;
    std::once_flag started_;
    std::unique_ptr<core::Gather<OrderKey, Found>> reads_;  // Last: its threads use everything above.
};

}  // namespace order_export
