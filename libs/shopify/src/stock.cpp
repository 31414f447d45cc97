#include "syncline/shopify/stock.h"

#include <fmt/format.h>
#include <syncline/core/parse.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/pages.h>
#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr std::int64_t kQuantityMax = 1'000'000'000;
constexpr std::size_t kPointsOfRead =
    480;  // Half of what one query may request: real prices may differ from the published rules.
constexpr std::size_t kSkusMax = 25;

// {"a":1,…} without its braces.
std::string members_of(json::Writer&& out) {
    const auto text = std::move(out).take();
    return text.substr(1, text.size() - 2);
}

// ["input", "quantities", "3", "changeFromQuantity"] → 3.
std::optional<std::size_t> index_of(const UserError& error, std::size_t size) {
    const auto list = std::ranges::find(error.field, "quantities");
    if (list == error.field.end() || list + 1 == error.field.end()) {
        return std::nullopt;
    }
    const auto index = core::parse_int<std::size_t>(*(list + 1));
    return index && *index < size ? std::optional(*index) : std::nullopt;
}

std::optional<PairProblemKind> pair_problem(std::string_view code) {
    if (code.ends_with("_stale")) {
        return PairProblemKind::stale;
    }
    if (code == "invalid_inventory_item" || code == "invalid_location" || code == "not_found" ||
        code.starts_with("item_not_stocked")) {
        return PairProblemKind::unknown;
    }
    if (code == "non_mutable_inventory_item") {
        return PairProblemKind::not_writable;
    }
    if (code.starts_with("invalid_quantity")) {
        return PairProblemKind::bad_quantity;
    }
    return std::nullopt;
}

// What is wrong with the whole batch: our own fault, whatever its pairs hold.
bool whole_batch_is_wrong(std::string_view code) {
    return code == "invalid_name" || code == "invalid_reason" || code == "invalid_reference_document" ||
           code == "no_duplicate_inventory_item_id_group_id_pair" || code == "compare_quantity_required";
}

core::Result<Level> read_level(Pair pair, const json::Value& level) {
    Level read{.pair = pair, .item_exists = true, .stocked = true};
    if (const auto active = level.boolean_of("isActive")) {
        read.stocked = *active;
    }
    const auto quantities = level.required("quantities");
    if (!quantities) {
        return std::unexpected(quantities.error());
    }
    for (const auto quantity : quantities->elements()) {
        const auto name = quantity.string_of("name");
        const auto value = quantity.int64_of("quantity");
        if (!name || !value) {
            return std::unexpected(quantity.malformed("level_malformed", "is no quantity"));
        }
        if (*name == "available") {
            read.available = *value;
        } else if (*name == "on_hand") {
            read.on_hand = *value;
        } else if (*name == "committed") {
            read.committed = *value;
        }
    }
    return read;
}

// A SKU inside quotes of the search syntax.
std::string quoted(std::string_view sku) {
    std::string out = "'";
    for (const char c : sku) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

}  // namespace

core::Result<IdempotentBatch> form_set_quantities(QuantityName name, std::span<const QuantityChange> changes,
                                                  std::string_view reference_uri) {
    if (changes.empty() || changes.size() > kQuantitiesMax) {
        return core::fail(ErrorKind::bug, changes.empty() ? "batch_empty" : "batch_too_large",
                          fmt::format("a batch of {} quantities", changes.size()));
    }
    std::set<std::pair<InventoryItemId, LocationId>> pairs;
    json::Writer out;
    out.begin_object().key("input").begin_object();
    out.member("name", name == QuantityName::available ? "available" : "on_hand").member("reason", "correction");
    out.member("referenceDocumentUri", std::string(reference_uri)).key("quantities").begin_array();
    for (const auto& change : changes) {
        if (!pairs.emplace(change.item, change.location).second) {
            return core::fail(ErrorKind::bug, "duplicate_pair",
                              fmt::format("item {} at location {} comes twice", change.item.value(), change.location.value()));
        }
        if (change.quantity > kQuantityMax || change.quantity < -kQuantityMax) {
            return core::fail(ErrorKind::bug, "quantity_out_of_range",
                              fmt::format("item {} at location {}", change.item.value(), change.location.value()));
        }
        out.begin_object()
            .member("inventoryItemId", gid("InventoryItem", change.item.value()))
            .member("locationId", gid("Location", change.location.value()))
            .member("quantity", change.quantity)
            .key("changeFromQuantity");  // Must be there, also as null.
        if (change.change_from) {
            out.integer(*change.change_from);
        } else {
            out.null();
        }
        out.end_object();
    }
    out.end_array().end_object().end_object();
    return IdempotentBatch::form(kSetQuantities, members_of(std::move(out)), changes.size());
}

