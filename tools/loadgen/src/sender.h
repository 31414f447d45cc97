// Plays Shopify's sender, and that of stock sources: signed HTTP/1.1 posts over kept connections, sent when they are due whether
// or not earlier ones have been answered (open loop), repeated on anything but 2xx.
//
// Deliveries of one key use one connection, one after the other, so an order's webhooks arrive in their order unless the schedule
// itself shuffles them. run() blocks; one thread does the network, another one prepares and signs ahead.
#pragma once

#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "src/report.h"
#include "src/webhook.h"

namespace loadgen {

struct SenderOptions {
    std::string host, port;
    std::string path = "/webhooks/shopify";
    std::string stock_path = "/stock";
    std::map<std::string, std::string> secrets;  // By shop alias; of stock by source: its API key.
    std::string api_version = "2026-07";
    unsigned connections = 64;
    bool paced = true;                                 // False: as fast as the connections carry, ignoring the schedule.
    unsigned in_flight_max = 0;                        // Of unpaced sending; 0: four a connection.
    std::chrono::milliseconds connect_timeout{1'000};  // Shopify's.
    std::chrono::milliseconds request_timeout{5'000};  // Shopify's.
    // Shopify repeats eight times over four hours; here the first wait, doubled each time.
    unsigned retries = 8;
    std::chrono::milliseconds retry_wait{250};
    // Called about once a second from the network's thread.
    std::function<void(const Report& so_far)> progress;
};

using Source = std::function<std::optional<Webhook>()>;  // Asked by one thread; ascending in `at`.

// "http://127.0.0.1:8080" or with a path of its own. Error: code "url_malformed".
[[nodiscard]] syncline::core::Result<void> set_url(SenderOptions& options, std::string_view url);

// Ends when everything is acknowledged or given up, or soon after SIGINT or SIGTERM.
[[nodiscard]] Report send_all(const SenderOptions& options, const Source& source);

// The value of X-Shopify-Hmac-Sha256.
[[nodiscard]] std::string signature_of(std::string_view secret, std::string_view body);

}  // namespace loadgen
