// inventory_levels/*, inventory_items/* and locations/*: the samples, and bodies that are not what their topic says.
#include <syncline/inventory/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::inventory::v1;

namespace {
constexpr std::int64_t kItem = 271878346596884015;
constexpr std::int64_t kLocation = 866550311766439020;
}  // namespace

TEST_CASE("inventory mapping: a level with what can be sold, its versions and its key", "[ingress][unit]") {
    const auto topic = GENERATE(WebhookTopic::inventory_levels_update, WebhookTopic::inventory_levels_connect);
    const auto event = map(topic, sample("inventory_levels-update"));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->topic == "inventory.v1");
    CHECK(event->key == "eu/271878346596884015");
    CHECK(event->subject == "inventory_level/271878346596884015/24826418");
    CHECK(event->time == at("2022-01-01T00:00:00Z"));
    const auto level = decoded<InventoryLevelChanged>(*event);
    CHECK(level.shop() == "eu");
    CHECK(level.inventory_item_id() == kItem);
    CHECK(level.location_id() == 24826418);
    CHECK(level.available() == 10);
    CHECK(level.connected());
    CHECK(level.source_updated_at().seconds() == 1'640'995'200);
    CHECK(level.observed_at().nanos() == 123'456'789);
}

TEST_CASE("inventory mapping: a level without a quantity states none, a negative one is kept", "[ingress][unit]") {
    const auto none = mapped<InventoryLevelChanged>(WebhookTopic::inventory_levels_update,
                                                    patched(sample("inventory_levels-update"), {{"available", "null"}}));
    CHECK_FALSE(none.has_available());
    CHECK(none.connected());
    const auto oversold = mapped<InventoryLevelChanged>(WebhookTopic::inventory_levels_update,
                                                        patched(sample("inventory_levels-update"), {{"available", "-3"}}));
    CHECK(oversold.available() == -3);
    CHECK(code_of(WebhookTopic::inventory_levels_update, patched(sample("inventory_levels-update"), {{"available", "1.5"}})) !=
          "mapped");
}

TEST_CASE("inventory mapping: a disconnect has ids alone", "[ingress][unit]") {
    const auto gone =
        mapped<InventoryLevelChanged>(WebhookTopic::inventory_levels_disconnect, sample("inventory_levels-disconnect"));
    CHECK_FALSE(gone.connected());
    CHECK_FALSE(gone.has_available());
    CHECK_FALSE(gone.has_source_updated_at());
    CHECK(gone.inventory_item_id() == kItem);
    // A captured update, sent again as a disconnect, would take an item off a location.
    CHECK(code_of(WebhookTopic::inventory_levels_disconnect, sample("inventory_levels-update")) == "delete_with_members");
    CHECK(code_of(WebhookTopic::inventory_levels_disconnect, R"({"inventory_item_id":1,"location_id":2,"available":null})") ==
          "delete_with_members");
    CHECK(code_of(WebhookTopic::inventory_levels_disconnect, R"({"inventory_item_id":1})") == "member_missing");
    CHECK(code_of(WebhookTopic::inventory_levels_disconnect, "[]") == "delete_with_members");
    // And the other way round: it has no time of its own, so it cannot be a level.
    CHECK(code_of(WebhookTopic::inventory_levels_update, sample("inventory_levels-disconnect")) == "member_missing");
}

TEST_CASE("inventory mapping: levels of two locations of one item are two events in one row", "[ingress][unit]") {
    const auto one = map(WebhookTopic::inventory_levels_update, sample("inventory_levels-update"));
    const auto other =
        map(WebhookTopic::inventory_levels_update, patched(sample("inventory_levels-update"), {{"location_id", "7"}}));
    REQUIRE((one && other));
    CHECK(one->key == other->key);
    CHECK(one->id != other->id);
    CHECK(one->subject != other->subject);
    CHECK(map(WebhookTopic::inventory_levels_update, sample("inventory_levels-update"))->id == one->id);
}

TEST_CASE("inventory mapping: an item with its SKU, without its cost", "[ingress][unit]") {
    const auto topic = GENERATE(WebhookTopic::inventory_items_create, WebhookTopic::inventory_items_update);
    const auto event = map(topic, patched(sample("inventory_items-update"), {{"cost", R"("12.3456")"}}));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->key == "eu/271878346596884015");
    CHECK(event->subject == "inventory_item/271878346596884015");
    CHECK(event->value.find("12.3456") == std::string::npos);
    const auto item = decoded<InventoryItemChanged>(*event);
    CHECK(item.sku() == "example-sku");
    CHECK(item.tracked());
    CHECK_FALSE(item.deleted());
    const auto nameless =
        mapped<InventoryItemChanged>(topic, patched(sample("inventory_items-update"), {{"sku", "null"}, {"tracked", "false"}}));
    CHECK(nameless.sku().empty());
    CHECK_FALSE(nameless.tracked());
}

