// The record of comparison runs in PostgreSQL: their state, what each comparison said, every difference.
//
// Any thread; each member is one transaction. A run belongs to the owner that claimed it last: a member of an instance that has
// lost it changes nothing (kind conflict, code "run_lost"). Events are written into the outbox in the transaction that says how
// far the run is, so that none is lost and none is sent twice, wherever a process dies.
#pragma once

#include <syncline/core/clock.h>
#include <string>
#include <string_view>

#include "app/stock_ports.h"

namespace syncline::postgres {
class Pool;
class Transaction;
}  // namespace syncline::postgres

namespace reconciliation {

extern const std::string_view kStockRunsSchema;

class PgStockRuns final : public StockRuns {
public:
    // `owner` is this instance. All arguments outlive it.
    PgStockRuns(syncline::postgres::Pool& pool, core::Clock& clock, std::string owner);

    core::Result<bool> plan(const StockRun& run, const std::string& by, const std::string& reason) override;
    core::Result<std::optional<core::SystemTime>> last_began(const std::string& shop, RunKind kind) override;
    core::Result<std::optional<core::SystemTime>> compared_until(const std::string& shop) override;
    core::Result<std::optional<StockRun>> claim(const std::string& shop) override;
    core::Result<void> bulk_begun(const StockRun& run, const std::string& bulk_id) override;
    core::Result<std::uint64_t> rows_before(const StockRun& run, const std::string& side) override;
    core::Result<void> keep(const StockRun& run, const std::vector<KeptDifference>& differences) override;
    core::Result<void> compared(const StockRun& run, std::uint64_t shopify_rows, const std::vector<ComparisonResult>& results,
                                HealingMode mode, const std::optional<std::string>& brake) override;
    core::Result<bool> announce(const StockRun& run) override;
    core::Result<void> again_later(const StockRun& run, core::SystemTime due, const core::Error& error, bool new_bulk) override;
    core::Result<void> failed(const StockRun& run, const core::Error& error) override;

private:
    [[nodiscard]] core::Result<void> own(syncline::postgres::Transaction& tx, const StockRun& run) const;

    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    std::string owner_;
};

}  // namespace reconciliation