core::Result<SetOutcome> set_quantities(Admin& admin, const IdempotentBatch& batch, Priority priority,
                                        const core::Deadline& deadline) {
    if (batch.operation().name != kSetQuantities.name) {
        return core::fail(ErrorKind::bug, "wrong_batch", "this batch sets no quantities");
    }
    auto reply = admin.call_with_user_errors(batch.operation(), batch.variables(), priority, deadline);
    if (!reply) {
        if (fate_of(reply.error()) == BatchFate::form_anew) {
            return SetOutcome{.applied = false, .form_anew = true, .pairs = {}};
        }
        return std::unexpected(std::move(reply.error()));
    }
    const auto payload = reply->data().get_present("inventorySetQuantities");
    if (!payload) {
        return core::fail(ErrorKind::unknown_outcome, "reply_unexpected", "Shopify's answer says nothing of the quantities");
    }
    SetOutcome outcome{.applied = reply->user_errors().empty(), .form_anew = false, .pairs = {}};
    for (const auto& error : reply->user_errors()) {
        if (error.code.starts_with("idempotency_")) {
            auto whole = error_of({error});
            if (fate_of(whole) != BatchFate::form_anew) {
                return std::unexpected(std::move(whole));
            }
            outcome.form_anew = true;
            continue;
        }
        if (whole_batch_is_wrong(error.code)) {
            auto whole = error_of({error});
            whole.kind = ErrorKind::bug;
            return std::unexpected(std::move(whole));
        }
        if (const auto index = index_of(error, batch.variables().items)) {
            outcome.pairs.push_back(
                {.index = *index, .kind = pair_problem(error.code).value_or(PairProblemKind::other), .code = error.code});
        }
    }
    return outcome;
}

IdempotentBatch form_activate(InventoryItemId item, LocationId location, std::int64_t available) {
    json::Writer out;
    out.begin_object()
        .member("item", gid("InventoryItem", item.value()))
        .member("location", gid("Location", location.value()))
        .member("available", available)
        .end_object();
    return IdempotentBatch::form(kActivateInventory, members_of(std::move(out)), 0);
}

