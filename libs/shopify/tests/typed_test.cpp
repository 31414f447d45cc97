#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/fulfillment_orders.h>
#include <syncline/shopify/orders.h>
#include <syncline/shopify/stock.h>
#include <syncline/shopify/webhook_subscriptions.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

constexpr const char* kEnd = R"("pageInfo":{"hasNextPage":false,"endCursor":null})";
constexpr auto kStock = Priority::stock_and_orders;

std::string level(int available, int committed) {
    return fmt::format(
        R"("inventoryLevel":{{"isActive":true,"quantities":[{{"name":"available","quantity":{}}},{{"name":"committed","quantity":{}}}]}})",
        available, committed);
}

}  // namespace

TEST_CASE("stock: levels of another item than asked for, or too few, are a conflict", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return data_answer(R"({"nodes":[{"id":"gid://shopify/InventoryItem/99",)" + level(1, 0) + "}]}");
    });
    const std::vector<Pair> one{{InventoryItemId(1), LocationId(7)}};
    CHECK(read_levels(rig.admin(), one, Asked::available_and_committed, kStock, rig.deadline).error().kind ==
          ErrorKind::conflict);
    const std::vector<Pair> two{{InventoryItemId(1), LocationId(7)}, {InventoryItemId(2), LocationId(7)}};
    CHECK(read_levels(rig.admin(), two, Asked::available_and_committed, kStock, rig.deadline).error().kind ==
          ErrorKind::conflict);
}

TEST_CASE("stock: levels come in the order asked for, whether item and level exist or not", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        if (request.body.find("Location/8") != std::string_view::npos) {
            return data_answer(R"({"nodes":[{"id":"gid://shopify/InventoryItem/1",)" + level(8, 1) + "}]}");
        }
        return data_answer(R"({"nodes":[{"id":"gid://shopify/InventoryItem/1",)" + level(-2, 5) +
                           R"(},null,{"id":"gid://shopify/InventoryItem/3","inventoryLevel":null}]})");
    });
    const std::vector<Pair> pairs{{InventoryItemId(1), LocationId(7)},
                                  {InventoryItemId(1), LocationId(8)},
                                  {InventoryItemId(2), LocationId(7)},
                                  {InventoryItemId(3), LocationId(7)}};
    const auto read = read_levels(rig.admin(), pairs, Asked::available_and_committed, kStock, rig.deadline);
    REQUIRE(read);
    REQUIRE(read->levels.size() == 4);
    CHECK(read->levels[0].available == -2);
    CHECK(read->levels[0].on_hand == 0);  // Not asked for.
    CHECK(read->levels[0].committed == 5);
    CHECK(read->levels[1].available == 8);
    CHECK_FALSE(read->levels[2].item_exists);
    CHECK(read->levels[3].item_exists);
    CHECK_FALSE(read->levels[3].stocked);
    CHECK(rig.stub.requests().size() == 2);
}

TEST_CASE("stock: many levels of one location go in few calls, each asking for no more than is wanted", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const auto parsed = json::Document::parse(std::string(request.body));
        const auto variables = parsed->root().get("variables");
        json::Writer out;
        out.begin_object().key("nodes").begin_array();
        const auto items = variables->get("items");
        for (const auto item : items->elements()) {
            out.begin_object().member("id", std::string(*item.string())).key("inventoryLevel").null().end_object();
        }
        out.end_array().end_object();
        return data_answer(std::move(out).take());
    });
    std::vector<Pair> pairs;
    for (std::uint64_t i = 1; i <= 250; ++i) {
        pairs.push_back({InventoryItemId(i), LocationId(7)});
    }
    REQUIRE(read_levels(rig.admin(), pairs, Asked::on_hand, kStock, rig.deadline));
    REQUIRE(rig.stub.requests().size() == 2);  // 160 and 90.
    CHECK(rig.stub.requests()[0].body.find(R"("name":"on_hand")") != std::string::npos);
    CHECK(rig.stub.requests()[0].body.find("committed") == std::string::npos);
    REQUIRE(read_levels(rig.admin(), pairs, Asked::available, kStock, rig.deadline));
    REQUIRE(rig.stub.requests().size() == 4);
    CHECK(rig.stub.requests()[2].body.find(R"("name":"available")") != std::string::npos);
    REQUIRE(read_levels(rig.admin(), pairs, Asked::available_and_committed, kStock, rig.deadline));
    CHECK(rig.stub.requests().size() == 7);  // 120, 120 and 10.
}

