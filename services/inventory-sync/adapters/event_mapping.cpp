#include "adapters/event_mapping.h"

#include <syncline/core/time.h>

namespace inventory_sync {
namespace {

using core::ErrorKind;
using core::fail;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kUnitsMax = 1'000'000'000;
// Years 1970 to 2200: what lies beyond would not fit into nanoseconds.
constexpr std::int64_t kSecondsMax = 7'258'118'400;

core::Result<core::SystemTime> time_of(bool present, const google::protobuf::Timestamp& time, const char* code) {
    if (!present || time.seconds() < 0 || time.seconds() > kSecondsMax || time.nanos() < 0 || time.nanos() >= kNanosPerSecond) {
        return fail(ErrorKind::malformed, code, "the time is missing or out of range");
    }
    return core::time_from_nanos(time.seconds() * kNanosPerSecond + time.nanos());
}

std::int64_t nanos_or_zero(const google::protobuf::Timestamp& time) {
    const auto read = time_of(true, time, "");
    return read ? core::nanos_since_epoch(*read) : 0;
}

// Shopify states when something was made to the second. It may have been at the end of that second: a report from within it is
// taken as one from before, which can hold stock back for a moment but never sell it twice.
core::SystemTime latest_moment(const google::protobuf::Timestamp& made) {
    const auto nanos = nanos_or_zero(made);
    return core::time_from_nanos(nanos + (nanos > 0 && made.nanos() == 0 ? 999'999'999 : 0));
}

core::Result<Decimal> quantity_of(const syncline::common::v1::Decimal& value) {
    const auto quantity = Decimal::parse(value.value());
    return quantity ? acceptable(*quantity) : quantity;
}

core::Result<std::int64_t> units_of(const syncline::common::v1::Decimal& value) {
    if (value.value().empty()) {
        return 0;
    }
    const auto quantity = Decimal::parse(value.value());
    const auto whole = quantity ? quantity->to_int64() : core::Result<std::int64_t>(std::unexpected(quantity.error()));
    if (!whole || *whole < 0 || *whole > kUnitsMax) {
        return fail(ErrorKind::malformed, "quantity_not_whole", "an order counts whole units");
    }
    return *whole;
}

core::Result<std::pair<Position, Basis>> position_of(const inventory_v1::StockPosition& position) {
    if (position.source().empty() || position.location().empty() || position.sku().empty()) {
        return fail(ErrorKind::malformed, "position_incomplete", "a report needs source, location and SKU");
    }
    Position where{.sku = position.sku(), .place = {.source = position.source(), .location = position.location()}};
    switch (position.basis()) {
        case inventory_v1::STOCK_BASIS_PHYSICAL:
            return std::pair(std::move(where), Basis::physical);
        case inventory_v1::STOCK_BASIS_NET_OF_OWN:
            return std::pair(std::move(where), Basis::net_of_own);
        case inventory_v1::STOCK_BASIS_NET_OF_ALL:
            return std::pair(std::move(where), Basis::net_of_all);
        default:
            return fail(ErrorKind::malformed, "basis_unknown", "the report does not say what its quantity means");
    }
}

bool is_cancelled(const std::string& status) {
    return status == "cancelled" || status == "error" || status == "failure";
}

}  // namespace

core::Result<ArrivedLevel> to_level(const inventory_v1::StockReported& event) {
    auto position = position_of(event.position());
    const auto quantity = quantity_of(event.quantity());
    const auto observed = time_of(event.has_observed_at(), event.observed_at(), "observed_at_missing");
    if (!position || !quantity || !observed) {
        return std::unexpected(!position ? position.error() : !quantity ? quantity.error() : observed.error());
    }
    return ArrivedLevel{.position = std::move(position->first),
                        .basis = position->second,
                        .unit = event.position().unit(),
                        .level = {.quantity = *quantity,
                                  .observed = *observed,
                                  .epoch = event.epoch(),
                                  .sequence = event.sequence(),
                                  .snapshot = event.snapshot_id()}};
}

core::Result<ArrivedChange> to_change(const inventory_v1::StockAdjusted& event) {
    auto position = position_of(event.position());
    const auto delta = quantity_of(event.delta());
    const auto observed = time_of(event.has_observed_at(), event.observed_at(), "observed_at_missing");
    if (!position || !delta || !observed) {
        return std::unexpected(!position ? position.error() : !delta ? delta.error() : observed.error());
    }
    if (event.adjustment_id().empty()) {
        return fail(ErrorKind::malformed, "adjustment_id_missing", "a change needs an id of its own to count once");
    }
    return ArrivedChange{.position = std::move(position->first),
                         .basis = position->second,
                         .unit = event.position().unit(),
                         .change = {.delta = *delta, .observed = *observed, .id = event.adjustment_id(), .epoch = event.epoch()}};
}

core::Result<OrderSnapshot> to_order(const orders_v1::OrderChanged& event) {
    const auto& order = event.order();
    OrderSnapshot snapshot{.key = {.shop = order.shop(), .order = order.order_id()},
                           .version = {.updated_ns = nanos_or_zero(order.source_updated_at()),
                                       .observed_ns = nanos_or_zero(order.observed_at()),
                                       .fetched = order.fetched()},
                           .placed = latest_moment(order.has_created_at() ? order.created_at() : order.processed_at()),
                           .lines = {},
                           .fulfillments = {}};
    for (const auto& line : order.lines()) {
        const auto open = units_of(line.fulfillable_quantity());
        const auto ordered = units_of(line.quantity());
        if (!open || !ordered) {
            return std::unexpected(!open ? open.error() : ordered.error());
        }
        // Custom lines and tips have no stock.
        if (line.sku().empty() || line.variant_id() == 0) {
            continue;
        }
        snapshot.lines.push_back(
            {.line = line.line_item_id(), .sku = line.sku(), .open = order.has_cancelled_at() ? 0 : *open, .ordered = *ordered});
    }
    for (const auto& told : order.fulfillments()) {
        Fulfillment fulfillment{.id = told.fulfillment_id(),
                                .location = told.location_id(),
                                .cancelled = is_cancelled(told.status()),
                                .at = latest_moment(told.created_at()),
                                .lines = {},
                                .version = {},
                                .in_order = true};
        for (const auto& line : told.lines()) {
            const auto quantity = units_of(line.quantity());
            if (!quantity) {
                return std::unexpected(quantity.error());
            }
            fulfillment.lines.push_back({.line = line.line_item_id(), .sku = {}, .quantity = *quantity});
        }
        snapshot.fulfillments.push_back(std::move(fulfillment));
    }
    return snapshot;
}

core::Result<ArrivedFulfillment> to_fulfillment(const fulfillments_v1::FulfillmentChanged& event) {
    ArrivedFulfillment arrived{.order = {.shop = event.shop(), .order = event.order_id()},
                               .fulfillment = {.id = event.fulfillment_id(),
                                               .location = event.location_id(),
                                               .cancelled = is_cancelled(event.status()),
                                               .at = latest_moment(event.created_at()),
                                               .lines = {},
                                               .version = {.updated_ns = nanos_or_zero(event.source_updated_at()),
                                                           .observed_ns = nanos_or_zero(event.observed_at())},
                                               .in_order = false}};
    for (const auto& line : event.lines()) {
        const auto quantity = units_of(line.quantity());
        if (!quantity) {
            return std::unexpected(quantity.error());
        }
        if (line.variant_id() == 0) {
            continue;
        }
        arrived.fulfillment.lines.push_back({.line = line.line_item_id(), .sku = line.sku(), .quantity = *quantity});
    }
    return arrived;
}

ArrivedLocation to_location(const inventory_v1::LocationChanged& event) {
    return {.shop = event.shop(),
            .location = event.location_id(),
            .name = event.name(),
            .active = event.active(),
            .deleted = event.deleted(),
            .version_ns = nanos_or_zero(event.source_updated_at())};
}

ArrivedItem to_item(const inventory_v1::InventoryItemChanged& event) {
    const auto updated = nanos_or_zero(event.source_updated_at());
    return {.shop = event.shop(),
            .item = event.inventory_item_id(),
            .sku = event.sku(),
            .tracked = event.tracked(),
            .deleted = event.deleted(),
            // A deletion has no time of its own.
            .version_ns = updated != 0 ? updated : nanos_or_zero(event.observed_at())};
}

}  // namespace inventory_sync
