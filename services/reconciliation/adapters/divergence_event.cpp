#include "adapters/divergence_event.h"

#include <syncline/core/parse.h>
#include <syncline/reconciliation/v1/events.pb.h>

namespace reconciliation {
namespace {

namespace v1 = syncline::reconciliation::v1;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

v1::Healing healing_of(Healing healing) {
    switch (healing) {
        case Healing::none:
            return v1::HEALING_NONE;
        case Healing::proposed:
            return v1::HEALING_PROPOSED;
        case Healing::corrected:
            return v1::HEALING_CORRECTED;
        case Healing::braked:
            break;
    }
    return v1::HEALING_BRAKED;
}

}  // namespace

std::shared_ptr<const google::protobuf::MessageLite> message_of(const DivergenceEvent& event) {
    auto message = std::make_shared<v1::StockDivergenceDetected>();
    message->set_run_id(event.run_id);
    message->set_shop(event.shop);
    message->set_location_id(core::parse_int<std::int64_t>(event.location).value_or(0));
    message->set_sku(event.sku);
    message->set_inventory_item_id(event.item_id);
    message->set_compared_with(event.compared_with);
    if (event.shopify) {
        message->mutable_shopify_quantity()->set_value(event.shopify->to_string());
    }
    if (event.other) {
        message->mutable_other_quantity()->set_value(event.other->to_string());
    }
    message->set_class_(static_cast<v1::DivergenceClass>(static_cast<int>(event.kind) + 1));
    if (event.observed_at_ns > 0) {
        message->mutable_observed_at()->set_seconds(event.observed_at_ns / kNanosPerSecond);
        message->mutable_observed_at()->set_nanos(static_cast<std::int32_t>(event.observed_at_ns % kNanosPerSecond));
    }
    message->set_likely_cause(event.cause);
    message->set_healing(healing_of(event.healing));
    return message;
}

}  // namespace reconciliation
