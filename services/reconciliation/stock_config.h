// The keys of the comparison of stock: stock.*
#pragma once

#include <syncline/kit/config.h>
#include <syncline/kit/secret_file.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace reconciliation {

struct StockConfig {
    std::string mapping;  // inventory-sync's, read from the same folder; empty: stock is not compared.
    std::vector<std::string> inventory_sync;
    syncline::kit::SecretFile inventory_sync_token;
    std::string spill_folder = "/tmp";
    syncline::kit::Bytes memory{std::uint64_t{32} << 20U};
    std::string nightly = "02:30";
    std::string timezone;
    std::chrono::milliseconds changed_every{3'600'000};
    std::chrono::milliseconds sync_delay{120'000};
    std::chrono::milliseconds clock_skew{120'000};
    std::chrono::milliseconds bulk_timeout{7'200'000};
    std::string healing = "propose";
    int brake_percent = 5;
    int brake_zero = 20;
    int shrink_percent = 30;
    std::int64_t differences_max = 100'000;
    int keep_days = 30;

    void declare(syncline::kit::ConfigSchema& schema);
};

}  // namespace reconciliation
