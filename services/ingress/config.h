// What can be configured of ingress, besides the keys every service has (kafka.*, admin.*, shops_file, …).
#pragma once

#include <syncline/kit/config.h>
#include <chrono>
#include <string>
#include <vector>

#include "adapters/http_door.h"

namespace ingress {

struct Config {
    std::string listen = "0.0.0.0:8080";
    std::string path = "/webhooks/shopify";
    int threads = 2;
    std::string certificate_file;
    std::string key_file;
    std::vector<std::string> allowed_addresses;
    std::vector<std::string> trusted_proxies;
    std::string forwarded_header = "x-forwarded-for";
    std::chrono::milliseconds acknowledge_limit{3'000};
    std::chrono::milliseconds retry_after{2'000};
    syncline::kit::Bytes header_bytes_max{std::uint64_t{32} << 10U};
    syncline::kit::Bytes body_bytes_max{std::uint64_t{8} << 20U};
    syncline::kit::Bytes bytes_in_flight_max{std::uint64_t{128} << 20U};
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds idle_timeout{75'000};
    int connections_max = 10'000;
    int requests_in_flight_max = 4'096;
    int shop_share_percent = 50;
    std::string stock_path = "/stock";
    std::string stock_sources_file;
    int stock_records_max = 1'000;
    syncline::kit::Bytes stock_body_bytes_max{std::uint64_t{2} << 20U};
    std::chrono::milliseconds stock_clock_skew_max{150'000};
    std::chrono::milliseconds stock_acknowledge_limit{10'000};
    int stock_records_in_flight_max = 40'000;
    int stock_source_share_percent = 50;

    void declare(syncline::kit::ConfigSchema& schema);
    [[nodiscard]] HttpDoorOptions door(syncline::core::Clock& clock) const;
    [[nodiscard]] StockDoorOptions stock_door() const;
    [[nodiscard]] StockRules stock_rules() const;
    [[nodiscard]] StockLimits stock_limits() const;
};

}  // namespace ingress
