// Reports of this service's own sources onto inventory.v1, with the kit's producer.
#pragma once

#include <string>

#include "app/stock_reports.h"

namespace syncline::kafka {
class Producer;
}

namespace inventory_sync {

class KafkaReports final : public StockReporter {
public:
    // `topic` with its prefix.
    KafkaReports(syncline::kafka::Producer& producer, core::Clock& clock, std::string topic)
        : producer_(producer), clock_(clock), topic_(std::move(topic)) {}
    [[nodiscard]] std::unique_ptr<StockReports> begin() override;

private:
    syncline::kafka::Producer& producer_;
    core::Clock& clock_;
    std::string topic_;
};

}  // namespace inventory_sync