TEST_CASE("stock: SKUs are compared exactly, quoted, and may repeat", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return request.body.find(R"("after":null)") != std::string_view::npos ? data_answer(R"({"inventoryItems":{"nodes":[
                       {"id":"gid://shopify/InventoryItem/1","sku":"A-1","tracked":true,"duplicateSkuCount":1},
                       {"id":"gid://shopify/InventoryItem/2","sku":"a-1","tracked":true,"duplicateSkuCount":0}],
                       "pageInfo":{"hasNextPage":true,"endCursor":"c1"}}})")
                                                                              : data_answer(R"({"inventoryItems":{"nodes":[
                       {"id":"gid://shopify/InventoryItem/3","sku":"A-1","tracked":false,"duplicateSkuCount":1},
                       {"id":"gid://shopify/InventoryItem/4","sku":null,"tracked":true,"duplicateSkuCount":0}],)" +
                                                                                            std::string(kEnd) + "}}");
    });
    const std::vector<std::string> skus{"A-1", "it's \\ \"odd\"", "", "A-1"};
    const auto items = items_by_sku(rig.admin(), skus, kStock, rig.deadline);
    REQUIRE(items);
    REQUIRE(items->size() == 2);
    CHECK((*items)[0].id == InventoryItemId(1));
    CHECK((*items)[1].id == InventoryItemId(3));
    CHECK_FALSE((*items)[1].tracked);
    const auto body = json::Document::parse(rig.stub.requests().at(0).body);
    const auto variables = body->root().get("variables");
    CHECK(variables->string_of("query").value() == R"(sku:'A-1' OR sku:'it\'s \\ "odd"')");
}

TEST_CASE("stock: locations of all pages are read", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return request.body.find(R"("after":"c1")") == std::string_view::npos
                   ? data_answer(R"({"locations":{"nodes":[{"id":"gid://shopify/Location/1","name":"North","isActive":true,
                       "fulfillsOnlineOrders":true,"shipsInventory":true,"isFulfillmentService":false}],
                       "pageInfo":{"hasNextPage":true,"endCursor":"c1"}}})")
                   : data_answer(R"({"locations":{"nodes":[{"id":"gid://shopify/Location/2","name":"Old","isActive":false}],)" +
                                 std::string(kEnd) + "}}");
    });
    const auto found = locations(rig.admin(), Priority::rest, rig.deadline);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].active);
    CHECK_FALSE((*found)[1].active);
}

TEST_CASE("stock: one item at all its locations, or none of such an item", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const std::string here = R"("quantities":[{"name":"on_hand","quantity":4}],"isActive":true)";
        if (runs(request, "ItemLevels")) {
            return data_answer(
                R"({"inventoryItem":{"id":"gid://shopify/InventoryItem/1","inventoryLevels":{"nodes":[{)" + here +
                R"(,"location":{"id":"gid://shopify/Location/1"}}],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}}})");
        }
        return data_answer(R"({"node":{"inventoryLevels":{"nodes":[{)" + here +
                           R"(,"location":{"id":"gid://shopify/Location/2"}}],)" + std::string(kEnd) + "}}}");
    });
    const auto read = item_levels(rig.admin(), InventoryItemId(1), Priority::rest, rig.deadline);
    REQUIRE(read);
    REQUIRE(*read);
    REQUIRE((*read)->levels.size() == 2);
    CHECK((*read)->levels[1].pair.location == LocationId(2));
    CHECK((*read)->levels[1].on_hand == 4);
    rig.stub.answer_with([](const http::IncomingRequest&) { return data_answer(R"({"inventoryItem":null})"); });
    CHECK_FALSE(item_levels(rig.admin(), InventoryItemId(1), Priority::rest, rig.deadline).value());
}

