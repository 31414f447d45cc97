// One delivery of Shopify's sender, or of a stock source (stock.h).
#pragma once

#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace loadgen {

// The topic of a body of stock: it goes to POST /stock/<shop>, with the source's API key.
inline constexpr std::string_view kStockTopic = "stock";

struct Webhook {
    std::chrono::milliseconds at{0};  // After the beginning of the run.
    std::string shop;                 // Alias.
    std::string domain;
    std::string topic;
    std::string webhook_id;  // Repeated by a duplicate.
    std::string event_id;    // Shared by what one action caused.
    std::string triggered_at;
    std::string key;   // "<shop>/<order id>": deliveries of one key are sent one after the other.
    std::string body;  // Exactly these bytes are signed and sent.
    bool duplicate = false;
};

// One JSON object on one line; the body is a text in it, so that broken bodies survive.
[[nodiscard]] std::string to_line(const Webhook& webhook);
[[nodiscard]] syncline::core::Result<Webhook> from_line(std::string line);

}  // namespace loadgen
