#include "adapters/batch_handlers.h"

#include <syncline/postgres/pool.h>
#include <syncline/topics.h>

namespace inventory_sync {
namespace {

namespace topics = syncline::topics;
using syncline::postgres::Transaction;

constexpr std::size_t kRecordsMax = 5'000;
constexpr std::size_t kOrdersMax = 500;  // Each is read, changed and written back whole.

}  // namespace

BatchHandlers::BatchHandlers(core::Clock& clock, syncline::telemetry::Metrics& metrics, RulesSource rules)
    : clock_(clock),
      rules_(std::move(rules)),
      backlog_(clock),
      reports_(
          metrics.counter("syncline_inventory_sync_reports_total",
                          "Stock reports by what became of them: taken, passed (superseded or repeated), sequence_back, bad.",
                          {"kind", "outcome"})),
      orders_(
          metrics.counter("syncline_inventory_sync_orders_total", "Orders and fulfillments, taken or superseded.", {"outcome"})),
      webhooks_(metrics.counter("syncline_inventory_sync_level_webhooks_total",
                                "Webhooks about levels: own writes recognised, foreign ones looked at.", {"outcome"})) {}

kit::BatchHandler BatchHandlers::inventory(const std::string& group) {
    using Event = kit::BatchEvent<inventory_v1::StockReported, inventory_v1::StockAdjusted, inventory_v1::InventoryLevelChanged,
                                  inventory_v1::InventoryItemChanged, inventory_v1::LocationChanged>;
    return kit::batch_of<inventory_v1::StockReported, inventory_v1::StockAdjusted, inventory_v1::InventoryLevelChanged,
                         inventory_v1::InventoryItemChanged, inventory_v1::LocationChanged>(
        {.topic = topics::inventory,
         .consumer_group = group,
         .records_max = kRecordsMax,
         .apply = [this](std::span<const Event> events, Transaction& tx) -> core::Result<kit::BatchOutcome> {
             kit::BatchOutcome outcome;
             std::vector<ArrivedLevel> levels;
             std::vector<ArrivedChange> changes;
             std::vector<ArrivedItem> items;
             std::vector<ArrivedAvailable> available;
             std::vector<ArrivedLocation> locations;
             levels.reserve(events.size());
             for (std::size_t i = 0; i < events.size(); ++i) {
                 const auto& event = events[i];
                 if (const auto* report = event.get<inventory_v1::StockReported>()) {
                     auto level = to_level(*report);
                     if (level) {
                         levels.push_back(std::move(*level));
                     } else {
                         outcome.bad.push_back({i, std::move(level.error())});
                     }
                 } else if (const auto* adjusted = event.get<inventory_v1::StockAdjusted>()) {
                     auto change = to_change(*adjusted);
                     if (change) {
                         changes.push_back(std::move(*change));
                     } else {
                         outcome.bad.push_back({i, std::move(change.error())});
                     }
                 } else if (const auto* item = event.get<inventory_v1::InventoryItemChanged>()) {
                     items.push_back(to_item(*item));
                 } else if (const auto* location = event.get<inventory_v1::LocationChanged>()) {
                     locations.push_back(to_location(*location));
                 } else if (const auto* level = event.get<inventory_v1::InventoryLevelChanged>()) {
                     if (level->has_available()) {
                         available.push_back({.shop = level->shop(),
                                              .item = level->inventory_item_id(),
                                              .location = level->location_id(),
                                              .available = level->available()});
                     }
                 }
             }
             const auto now = clock_.now();
             const auto taken = take_stock(tx, levels, changes, now);
             if (!taken) {
                 return std::unexpected(taken.error());
             }
             // Pairs before items: rows are taken in one order everywhere.
             const auto seen = take_available(tx, available);
             if (!seen) {
                 return std::unexpected(seen.error());
             }
             if (auto done = take_locations(tx, locations, now); !done) {
                 return std::unexpected(std::move(done.error()));
             }
             if (auto done = take_items(tx, items, now); !done) {
                 return std::unexpected(std::move(done.error()));
             }
             reports_.with({"level", "taken"}).add(static_cast<double>(taken->levels_taken));
             reports_.with({"level", "passed"}).add(static_cast<double>(taken->levels_passed - taken->sequences_back));
             reports_.with({"level", "sequence_back"}).add(static_cast<double>(taken->sequences_back));
             reports_.with({"change", "taken"}).add(static_cast<double>(taken->changes_taken));
             reports_.with({"change", "passed"}).add(static_cast<double>(taken->changes_passed));
             reports_.with({"any", "bad"}).add(static_cast<double>(outcome.bad.size()));
             backlog_.took(events.size(), kRecordsMax);
             webhooks_.with({"own"}).add(static_cast<double>(seen->own));
             webhooks_.with({"foreign"}).add(static_cast<double>(seen->foreign));
             return outcome;
         }});
}

kit::BatchHandler BatchHandlers::orders(const std::string& group) {
    using Event = kit::BatchEvent<orders_v1::OrderChanged, orders_v1::OrderDeleted>;
    return kit::batch_of<orders_v1::OrderChanged, orders_v1::OrderDeleted>(
        {.topic = topics::orders,
         .consumer_group = group,
         .records_max = kOrdersMax,
         .apply = [this](std::span<const Event> events, Transaction& tx) -> core::Result<kit::BatchOutcome> {
             kit::BatchOutcome outcome;
             std::vector<OrderSnapshot> snapshots;
             std::vector<ArrivedDeletion> deletions;
             for (std::size_t i = 0; i < events.size(); ++i) {
                 if (const auto* deleted = events[i].get<orders_v1::OrderDeleted>()) {
                     deletions.push_back(
                         {.order = {.shop = deleted->shop(), .order = deleted->order_id()}, .confirmed = deleted->confirmed()});
                     continue;
                 }
                 auto order = to_order(*events[i].get<orders_v1::OrderChanged>());
                 if (order) {
                     snapshots.push_back(std::move(*order));
                 } else {
                     outcome.bad.push_back({i, std::move(order.error())});
                 }
             }
             const auto rules = rules_().rules;
             const auto taken = take_orders(tx, snapshots, {}, rules.get(), clock_.now());
             if (!taken) {
                 return std::unexpected(taken.error());
             }
             if (auto done = delete_orders(tx, deletions, rules.get(), clock_.now()); !done) {
                 return std::unexpected(std::move(done.error()));
             }
             orders_.with({"taken"}).add(static_cast<double>(taken->taken));
             orders_.with({"superseded"}).add(static_cast<double>(taken->superseded));
             return outcome;
         }});
}

kit::BatchHandler BatchHandlers::fulfillments(const std::string& group) {
    using Event = kit::BatchEvent<fulfillments_v1::FulfillmentChanged, fulfillments_v1::FulfillmentOrderNoticed>;
    return kit::batch_of<fulfillments_v1::FulfillmentChanged, fulfillments_v1::FulfillmentOrderNoticed>(
        {.topic = topics::fulfillments,
         .consumer_group = group,
         .records_max = kOrdersMax,
         .apply = [this](std::span<const Event> events, Transaction& tx) -> core::Result<kit::BatchOutcome> {
             kit::BatchOutcome outcome;
             std::vector<ArrivedFulfillment> fulfillments;
             std::vector<OrderKey> noticed;
             for (std::size_t i = 0; i < events.size(); ++i) {
                 if (const auto* left = events[i].get<fulfillments_v1::FulfillmentChanged>()) {
                     auto fulfillment = to_fulfillment(*left);
                     if (fulfillment) {
                         fulfillments.push_back(std::move(*fulfillment));
                     } else {
                         outcome.bad.push_back({i, std::move(fulfillment.error())});
                     }
                 } else if (const auto* notice = events[i].get<fulfillments_v1::FulfillmentOrderNoticed>()) {
                     // Without the order's id nothing can be found; the order's next snapshot shows units without a place.
                     if (notice->order_id() != 0) {
                         noticed.push_back({.shop = notice->shop(), .order = notice->order_id()});
                     }
                 }
             }
             const auto rules = rules_().rules;
             const auto now = clock_.now();
             const auto taken = take_orders(tx, {}, fulfillments, rules.get(), now);
             if (!taken) {
                 return std::unexpected(taken.error());
             }
             if (auto done = notice_orders(tx, noticed, now); !done) {
                 return std::unexpected(std::move(done.error()));
             }
             orders_.with({"taken"}).add(static_cast<double>(taken->taken));
             orders_.with({"superseded"}).add(static_cast<double>(taken->superseded));
             return outcome;
         }});
}

}  // namespace inventory_sync
