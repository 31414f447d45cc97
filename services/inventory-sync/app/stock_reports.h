// Where a source of this service puts what it has read: events of inventory.v1.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <memory>
#include <string>

#include "domain/stock.h"

namespace inventory_sync {

struct ReadLevel {
    Position position;
    Basis basis = Basis::physical;
    std::string unit;
    Level level;
};

// One run of reports. put() may block while the queue is full; done() waits until the brokers have all of them. If either fails,
// the run is repeated whole: equal reports are equal events.
class StockReports {
public:
    virtual ~StockReports() = default;
    [[nodiscard]] virtual core::Result<void> put(const ReadLevel& level) = 0;
    [[nodiscard]] virtual core::Result<void> done(const core::Deadline& deadline) = 0;
};

// Makes a run.
class StockReporter {
public:
    virtual ~StockReporter() = default;
    [[nodiscard]] virtual std::unique_ptr<StockReports> begin() = 0;
};

}  // namespace inventory_sync
