// The keys of inventory-sync beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <string>

#include "app/run_stock.h"

namespace inventory_sync {

struct Config {
    std::string name;
    RunOptions run;
    SendOptions send;
    std::size_t compute_skus_max = 1'000;

    void declare(syncline::kit::ConfigSchema& schema);
    // inventory-sync.<name>.v1: a contract, renaming it reads everything again.
    [[nodiscard]] std::string group() const { return "inventory-sync." + name + ".v1"; }
};

}  // namespace inventory_sync