TEST_CASE("orders: the window covers the whole seconds at both ends", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return data_answer(R"({"orders":{"nodes":[{"id":"gid://shopify/Order/5","name":"#5","createdAt":"2026-11-20T09:00:00Z",
            "updatedAt":"2026-11-20T10:00:00Z"}],"pageInfo":{"hasNextPage":true,"endCursor":"next"}}})");
    });
    const auto from = core::parse_rfc3339("2026-11-20T10:00:00.900Z").value();
    const auto to = core::parse_rfc3339("2026-11-20T11:00:00.100Z").value();
    const auto page = orders_updated(rig.admin(), from, to, std::nullopt, kStock, rig.deadline);
    REQUIRE(page);
    REQUIRE(page->orders.size() == 1);
    CHECK(page->orders[0].id == core::OrderId(5));
    CHECK(page->next == "next");
    CHECK(rig.stub.requests().at(0).body.find("updated_at:>='2026-11-20T10:00:00Z' AND updated_at:<'2026-11-20T11:00:01Z'") !=
          std::string::npos);
    CHECK(orders_updated(rig.admin(), from, to, "next", kStock, rig.deadline).error().code == "cursor_stuck");
}

TEST_CASE("orders: an order that changes while its pages are read is read again, and not for ever", "[shopify][http]") {
    std::atomic<int> versions{0};
    std::atomic<int> settles_after{1};
    Rig rig([&](const http::IncomingRequest& request) {
        if (runs(request, "OrderVersion")) {
            return data_answer(++versions > settles_after ? R"({"order":{"updatedAt":"2026-11-20T10:00:00Z"}})"
                                                          : R"({"order":{"updatedAt":"2026-11-20T10:00:01Z"}})");
        }
        if (runs(request, "OrderRefunds")) {
            return data_answer(R"({"node":{"id":"gid://shopify/Refund/1","note":"x"}})");
        }
        return data_answer(
            R"({"order":{"id":"gid://shopify/Order/5","updatedAt":"2026-11-20T10:00:00Z","refunds":[{"id":"gid://shopify/Refund/1"}]}})");
    });
    const auto before = core::system_clock().now();
    const auto fetched = order(rig.admin(), core::OrderId(5), kStock, rig.deadline);
    REQUIRE(fetched);
    REQUIRE(*fetched);
    CHECK(versions == 2);
    CHECK((*fetched)->observed_at >= before);
    CHECK((*fetched)->document.root().get("refunds")->size() == 1);
    settles_after = 100;
    CHECK(order(rig.admin(), core::OrderId(5), kStock, rig.deadline).error().code == "order_moving");
    rig.stub.answer_with([](const http::IncomingRequest&) { return data_answer(R"({"order":null})"); });
    CHECK_FALSE(order(rig.admin(), core::OrderId(5), kStock, rig.deadline).value());
}

TEST_CASE("orders: an order with denied personal data is read without it", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return json_answer(R"({"data":{"order":{"id":"gid://shopify/Order/5","updatedAt":"x","customer":null,"refunds":[]}},
            "errors":[{"message":"not approved","path":["order","customer"],"extensions":{"code":"ACCESS_DENIED"}}]})");
    });
    REQUIRE(order(rig.admin(), core::OrderId(5), kStock, rig.deadline));
    CHECK(rig.metrics.to_text().find(
              R"(syncline_shopify_denied_fields_total{service="shopify-test",operation="Order",shop="eu"} 1)") !=
          std::string::npos);
}

