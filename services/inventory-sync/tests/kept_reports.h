// Keeps the reports that a source of the service makes.
#pragma once

#include <memory>
#include <vector>

#include "app/stock_reports.h"

namespace inventory_sync::testing {

class KeptReports final : public StockReporter {
public:
    std::vector<ReadLevel> levels;
    bool broker_away = false;
    std::unique_ptr<StockReports> begin() override {
        struct Run final : StockReports {
            explicit Run(KeptReports& of) : kept(of) {}
            KeptReports& kept;
            core::Result<void> put(const ReadLevel& level) override {
                kept.levels.push_back(level);
                return {};
            }
            core::Result<void> done(const core::Deadline&) override {
                return kept.broker_away ? core::fail(core::ErrorKind::transient, "kafka_unavailable", "away")
                                        : core::Result<void>{};
            }
        };
        return std::make_unique<Run>(*this);
    }
};

}  // namespace inventory_sync::testing
