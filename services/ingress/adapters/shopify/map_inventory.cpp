#include "adapters/shopify/map_inventory.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/inventory/v1/events.pb.h>
#include <syncline/topics.h>
#include <algorithm>
#include <utility>

#include "adapters/shopify/finish_event.h"

namespace ingress {

namespace json = syncline::json;
namespace core = syncline::core;
namespace topics = syncline::topics;
using namespace syncline::inventory::v1;

namespace {

constexpr const char* kOtherMembers = "the body of a deletion has its id and nothing that a living resource has";

template <typename Message>
Message begin(const Webhook& webhook) {
    Message message;
    message.set_shop(webhook.shop.data(), webhook.shop.size());
    return message;
}

template <typename Message>
core::Result<MappedEvent> finished(const Webhook& webhook, Mapping& mapping, Message& message, Routing routing) {
    if (mapping.failed()) {
        return std::unexpected(mapping.take_error());
    }
    auto event = finish_event(webhook, message, std::move(routing));
    if (message.has_source_updated_at()) {
        event.time = time_of(message.source_updated_at());
    }
    return fitting(mapping, std::move(event));
}

void require(Mapping& mapping, json::Value root, bool there, std::string_view member) {
    if (!there && !mapping.failed()) {
        mapping.missing(root, member);
    }
}

// Whether the body has no members but these.
bool only(json::Value root, std::initializer_list<std::string_view> names) {
    if (!root.is_object()) {
        return false;
    }
    for (const auto member : root.members()) {
        if (std::ranges::find(names, member.name) == names.end()) {
            return false;
        }
    }
    return true;
}

core::Result<MappedEvent> level(const Webhook& webhook, json::Value root) {
    const bool disconnected = webhook.topic == WebhookTopic::inventory_levels_disconnect;
    if (disconnected && !only(root, {"inventory_item_id", "location_id"})) {
        return std::unexpected(root.malformed("delete_with_members", kOtherMembers));
    }
    using Part = Into<InventoryLevelChanged>;
    static const MemberTable<InventoryLevelChanged> kTable{
        "inventory_level",
        {{"inventory_item_id", Part::id<&InventoryLevelChanged::set_inventory_item_id>},
         {"location_id", Part::id<&InventoryLevelChanged::set_location_id>},
         {"available", Part::integer<&InventoryLevelChanged::set_available>},
         {"updated_at", Part::time<&InventoryLevelChanged::mutable_source_updated_at>},
         {"admin_graphql_api_id", [](Mapping& m, InventoryLevelChanged&, json::Value v) {
              m.resource(v, "InventoryLevel");
          }}}};
    Mapping mapping(webhook.shop_currency, nullptr);
    auto message = begin<InventoryLevelChanged>(webhook);
    kTable.map(mapping, message, root);
    message.set_connected(!disconnected);
    require(mapping, root, message.inventory_item_id() != 0, "inventory_item_id");
    require(mapping, root, message.location_id() != 0, "location_id");
    require(mapping, root, disconnected || message.has_source_updated_at(), "updated_at");
    const auto item = message.inventory_item_id();
    return finished(webhook, mapping, message,
                    {.topic = topics::inventory,
                     .key = key_of(webhook.shop, item),
                     .subject = subject_of("inventory_level", item) + '/' + std::to_string(message.location_id()),
                     .resource = item});
}

core::Result<MappedEvent> item(const Webhook& webhook, json::Value root) {
    const bool deleted = webhook.topic == WebhookTopic::inventory_items_delete;
    // The real body of a deletion repeats the members of customs, without what makes an item: SKU, tracking, times.
    if (deleted && !only(root, {"id", "admin_graphql_api_id", "country_code_of_origin", "province_code_of_origin",
                                "harmonized_system_code", "country_harmonized_system_codes"})) {
        return std::unexpected(root.malformed("delete_with_members", kOtherMembers));
    }
    using Part = Into<InventoryItemChanged>;
    static const MemberTable<InventoryItemChanged> kTable{
        "inventory_item",
        {{"id", Part::id<&InventoryItemChanged::set_inventory_item_id>},
         {"sku", Part::text<&InventoryItemChanged::mutable_sku>},
         {"tracked", Part::flag<&InventoryItemChanged::set_tracked>},
         {"updated_at", Part::time<&InventoryItemChanged::mutable_source_updated_at>},
         {"admin_graphql_api_id",
          [](Mapping& m, InventoryItemChanged&, json::Value v) {
              m.resource(v, "InventoryItem");
          }}},
        {"created_at", "requires_shipping", "cost", "country_code_of_origin", "province_code_of_origin", "harmonized_system_code",
         "country_harmonized_system_codes", "weight_value", "weight_unit", "grams"}};
    Mapping mapping(webhook.shop_currency, nullptr);
    auto message = begin<InventoryItemChanged>(webhook);
    kTable.map(mapping, message, root);
    message.set_deleted(deleted);
    require(mapping, root, message.inventory_item_id() != 0, "id");
    require(mapping, root, deleted || root.get_present("tracked").has_value(), "tracked");
    require(mapping, root, deleted || message.has_source_updated_at(), "updated_at");
    const auto id = message.inventory_item_id();
    return finished(webhook, mapping, message,
                    {.topic = topics::inventory,
                     .key = key_of(webhook.shop, id),
                     .subject = subject_of("inventory_item", id),
                     .resource = id});
}

core::Result<MappedEvent> location(const Webhook& webhook, json::Value root) {
    const bool deleted = webhook.topic == WebhookTopic::locations_delete;
    if (deleted && !only(root, {"id"})) {
        return std::unexpected(root.malformed("delete_with_members", kOtherMembers));
    }
    using Part = Into<LocationChanged>;
    static const MemberTable<LocationChanged> kTable{
        "location",
        {{"id", Part::id<&LocationChanged::set_location_id>},
         {"name", Part::text<&LocationChanged::mutable_name>},
         {"active", Part::flag<&LocationChanged::set_active>},
         {"updated_at", Part::time<&LocationChanged::mutable_source_updated_at>},
         {"admin_graphql_api_id",
          [](Mapping& m, LocationChanged&, json::Value v) {
              m.resource(v, "Location");
          }}},
        {"address1", "address2", "city", "zip", "province", "country", "phone", "created_at", "country_code", "country_name",
         "province_code", "legacy", "localized_country_name", "localized_province_name"}};
    Mapping mapping(webhook.shop_currency, nullptr);
    auto message = begin<LocationChanged>(webhook);
    kTable.map(mapping, message, root);
    message.set_deleted(deleted);
    require(mapping, root, message.location_id() != 0, "id");
    require(mapping, root, deleted || !message.name().empty(), "name");
    require(mapping, root, deleted || root.get_present("active").has_value(), "active");
    require(mapping, root, deleted || message.has_source_updated_at(), "updated_at");
    const auto id = message.location_id();
    return finished(webhook, mapping, message,
                    {.topic = topics::inventory,
                     .key = std::string(webhook.shop) + "/location/" + std::to_string(id),
                     .subject = subject_of("location", id),
                     .resource = id});
}

}  // namespace

core::Result<MappedEvent> map_inventory(const Webhook& webhook, json::Value root) {
    if (webhook.topic <= WebhookTopic::inventory_levels_disconnect) {
        return level(webhook, root);
    }
    return webhook.topic <= WebhookTopic::inventory_items_delete ? item(webhook, root) : location(webhook, root);
}

}  // namespace ingress
