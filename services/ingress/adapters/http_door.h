// The public door: POST /webhooks/shopify, and below /stock what StockDoor says.
//
// Refuses what needs no body before the body is read (path, method, address, unknown shop, no signature), hands the rest to the
// use case and turns its answer into HTTP. Answers are RFC 9457 problems with these codes:
//   401 unknown_shop, signature_missing, signature_malformed, signature_wrong      403 address_not_allowed
//   404 unknown_path      405 method_not_allowed
//   503 acknowledge_timeout, producer_queue_full, producer_rebuilding, delivery_unknown, … with Retry-After
// and those of the server itself: 400, 408, 413, 414, 429, 431, 503.
//
// Owned by the service. start() opens the port; stop() drains. The handlers run on the server's io threads and never block.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/http/server.h>
#include <chrono>
#include <memory>
#include <string>

#include "adapters/address_list.h"
#include "adapters/stock/stock_door.h"
#include "adapters/webhook_metrics.h"
#include "app/ports.h"
#include "app/receive_webhook.h"

namespace ingress {

struct HttpDoorOptions {
    syncline::http::ServerOptions server;
    std::string path = "/webhooks/shopify";
    AddressList allowed;          // Of webhooks. Empty: everybody.
    AddressList trusted_proxies;  // Whose X-Forwarded-For is believed.
    std::string forwarded_header = "x-forwarded-for";
    std::chrono::seconds retry_after{2};  // Of our own 503.
};

class HttpDoor {
public:
    // `stock`: nullptr for a door of webhooks alone.
    HttpDoor(HttpDoorOptions options, const ShopDirectory& shops, ReceiveWebhook& receive, WebhookMetrics& metrics,
             syncline::core::Clock& clock, StockDoor* stock = nullptr);

    // Throws kit::StartError when the port cannot be opened.
    void start();
    // Takes nothing new, answers what is in hand until the deadline, then closes.
    void stop(const syncline::core::Deadline& deadline);
    // Of an open door: "http://127.0.0.1:41234".
    [[nodiscard]] std::string url() const;
    [[nodiscard]] syncline::http::ServerStats stats() const;

private:
    [[nodiscard]] syncline::http::HeadDecision judge(const syncline::http::Head& head);
    void handle(syncline::http::IncomingRequest&& request, syncline::http::Responder responder);

    const HttpDoorOptions options_;
    const ShopDirectory& shops_;
    ReceiveWebhook& receive_;
    WebhookMetrics& metrics_;
    syncline::core::Clock& clock_;
    StockDoor* const stock_;
    std::unique_ptr<syncline::http::Server> server_;
};

}  // namespace ingress
