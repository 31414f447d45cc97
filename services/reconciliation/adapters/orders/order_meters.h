// Metrics and log lines of the check of orders. Owned by the service; any thread.
#pragma once

#include <syncline/telemetry/metrics.h>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "app/order_ports.h"

namespace reconciliation {

class OrderMeters final : public OrderCheckEvents {
public:
    // `label`: a shop's alias as a label (kit/shops.h). `clock` and `metrics` outlive it.
    using Label = std::function<std::string(const std::string& shop)>;
    OrderMeters(syncline::telemetry::Metrics& metrics, core::Clock& clock, Label label);

    void scanned(const std::string& shop, const GapState& state) override;
    void found(const std::string& shop, FetchReason reason, std::int64_t orders) override;
    void fetched(const std::string& shop, std::string_view outcome) override;
    void published(const std::string& shop, FetchReason reason, std::int64_t events) override;
    void failed(const std::string& shop, std::string_view what, const core::Error& error) override;
    void subscriptions(const std::string& shop, std::int64_t missing) override;
    void repaired(const std::string& shop, std::string_view what) override;

private:
    struct Ages {
        std::mutex mutex;
        std::map<std::string, core::SystemTime> covered;  // By label.
    };
    Label label_;
    std::shared_ptr<Ages> ages_;
    syncline::telemetry::CounterFamily found_;
    syncline::telemetry::CounterFamily fetched_;
    syncline::telemetry::CounterFamily published_;
    syncline::telemetry::CounterFamily errors_;
    syncline::telemetry::CounterFamily repaired_;
    syncline::telemetry::GaugeFamily missing_;
    syncline::telemetry::GaugeFamily open_;
};

}  // namespace reconciliation
