// The keys of reconciliation beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <chrono>
#include <string>

#include "orders_config.h"
#include "stock_config.h"

namespace reconciliation {

struct Config {
    std::string name;
    std::chrono::milliseconds lease{30'000};
    StockConfig stock;
    OrdersConfig orders;

    void declare(syncline::kit::ConfigSchema& schema);
    // reconciliation.<name>.v1: a contract, renaming it reads everything again.
    [[nodiscard]] std::string group() const { return "reconciliation." + name + ".v1"; }
};

}  // namespace reconciliation
