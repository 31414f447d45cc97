// POST /stock/<source>: the way in for stock that a warehouse, an ERP or a till pushes.
//
// Part of the public door: HttpDoor hands it every request below its path. What needs no body is refused before the body is read,
// a wrong API key included. Answers:
//   202 {"reports": n, "adjustments": n}     the brokers have every record
//   400 what is no JSON       401 unknown_source, api_key_missing, api_key_wrong, signature_missing, signature_malformed,
//   signature_wrong           404, 405       413 body_too_large, batch_too_large
//   422 a record breaks a rule: `errors` names the first ones by place, code and reason; nothing was published
//   429 source_over_share     503 acknowledge_timeout, producer_queue_full, … with Retry-After
// as RFC 9457 problems. A refusal is right here, unlike for webhooks: the sender is ours to mend, and nothing is lost by it.
//
// Owned by the service, outlives the door; any thread; nothing blocks.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/http/server.h>
#include <chrono>
#include <string>
#include <string_view>

#include "adapters/stock/stock_metrics.h"
#include "app/receive_stock.h"

namespace ingress {

struct StockDoorOptions {
    std::string path = "/stock";
    std::size_t body_bytes_max = std::size_t{2} << 20U;
    std::chrono::seconds retry_after{2};
};

class StockDoor {
public:
    StockDoor(StockDoorOptions options, const StockSources& sources, ReceiveStock& receive, StockMetrics& metrics,
              syncline::core::Clock& clock);

    // Whether a path is below this door's.
    [[nodiscard]] bool owns(std::string_view path) const;
    [[nodiscard]] syncline::http::HeadDecision judge(const syncline::http::Head& head) const;
    void handle(syncline::http::IncomingRequest&& request, syncline::http::Responder responder);

private:
    [[nodiscard]] std::shared_ptr<const KnownSource> source_of(std::string_view path) const;

    const StockDoorOptions options_;
    const StockSources& sources_;
    ReceiveStock& receive_;
    StockMetrics& metrics_;
    syncline::core::Clock& clock_;
};

}  // namespace ingress