TEST_CASE("inventory mapping: the deletion of an item has nothing that makes an item, and is unconfirmed", "[ingress][unit]") {
    const auto gone = mapped<InventoryItemChanged>(WebhookTopic::inventory_items_delete, sample("inventory_items-delete"));
    CHECK(gone.deleted());
    CHECK(gone.inventory_item_id() == kItem);
    CHECK(gone.sku().empty());
    CHECK_FALSE(gone.has_source_updated_at());
    CHECK(code_of(WebhookTopic::inventory_items_delete, R"({"id":1})") == "mapped");
    CHECK(code_of(WebhookTopic::inventory_items_delete, sample("inventory_items-update")) == "delete_with_members");
    CHECK(code_of(WebhookTopic::inventory_items_delete, R"({"id":1,"sku":null})") == "delete_with_members");
    CHECK(code_of(WebhookTopic::inventory_items_delete, R"({"id":1,"admin_graphql_api_id":"gid://shopify/Product/1"})") ==
          "not_this_resource");
    CHECK(code_of(WebhookTopic::inventory_items_delete, R"({})") == "member_missing");
    CHECK(code_of(WebhookTopic::inventory_items_update, sample("inventory_items-delete")) == "member_missing");
}

TEST_CASE("inventory mapping: a location with its name and state, without its address", "[ingress][unit]") {
    const auto topic = GENERATE(WebhookTopic::locations_create, WebhookTopic::locations_update, WebhookTopic::locations_activate,
                                WebhookTopic::locations_deactivate);
    const auto event = map(topic, sample("locations-update"));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->key == "eu/location/866550311766439020");
    CHECK(event->value.find("Example Street") == std::string::npos);
    CHECK(event->value.find("555-555") == std::string::npos);
    const auto location = decoded<LocationChanged>(*event);
    CHECK(location.location_id() == kLocation);
    CHECK(location.name() == "Example Shop");
    // The body counts, never the topic: it alone is signed.
    CHECK(location.active());
    CHECK_FALSE(mapped<LocationChanged>(topic, patched(sample("locations-update"), {{"active", "false"}})).active());
}

TEST_CASE("inventory mapping: the deletion of a location is an id and nothing else", "[ingress][unit]") {
    const auto gone = mapped<LocationChanged>(WebhookTopic::locations_delete, R"({"id":866550311766439020})");
    CHECK(gone.deleted());
    CHECK_FALSE(gone.active());
    CHECK(gone.location_id() == kLocation);
    CHECK(code_of(WebhookTopic::locations_delete, sample("locations-update")) == "delete_with_members");
    CHECK(code_of(WebhookTopic::locations_delete, sample("inventory_items-delete")) == "delete_with_members");
    CHECK(code_of(WebhookTopic::locations_delete, R"({"id":null})") == "member_missing");
}

TEST_CASE("inventory mapping: bodies that are broken or of another resource are refused by name", "[ingress][unit]") {
    const auto level = [](const Patches& patches) {
        return code_of(WebhookTopic::inventory_levels_update, patched(sample("inventory_levels-update"), patches));
    };
    CHECK(level({{"inventory_item_id", "null"}}) == "member_missing");
    CHECK(level({{"location_id", "0"}}) == "id_not_positive");
    CHECK(level({{"inventory_item_id", "99999999999999999999"}}) != "mapped");
    CHECK(level({{"available", "\"many\""}}) != "mapped");
    CHECK(level({{"updated_at", "\"2021-12-31\""}}) == "time_malformed");
    CHECK(level({{"admin_graphql_api_id", "7"}}) == "not_this_resource");
    CHECK(level({{"admin_graphql_api_id", "\"gid://shopify/InventoryLevels/1\""}}) == "not_this_resource");
    CHECK(level({{"admin_graphql_api_id", "\"gid://shopify/InventoryLevel\""}}) != "mapped");
    CHECK(code_of(WebhookTopic::inventory_levels_update,
                  R"({"location_id":1,"location_id":2,"inventory_item_id":3,"updated_at":"2026-01-01T00:00:00Z"})") ==
          "duplicate_key");
    CHECK(code_of(WebhookTopic::locations_update, patched(sample("locations-update"), {{"active", "\"yes\""}})) == "wrong_type");
    CHECK(code_of(WebhookTopic::locations_update, patched(sample("locations-update"), {{"active", std::nullopt}})) ==
          "member_missing");
    CHECK(code_of(WebhookTopic::locations_update, patched(sample("locations-update"), {{"name", "\"\""}})) == "member_missing");
    CHECK(code_of(WebhookTopic::inventory_items_update, patched(sample("inventory_items-update"), {{"sku", "17"}})) ==
          "wrong_type");
    const auto new_member =
        map(WebhookTopic::inventory_levels_update, with_members(sample("inventory_levels-update"), R"("on_hand":12)"));
    REQUIRE(new_member);
    CHECK(new_member->unknown_members == std::vector<std::string>{"inventory_level.on_hand"});
}

TEST_CASE("inventory mapping: two shops with equal ids have events of their own", "[ingress][unit]") {
    const ShopifyMapping mapping;
    const auto eu = mapping.map(webhook(WebhookTopic::inventory_levels_update, "eu"), sample("inventory_levels-update"));
    const auto us = mapping.map(webhook(WebhookTopic::inventory_levels_update, "us"), sample("inventory_levels-update"));
    REQUIRE((eu && us));
    CHECK(eu->key != us->key);
    CHECK(eu->id != us->id);
}
