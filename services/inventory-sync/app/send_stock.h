// Brings what shops should show to Shopify: at most 250 pairs a call, compare-and-set, every write kept before it leaves.
//
//   SendStock send(store, shop_stock, events, clock, {});
//   while (…) { const auto step = send.send("eu", deadline); if (!step.did) wait(step.wait); }
//
// A lost answer is the same bytes again under the same key. A stale compare makes the pair be looked at; what fell without a
// known order stays subtracted (domain/belief). A batch that is refused as a whole is halved until the bad pair stands alone: at
// most log2(250) + 2 further calls. A value that changes while a batch is on its way goes with the next one, so 5, 3, 5 arrives.
//
// Owned by the service. Any number of threads for a shop may call send(); look() is for one at a time. Blocks for one call.
#pragma once

#include <atomic>
#include <chrono>

#include "app/ports.h"

namespace inventory_sync {

struct SendOptions {
    std::size_t batch_max = 250;
    std::chrono::milliseconds call_timeout{20'000};
    std::chrono::milliseconds claim_margin{10'000};
    std::chrono::hours key_remembered{20};  // Shopify keeps keys for 24 hours.
};

struct Step {
    bool did = false;                     // There may be more at once.
    std::chrono::milliseconds wait{200};  // Else, how long to wait.
};

class SendStock {
public:
    SendStock(SendStore& store, ShopStock& shops, SendEvents& events, core::Clock& clock, SendOptions options)
        : store_(store), shops_(shops), events_(events), clock_(clock), options_(options) {}

    Step send(const std::string& shop);
    Step look(const std::string& shop);

private:
    Step settle(const Batch& batch, const Sent& sent);
    Step failed(std::string_view event, const core::Error& error);

    SendStore& store_;
    ShopStock& shops_;
    SendEvents& events_;
    core::Clock& clock_;
    SendOptions options_;
    std::atomic<std::uint64_t> formed_{0};
};

}  // namespace inventory_sync