TEST_CASE("orders: metafields and tags are written by owner, and nothing to write sends nothing", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return runs(request, "SetMetafields") ? data_answer(R"({"metafieldsSet":{"userErrors":[]}})")
               : runs(request, "AddTags")     ? data_answer(R"({"tagsAdd":{"userErrors":[]}})")
                                              : data_answer(R"({"tagsRemove":{"userErrors":[]}})");
    });
    auto& admin = rig.admin();
    const std::vector<Metafield> fields{
        {.name_space = "erp", .key = "no", .type = "single_line_text_field", .value = "SO \"1\""}};
    CHECK(set_order_metafields(admin, core::OrderId(5), fields, kStock, rig.deadline));
    CHECK(
        rig.stub.requests().back().body.find(
            R"({"ownerId":"gid://shopify/Order/5","namespace":"erp","key":"no","type":"single_line_text_field","value":"SO \"1\""})") !=
        std::string::npos);
    CHECK(add_tags(admin, core::OrderId(5), std::vector<std::string>{"held"}, kStock, rig.deadline));
    CHECK(remove_tags(admin, core::OrderId(5), std::vector<std::string>{"held"}, kStock, rig.deadline));
    CHECK(rig.stub.requests().size() == 3);
    CHECK(set_order_metafields(admin, core::OrderId(5), {}, kStock, rig.deadline));
    CHECK(add_tags(admin, core::OrderId(5), {}, kStock, rig.deadline));
    CHECK(rig.stub.requests().size() == 3);
    const std::vector<Metafield> many(26, fields[0]);
    CHECK(set_order_metafields(admin, core::OrderId(5), many, kStock, rig.deadline).error().code == "too_many_metafields");
}

TEST_CASE("orders: writing to an order that does not exist says so; another refusal keeps Shopify's code", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return runs(request, "SetMetafields")
                   ? data_answer(
                         R"({"metafieldsSet":{"userErrors":[{"code":"INVALID","field":["metafields","0","ownerId"],"message":"x"}]}})")
               : runs(request, "AddTags") ? data_answer(R"({"tagsAdd":{"userErrors":[{"field":["id"],"message":"x"}]}})")
                                          : data_answer(R"({"tagsRemove":{"userErrors":[{"field":["tags"],"message":"x"}]}})");
    });
    auto& admin = rig.admin();
    const std::vector<Metafield> fields{{.name_space = "erp", .key = "no", .type = "single_line_text_field", .value = "1"}};
    const std::vector<std::string> tags{"held"};
    CHECK(set_order_metafields(admin, core::OrderId(5), fields, kStock, rig.deadline).error().code == "order_not_found");
    CHECK(add_tags(admin, core::OrderId(5), tags, kStock, rig.deadline).error().code == "order_not_found");
    const auto refused = remove_tags(admin, core::OrderId(5), tags, kStock, rig.deadline);
    CHECK(refused.error().code == "user_error");
    CHECK(refused.error().kind == core::ErrorKind::rejected);
}

TEST_CASE("orders: whether old orders may be read is what the scopes say", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return data_answer(R"({"currentAppInstallation":{"accessScopes":[{"handle":"read_orders"}]}})");
    });
    CHECK_FALSE(reads_all_orders(rig.admin(), rig.deadline).value());
    rig.stub.answer_with([](const http::IncomingRequest&) {
        return data_answer(
            R"({"currentAppInstallation":{"accessScopes":[{"handle":"read_orders"},{"handle":"read_all_orders"}]}})");
    });
    CHECK(reads_all_orders(rig.admin(), rig.deadline).value());
}

