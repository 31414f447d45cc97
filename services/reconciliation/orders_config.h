// The keys of the check of orders: orders.*
#pragma once

#include <syncline/kit/config.h>
#include <chrono>
#include <string>
#include <vector>

namespace reconciliation {

struct OrdersConfig {
    std::chrono::milliseconds interval{180'000};
    std::chrono::milliseconds overlap{600'000};
    std::chrono::milliseconds grace{120'000};
    std::chrono::milliseconds skew{120'000};
    std::chrono::milliseconds lookback{86'400'000};
    std::chrono::milliseconds call_timeout{30'000};
    std::chrono::milliseconds settle{60'000};
    std::string subscriptions_policy = "report";
    std::string subscriptions_uri;
    std::string subscriptions_own_prefix;
    std::vector<std::string> subscriptions_topics;
    std::chrono::milliseconds subscriptions_interval{900'000};

    OrdersConfig();
    void declare(syncline::kit::ConfigSchema& schema);
};

}  // namespace reconciliation
