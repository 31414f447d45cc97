#include "app/show_status.h"

#include <syncline/core/time.h>

namespace order_status {

using core::ErrorKind;
using kit::Outcome;

namespace {

// A person says: leave the metafields alone, show the tags.
constexpr std::string_view kTypeDiffers = "metafield_type_differs";

}  // namespace

Outcome ShowStatus::run(const OrderKey& key, const std::string& connection, const Statement& statement, kit::Delivery& delivery) {
    auto order = ports_.store.find(key);
    if (!order) {
        return Outcome::failed(std::move(order.error()));
    }
    if (!take(order->connections[connection], statement) && !delivery.verify()) {
        return Outcome::skip("superseded");
    }
    auto change = change_for(*order, connection, tags_, delivery.verify());
    if (change.empty()) {
        ports_.store.record(delivery, *order, connection);
        return Outcome::skip("unchanged");
    }
    if (!ports_.shops.serves(key.shop) || (!shops_.empty() && !shops_.contains(key.shop.value()))) {
        ports_.store.record(delivery, *order, connection);
        return Outcome::skip("shop_not_served");
    }
    if (delivery.override_code() == kTypeDiffers) {
        change.fields.clear();
    }
    // Half of the time is for waiting, the other for writing.
    auto turn = ports_.circuits.enter(key.shop.value(), key.text(), core::Deadline(ports_.clock, delivery.deadline().left() / 2));
    if (!turn) {
        return Outcome::failed(std::move(turn.error()));
    }
    bool asked = false;
    auto record = delivery.effect({.external_key = key.text(), .version = {.source_updated_at_ns = order->revision + 1}},
                                  [&](const kit::Lease& lease) {
                                      asked = true;
                                      return bring(key, change, lease, delivery);
                                  });
    if (asked && record) {
        turn->answered();
    } else if (asked) {
        turn->failed(record.error());
    }
    if (!record && record.error().code == "order_not_found") {
        // Deleted, or of another app's eyes only: nobody is left to tell.
        ports_.store.record(delivery, *order, connection);
        return Outcome::skip("order_not_found");
    }
    if (!record) {
        return Outcome::failed(std::move(record.error()));
    }
    mark_shown(*order, connection, tags_);
    ports_.store.record(delivery, *order, connection);
    if (asked) {
        ports_.shown(key.shop, ports_.clock.now() - core::time_from_nanos(statement.version.said_ns));
    }
    return Outcome::done();
}

core::Result<kit::EffectRecord> ShowStatus::bring(const OrderKey& key, const Change& change, const kit::Lease& lease,
                                                  const kit::Delivery& delivery) {
    const auto deadline = delivery.deadline().sooner_of(core::Deadline(ports_.clock, lease.until()));
    // Setting what is set already changes nothing and sends no webhook, so that the whole may be repeated from the start.
    core::Result<void> done;
    if (!change.fields.empty()) {
        done = ports_.shops.set_fields(key, change.fields, deadline);
    }
    if (done && !change.tags_added.empty()) {
        done = ports_.shops.add_tags(key, change.tags_added, deadline);
    }
    if (done && !change.tags_removed.empty()) {
        done = ports_.shops.remove_tags(key, change.tags_removed, deadline);
    }
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    return kit::EffectRecord{.target_id = key.id.text(), .name = {}, .detail = {}};
}

}  // namespace order_status