TEST_CASE("fulfillment orders: all lines of all pages, with locations and items that may be gone", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const auto line = [](int id, const char* item) {
            return fmt::format(
                R"({{"id":"gid://shopify/FulfillmentOrderLineItem/{}","totalQuantity":3,"remainingQuantity":1,"sku":"A","inventoryItemId":{},"lineItem":{{"id":"gid://shopify/LineItem/9"}}}})",
                id, item);
        };
        if (runs(request, "FulfillmentOrderLineItemsPage")) {
            return data_answer(R"({"node":{"lineItems":{"nodes":[)" + line(2, "null") + "]," + kEnd + "}}}");
        }
        return data_answer(
            R"({"order":{"id":"gid://shopify/Order/5","fulfillmentOrders":{"nodes":[
                {"id":"gid://shopify/FulfillmentOrder/1","status":"OPEN","requestStatus":"UNSUBMITTED","updatedAt":"2026-11-20T10:00:00Z",
                 "assignedLocation":{"name":"N","location":{"id":"gid://shopify/Location/7"}},"lineItems":{"nodes":[)" +
            line(1, R"("gid://shopify/InventoryItem/4")") + R"(],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}},
                {"id":"gid://shopify/FulfillmentOrder/2","status":"CLOSED","requestStatus":"CLOSED","updatedAt":"2026-11-20T10:00:00Z",
                 "assignedLocation":{"name":"gone","location":null},"lineItems":{"nodes":[],)" +
            kEnd + "}}]," + kEnd + "}}}");
    });
    const auto read = fulfillment_orders(rig.admin(), core::OrderId(5), kStock, rig.deadline);
    REQUIRE(read);
    REQUIRE(*read);
    REQUIRE((*read)->size() == 2);
    const auto& first = (*read)->at(0);
    CHECK(first.location == LocationId(7));
    REQUIRE(first.lines.size() == 2);
    CHECK(first.lines[0].item == InventoryItemId(4));
    CHECK(first.lines[0].remaining == 1);
    CHECK_FALSE(first.lines[1].item);
    CHECK_FALSE((*read)->at(1).location);
    rig.stub.answer_with([](const http::IncomingRequest&) { return data_answer(R"({"order":null})"); });
    CHECK_FALSE(fulfillment_orders(rig.admin(), core::OrderId(5), kStock, rig.deadline).value());
}

TEST_CASE("webhook subscriptions: one that is there already is told as taken, one that is gone as deleted", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return runs(request, "CreateWebhookSubscription")
                   ? data_answer(
                         R"({"webhookSubscriptionCreate":{"webhookSubscription":null,"userErrors":[{"field":["webhookSubscription","callbackUrl"],"message":"Address for this topic has already been taken"}]}})")
                   : data_answer(
                         R"({"webhookSubscriptionDelete":{"userErrors":[{"field":["id"],"message":"Webhook subscription does not exist"}]}})");
    });
    const WebhookSubscription wanted{.id = {}, .topic = "ORDERS_UPDATED", .uri = "https://hub.example.com/shopify"};
    const auto made = create_webhook_subscription(rig.admin(), wanted, Priority::rest, rig.deadline);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == "taken");
    CHECK(delete_webhook_subscription(rig.admin(), "gid://shopify/WebhookSubscription/1", Priority::rest, rig.deadline));
}

TEST_CASE("webhook subscriptions: listed, made and changed", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        if (runs(request, "WebhookSubscriptions")) {
            return data_answer(
                R"({"webhookSubscriptions":{"nodes":[{"id":"gid://shopify/WebhookSubscription/1","topic":"ORDERS_UPDATED",
                "uri":"https://x","format":"JSON","filter":null,"includeFields":["id","updated_at"],"name":null,
                "apiVersion":{"handle":"2026-10"}}],)" +
                std::string(kEnd) + "}}");
        }
        return runs(request, "CreateWebhookSubscription")
                   ? data_answer(
                         R"({"webhookSubscriptionCreate":{"webhookSubscription":{"id":"gid://shopify/WebhookSubscription/2"},"userErrors":[]}})")
                   : data_answer(R"({"webhookSubscriptionUpdate":{"userErrors":[]}})");
    });
    auto& admin = rig.admin();
    const auto listed = webhook_subscriptions(admin, Priority::rest, rig.deadline);
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK(listed->at(0).include_fields == std::vector<std::string>{"id", "updated_at"});
    CHECK(listed->at(0).api_version == "2026-10");
    auto wanted = listed->at(0);
    CHECK(create_webhook_subscription(admin, wanted, Priority::rest, rig.deadline).value() ==
          "gid://shopify/WebhookSubscription/2");
    CHECK(rig.stub.requests().back().body.find(
              R"("subscription":{"uri":"https://x","format":"JSON","filter":null,"includeFields":["id","updated_at"]})") !=
          std::string::npos);
    CHECK(update_webhook_subscription(admin, wanted, Priority::rest, rig.deadline));
}
