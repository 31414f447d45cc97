// The keys of order-status beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <string>
#include <vector>

#include "app/shop_circuits.h"
#include "domain/status.h"

namespace order_status {

struct Config {
    std::string name = "main";
    std::vector<std::string> shops;
    std::string name_space = "syncline";
    TagNames tags;
    CircuitOptions circuits;

    void declare(syncline::kit::ConfigSchema& schema);
    // order-status.<name>.v1: a contract, renaming it reads everything again.
    [[nodiscard]] std::string group() const { return "order-status." + name + ".v1"; }
};

}  // namespace order_status
