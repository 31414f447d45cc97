// A difference as the event StockDivergenceDetected.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "domain/divergence.h"
#include "domain/healing.h"

namespace google::protobuf {
class MessageLite;
}

namespace reconciliation {

struct DivergenceEvent {
    std::string run_id;
    std::string shop;
    std::string compared_with;
    std::string sku;
    std::string location;
    std::int64_t item_id = 0;
    std::optional<core::Decimal> shopify;
    std::optional<core::Decimal> other;
    DivergenceClass kind = DivergenceClass::drift;
    std::string cause;
    std::int64_t observed_at_ns = 0;
    Healing healing = Healing::none;
};

[[nodiscard]] std::shared_ptr<const google::protobuf::MessageLite> message_of(const DivergenceEvent& event);

}  // namespace reconciliation
