// What happens to an order, from its placing to its end: the webhooks Shopify sends, and what must stand in the ERP afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/order_builder.h"
#include "src/webhook.h"

namespace loadgen {

enum class Mix : std::uint8_t {
    single,  // One webhook an order (already paid), and what its kind cannot do without.
    real,    // Create, transaction, paid, two updates, and what its kind brings.
};

struct StoryOptions {
    Mix mix = Mix::real;
    std::chrono::milliseconds step{400};  // Between two things that happen to an order, half to one and a half times.
    std::uint64_t seed = 1;
    SystemTime start;  // Of the run: `Webhook::at` counts from it.
};

// The end an order must come to with the rules as they are by default.
struct Ending {
    // Of the order: "document", "skipped" (reason) or "held" (reason; waits_for or a document that stays as it is).
    std::string fate = "document";
    std::string reason;
    std::string waits_for;
    // Of the document: "confirmed", "quotation", "cancelled"; empty without one.
    std::string state = "confirmed";
    // Its cancellation may come before anything was exported; then there is no document either.
    bool absent_allowed = false;
    // Of refunds by position: empty is a credit note, else why it is held.
    std::vector<std::string> held_refunds;
};

struct Story {
    Order order;  // As it stands at the end.
    Ending ending;
    std::vector<Webhook> webhooks;  // In the order in which they were triggered.
    bool ordered = false;           // Its end depends on their order: they are never held back.
};

[[nodiscard]] Story tell(Order order, std::uint64_t index, const StoryOptions& options);

// The order's final state as one JSON object: document lines, total, credit notes, fate.
[[nodiscard]] std::string expectation(const Story& story);

}  // namespace loadgen
