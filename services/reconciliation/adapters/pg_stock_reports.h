// The record of comparison runs as operators and metrics read it, and what operators ask for.
//
// Any thread; each member is one transaction or one statement. Texts are JSON unless said otherwise. Errors: not_ready,
// "run_unknown"; conflict with what is wrong with the state of the run; those of libs/postgres.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <string>
#include <vector>

#include "app/stock_ports.h"
#include "domain/report.h"

namespace syncline::postgres {
class Pool;
}

namespace reconciliation {

struct RunFilter {
    std::string shop;   // Empty: all.
    std::string state;  // Empty: all.
    int limit = 100;
};

// Figures for the metrics, of the last run of each kind.
struct StockFigures {
    struct ByClass {
        std::string shop;
        std::string side;
        DivergenceClass kind = DivergenceClass::drift;
        std::int64_t count = 0;
    };
    struct LastRun {
        std::string shop;
        std::string kind;
        core::SystemTime compared_at;
        double seconds = 0;
    };
    struct Braked {
        std::string shop;
        std::int64_t runs = 0;
    };
    std::vector<ByClass> differences;
    std::vector<LastRun> last;
    std::vector<Braked> braked;
};

class PgStockReports {
public:
    PgStockReports(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {}

    [[nodiscard]] core::Result<std::string> list(const RunFilter& filter);
    [[nodiscard]] core::Result<std::string> show(const std::string& id);
    // Differences `after` … `after` + `limit` of one side, and below them the counts of that side.
    [[nodiscard]] core::Result<std::string> report(const std::string& id, const std::string& side, ReportFormat format,
                                                   std::int64_t after, int limit);
    // A braked run goes on. Only the newest full run of its shop: what an older one saw is no longer so.
    [[nodiscard]] core::Result<std::string> approve(const std::string& id, const std::string& actor, const std::string& reason);
    // The audit row of a run that a person asked for.
    [[nodiscard]] core::Result<void> note_asked(const StockRun& run, const std::string& actor, const std::string& reason);

    [[nodiscard]] core::Result<StockFigures> figures();
    // Forgets runs that ended before then, a few at a time.
    [[nodiscard]] core::Result<void> tidy(core::SystemTime before);

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
};

}  // namespace reconciliation
