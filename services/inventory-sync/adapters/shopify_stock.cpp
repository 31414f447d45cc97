#include "adapters/shopify_stock.h"

#include <syncline/shopify/fulfillment_orders.h>
#include <syncline/shopify/stock.h>
#include <map>

namespace inventory_sync {
namespace {

namespace shopify = syncline::shopify;
using shopify::Priority;

shopify::InventoryItemId item_id(std::int64_t id) {
    return shopify::InventoryItemId(static_cast<std::uint64_t>(id));
}
shopify::LocationId location_id(std::int64_t id) {
    return shopify::LocationId(static_cast<std::uint64_t>(id));
}
std::int64_t plain(std::uint64_t id) {
    return static_cast<std::int64_t>(id);
}

shopify::Asked asked_of(const Look& look) {
    if (look.counts_committed) {
        return shopify::Asked::available_and_committed;
    }
    return look.name == QuantityName::on_hand ? shopify::Asked::on_hand : shopify::Asked::available;
}

Sent sent_from(const core::Error& error) {
    Sent sent{.retry_after = error.retry_after, .code = error.code};
    if (error.kind == core::ErrorKind::throttled || error.kind == core::ErrorKind::transient ||
        error.kind == core::ErrorKind::unauthorized) {
        sent.fate = SendFate::not_done;
        return sent;
    }
    switch (shopify::fate_of(error)) {
        case shopify::BatchFate::send_again:
            sent.fate = SendFate::again;
            break;
        case shopify::BatchFate::form_anew:
            sent.fate = SendFate::form_anew;
            break;
        case shopify::BatchFate::give_up:
            sent.fate = SendFate::give_up;
            break;
    }
    return sent;
}

}  // namespace

core::Result<std::string> ShopifyStock::form(const std::string& shop, QuantityName name, const std::vector<Write>& writes) {
    std::vector<shopify::QuantityChange> changes;
    changes.reserve(writes.size());
    for (const auto& write : writes) {
        changes.push_back({.item = item_id(write.pair.item),
                           .location = location_id(write.pair.location),
                           .quantity = write.quantity,
                           .change_from = write.change_from});
    }
    const auto batch = shopify::form_set_quantities(
        name == QuantityName::on_hand ? shopify::QuantityName::on_hand : shopify::QuantityName::available, changes,
        "gid://syncline/InventorySync/" + shop);
    if (!batch) {
        return std::unexpected(batch.error());
    }
    return batch->serialise();
}

Sent ShopifyStock::send(const std::string& shop, const std::string& body, const core::Deadline& deadline) {
    const auto batch = shopify::IdempotentBatch::parse(body);
    if (!batch) {
        return {.fate = SendFate::give_up, .code = batch.error().code};
    }
    const auto admin = admins_.of(shop);
    if (!admin) {
        // Its settings may come back with the next shops.yaml.
        return {.fate = SendFate::not_done, .code = admin.error().code};
    }
    const auto outcome = shopify::set_quantities(**admin, *batch, Priority::stock_and_orders, deadline);
    if (!outcome) {
        return sent_from(outcome.error());
    }
    Sent sent;
    if (outcome->applied) {
        return sent;
    }
    sent.fate = outcome->form_anew && outcome->pairs.empty() ? SendFate::form_anew : SendFate::refused;
    for (const auto& problem : outcome->pairs) {
        sent.problems.push_back(
            {.index = problem.index,
             .kind = problem.kind == shopify::PairProblemKind::stale ? ProblemKind::stale : ProblemKind::refused,
             .code = problem.code});
    }
    return sent;
}

core::Result<std::vector<ShopLevel>> ShopifyStock::read(const std::string& shop, const std::vector<Look>& looks,
                                                        const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    // Every quantity costs a point for each pair, so each pair is asked for what it needs alone.
    std::map<shopify::Asked, std::vector<std::size_t>> wanted;
    for (std::size_t i = 0; i < looks.size(); ++i) {
        wanted[asked_of(looks[i])].push_back(i);
    }
    std::vector<ShopLevel> found(looks.size());
    for (const auto& [asked, places] : wanted) {
        std::vector<shopify::Pair> pairs;
        pairs.reserve(places.size());
        for (const auto place : places) {
            pairs.push_back({.item = item_id(looks[place].pair.item), .location = location_id(looks[place].pair.location)});
        }
        const auto levels = shopify::read_levels(**admin, pairs, asked, Priority::stock_and_orders, deadline);
        if (!levels) {
            return std::unexpected(levels.error());
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            const auto& level = levels->levels[i];
            found[places[i]] = {.stocked = level.item_exists && level.stocked,
                                .quantity = asked == shopify::Asked::on_hand ? level.on_hand : level.available,
                                .committed = level.committed};
        }
    }
    return found;
}

core::Result<std::vector<FoundItem>> ShopifyStock::find_items(const std::string& shop, const std::vector<std::string>& skus,
                                                              const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    const auto items = shopify::items_by_sku(**admin, skus, Priority::stock_and_orders, deadline);
    if (!items) {
        return std::unexpected(items.error());
    }
    std::vector<FoundItem> found;
    for (const auto& item : *items) {
        found.push_back({.item = plain(item.id.value()), .sku = item.sku, .tracked = item.tracked});
    }
    return found;
}

core::Result<std::vector<ShopLocation>> ShopifyStock::locations(const std::string& shop, const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    const auto all = shopify::locations(**admin, Priority::stock_and_orders, deadline);
    if (!all) {
        return std::unexpected(all.error());
    }
    std::vector<ShopLocation> found;
    found.reserve(all->size());
    for (const auto& location : *all) {
        found.push_back({.location = plain(location.id.value()), .name = location.name, .active = location.active});
    }
    return found;
}

core::Result<std::optional<std::vector<PlacedLine>>> ShopifyStock::places(const std::string& shop, std::int64_t order,
                                                                          const core::Deadline& deadline) {
    const auto admin = admins_.of(shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    const auto orders = shopify::fulfillment_orders(**admin, core::OrderId(static_cast<std::uint64_t>(order)),
                                                    Priority::stock_and_orders, deadline);
    if (!orders) {
        return std::unexpected(orders.error());
    }
    if (!*orders) {
        return std::optional<std::vector<PlacedLine>>{};
    }
    std::vector<PlacedLine> places;
    for (const auto& fulfillment_order : **orders) {
        for (const auto& line : fulfillment_order.lines) {
            if (fulfillment_order.location && line.remaining > 0) {
                places.push_back({.line = plain(line.line_item_id),
                                  .location = plain(fulfillment_order.location->value()),
                                  .quantity = line.remaining});
            }
        }
    }
    return std::optional(std::move(places));
}

}  // namespace inventory_sync