core::Result<void> activate(Admin& admin, const IdempotentBatch& batch, Priority priority, const core::Deadline& deadline) {
    if (batch.operation().name != kActivateInventory.name) {
        return core::fail(ErrorKind::bug, "wrong_batch", "this batch activates nothing");
    }
    auto reply = admin.call(batch.operation(), batch.variables(), priority, deadline);
    if (!reply && reply.error().code != "taken") {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

core::Result<Levels> read_levels(Admin& admin, std::span<const Pair> pairs, Asked asked, Priority priority,
                                 const core::Deadline& deadline) {
    const auto& operation = asked == Asked::available_and_committed ? kReadCommitted : kReadLevels;
    const auto most = kPointsOfRead / static_cast<std::size_t>(operation.cost_per_item);
    Levels read;
    read.levels.resize(pairs.size());
    std::map<LocationId, std::vector<std::size_t>> by_location;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        read.levels[i].pair = pairs[i];
        by_location[pairs[i].location].push_back(i);
    }
    bool first = true;
    for (const auto& [location, places] : by_location) {
        for (std::size_t from = 0; from < places.size(); from += most) {
            const std::span chunk(places.data() + from, std::min(most, places.size() - from));
            json::Writer out;
            out.begin_object().key("items").begin_array();
            for (const auto place : chunk) {
                out.string(gid("InventoryItem", pairs[place].item.value()));
            }
            out.end_array().member("location", gid("Location", location.value()));
            if (asked != Asked::available_and_committed) {
                out.member("name", asked == Asked::on_hand ? "on_hand" : "available");
            }
            out.end_object();
            auto reply = admin.call(operation, {.json = std::move(out).take(), .items = chunk.size()}, priority, deadline);
            if (!reply) {
                return std::unexpected(std::move(reply.error()));
            }
            read.observed_at = first ? reply->sent_at() : std::min(read.observed_at, reply->sent_at());
            first = false;
            const auto nodes = reply->data().required("nodes");
            if (!nodes || nodes->size() != chunk.size()) {
                return core::fail(ErrorKind::conflict, "reply_unexpected",
                                  "Shopify answers another number of items than asked for");
            }
            std::size_t at = 0;
            for (const auto node : nodes->elements()) {
                auto& level = read.levels[chunk[at++]];
                const auto id = node.is_object() ? node.string_of("id") : core::Result<std::string_view>(std::string_view());
                if (!id || id->empty()) {
                    continue;  // No such item.
                }
                const auto item = id_of(*id, "InventoryItem");
                if (!item || *item != level.pair.item.value()) {
                    return core::fail(ErrorKind::conflict, "reply_unexpected", "Shopify answers another item than asked for");
                }
                level.item_exists = true;
                if (const auto found = node.get_present("inventoryLevel")) {
                    auto parsed = read_level(level.pair, *found);
                    if (!parsed) {
                        return std::unexpected(std::move(parsed.error()));
                    }
                    level = std::move(*parsed);
                }
            }
        }
    }
    return read;
}

core::Result<std::optional<Levels>> item_levels(Admin& admin, InventoryItemId item, Priority priority,
                                                const core::Deadline& deadline) {
    auto reply = admin.call(kItemLevels, {.json = fmt::format(R"({{"item":"{}"}})", gid("InventoryItem", item.value()))},
                            priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto found = reply->data().get_present("inventoryItem");
    if (!found) {
        return std::optional<Levels>();
    }
    auto whole = complete(admin, *found, priority, deadline);
    if (!whole) {
        return std::unexpected(std::move(whole.error()));
    }
    Levels read;
    read.observed_at = reply->sent_at();
    const auto root = whole->document.root();
    const auto connection = root.required("inventoryLevels");
    const auto nodes = connection ? connection->required("nodes") : connection;
    if (!nodes) {
        return std::unexpected(nodes.error());
    }
    for (const auto node : nodes->elements()) {
        const auto location = node.required("location");
        const auto id = location ? location->string_of("id") : core::Result<std::string_view>(std::unexpected(location.error()));
        const auto number = id ? id_of(*id, "Location") : core::Result<std::uint64_t>(std::unexpected(id.error()));
        if (!number) {
            return std::unexpected(number.error());
        }
        auto level = read_level({.item = item, .location = LocationId(*number)}, node);
        if (!level) {
            return std::unexpected(std::move(level.error()));
        }
        read.levels.push_back(std::move(*level));
    }
    return std::optional(std::move(read));
}

core::Result<std::vector<Item>> items_by_sku(Admin& admin, std::span<const std::string> skus, Priority priority,
                                             const core::Deadline& deadline) {
    std::vector<Item> items;
    std::set<std::string_view> wanted;
    for (const auto& sku : skus) {
        if (!sku.empty()) {
            wanted.insert(sku);
        }
    }
    for (auto from = wanted.begin(); from != wanted.end();) {
        std::string query;
        std::set<std::string_view> asked;
        for (; from != wanted.end() && asked.size() < kSkusMax; ++from) {
            query += (query.empty() ? "sku:" : " OR sku:") + quoted(*from);
            asked.insert(*from);
        }
        const auto variables = [&](std::string_view after) {
            json::Writer out;
            out.begin_object().member("query", query).key("after").raw(after).end_object();
            return std::move(out).take();
        };
        const auto take = [&](const json::Value& node) -> core::Result<void> {
            const auto id = node.string_of("id");
            const auto number = id ? id_of(*id, "InventoryItem") : core::Result<std::uint64_t>(std::unexpected(id.error()));
            if (!number) {
                return std::unexpected(number.error());
            }
            const auto sku = node.string_of("sku");
            // The search finds near matches too.
            if (sku && asked.contains(*sku)) {
                items.push_back({.id = InventoryItemId(*number),
                                 .sku = std::string(*sku),
                                 .tracked = node.boolean_of("tracked").value_or(false),
                                 .same_sku = node.int64_of("duplicateSkuCount").value_or(0)});
            }
            return {};
        };
        if (auto done = for_each_node(admin, kItemsBySku, "inventoryItems", variables, take, priority, deadline); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return items;
}

core::Result<std::vector<Location>> locations(Admin& admin, Priority priority, const core::Deadline& deadline) {
    std::vector<Location> found;
    const auto variables = [](std::string_view after) {
        return fmt::format(R"({{"after":{}}})", after);
    };
    const auto take = [&](const json::Value& node) -> core::Result<void> {
        const auto id = node.string_of("id");
        const auto number = id ? id_of(*id, "Location") : core::Result<std::uint64_t>(std::unexpected(id.error()));
        const auto name = node.string_of("name");
        if (!number || !name) {
            return std::unexpected(node.malformed("location_malformed", "is no location"));
        }
        found.push_back({.id = LocationId(*number),
                         .name = std::string(*name),
                         .active = node.boolean_of("isActive").value_or(false),
                         .fulfills_online_orders = node.boolean_of("fulfillsOnlineOrders").value_or(false),
                         .ships = node.boolean_of("shipsInventory").value_or(false),
                         .fulfillment_service = node.boolean_of("isFulfillmentService").value_or(false)});
        return {};
    };
    if (auto done = for_each_node(admin, kLocations, "locations", variables, take, priority, deadline); !done) {
        return std::unexpected(std::move(done.error()));
    }
    return found;
}

}  // namespace syncline::shopify
