// fulfillments/*, fulfillment_orders/* and returns/*: the samples, and what may not leave with them.
#include <syncline/common/v1/money.pb.h>
#include <syncline/fulfillments/v1/events.pb.h>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::fulfillments::v1;

namespace {

FulfillmentOrderNoticed notice(WebhookTopic topic, std::string body) {
    return mapped<FulfillmentOrderNoticed>(topic, std::move(body));
}

}  // namespace

TEST_CASE("fulfillment mapping: what left, keyed by its order, without where it goes", "[ingress][unit]") {
    const auto topic = GENERATE(WebhookTopic::fulfillments_create, WebhookTopic::fulfillments_update);
    const auto event =
        map(topic, patched(sample("fulfillments-create"), {{"location_id", "24826418"}, {"status", R"("success")"}}));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->topic == "fulfillments.v1");
    CHECK(event->key == "eu/820982911946154508");
    CHECK(event->subject == "fulfillment/123456");
    CHECK(event->time == at("2022-01-01T00:00:00Z"));
    for (const auto* personal : {"Steve", "Shipper", "jon@example.com", "123 Shipping Street", "1z827wk74630"}) {
        INFO(personal);
        CHECK(event->value.find(personal) == std::string::npos);
    }
    const auto fulfillment = decoded<FulfillmentChanged>(*event);
    CHECK(fulfillment.fulfillment_id() == 123456);
    CHECK(fulfillment.order_id() == 820982911946154508);
    CHECK(fulfillment.location_id() == 24826418);
    CHECK(fulfillment.status() == "success");
    CHECK(fulfillment.has_created_at());
    REQUIRE(fulfillment.lines_size() >= 2);
    CHECK(fulfillment.lines(0).line_item_id() == 487817672276298554);
    CHECK(fulfillment.lines(0).sku() == "SKU2006-001");
    CHECK(fulfillment.lines(0).quantity().value() == "1");
    CHECK(fulfillment.lines(0).variant_id() == 0);
}

TEST_CASE("fulfillment mapping: without a place it left from, and cancelled", "[ingress][unit]") {
    const auto fulfillment = mapped<FulfillmentChanged>(
        WebhookTopic::fulfillments_update,
        patched(sample("fulfillments-update"), {{"status", R"("cancelled")"}, {"line_items[0].sku", "null"}}));
    CHECK(fulfillment.location_id() == 0);
    CHECK(fulfillment.status() == "cancelled");
    CHECK(fulfillment.lines(0).sku().empty());
}

TEST_CASE("fulfillment mapping: one that lacks what gives it meaning is refused", "[ingress][unit]") {
    const auto member =
        GENERATE("id", "order_id", "status", "updated_at", "line_items", "line_items[0].id", "line_items[0].quantity");
    INFO(member);
    CHECK(code_of(WebhookTopic::fulfillments_create, patched(sample("fulfillments-create"), {{member, std::nullopt}})) ==
          "member_missing");
}

TEST_CASE("fulfillment mapping: a notice for every sample of a fulfillment order", "[ingress][unit]") {
    const std::pair<const char*, WebhookTopic> samples[] = {
        {"fulfillment_orders-cancellation_request_submitted", WebhookTopic::fulfillment_orders_cancellation_request_submitted},
        {"fulfillment_orders-cancelled", WebhookTopic::fulfillment_orders_cancelled},
        {"fulfillment_orders-fulfillment_request_submitted", WebhookTopic::fulfillment_orders_fulfillment_request_submitted},
        {"fulfillment_orders-hold_released", WebhookTopic::fulfillment_orders_hold_released},
        {"fulfillment_orders-moved", WebhookTopic::fulfillment_orders_moved},
        {"fulfillment_orders-order_routing_complete", WebhookTopic::fulfillment_orders_order_routing_complete},
        {"fulfillment_orders-placed_on_hold", WebhookTopic::fulfillment_orders_placed_on_hold},
        {"fulfillment_orders-split", WebhookTopic::fulfillment_orders_split},
    };
    for (const auto& [name, topic] : samples) {
        INFO(name);
        const auto event = map(topic, sample(name));
        REQUIRE(event);
        CHECK(event->unknown_members.empty());
        const auto noticed = decoded<FulfillmentOrderNoticed>(*event);
        CHECK(noticed.fulfillment_order_id() > 0);
        CHECK("fulfillment_orders/" + noticed.what() == to_string(topic));
        CHECK_FALSE(noticed.status().empty());
        CHECK(noticed.order_id() == 0);
        CHECK(event->key == "eu/fulfillment-order/" + std::to_string(noticed.fulfillment_order_id()));
        for (const auto* text : {"Customer cancelled", "Fragile", "Stacked hold"}) {
            CHECK(event->value.find(text) == std::string::npos);
        }
    }
}

TEST_CASE("fulfillment mapping: the other topics of fulfillment orders, in the shapes Shopify documents", "[ingress][unit]") {
    const std::pair<WebhookTopic, const char*> bodies[] = {
        {WebhookTopic::fulfillment_orders_cancellation_request_accepted,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"closed"},"message":"no"})"},
        {WebhookTopic::fulfillment_orders_cancellation_request_rejected,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"in_progress","request_status":"cancellation_rejected"},"message":"no"})"},
        {WebhookTopic::fulfillment_orders_fulfillment_request_accepted,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"in_progress","request_status":"accepted"},"message":"no"})"},
        {WebhookTopic::fulfillment_orders_fulfillment_request_rejected,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open","request_status":"rejected"},"message":"no"})"},
        {WebhookTopic::fulfillment_orders_fulfillment_service_failed_to_complete,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"closed"},"message":"no"})"},
        {WebhookTopic::fulfillment_orders_line_items_prepared_for_local_delivery,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open","preparable":true,"delivery_method":{"method_type":"local"}}})"},
        {WebhookTopic::fulfillment_orders_line_items_prepared_for_pickup,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open","preparable":true,"delivery_method":{"method_type":"pickup"}}})"},
        {WebhookTopic::fulfillment_orders_manually_reported_progress_stopped,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open"},"progress_stopped_by_app":{"id":"gid://shopify/App/1"},"progress_stopped_by_user":null})"},
        {WebhookTopic::fulfillment_orders_progress_reported,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"in_progress"},"progress_report":{"reason_notes":"no"},"initial_status":"open"})"},
        {WebhookTopic::fulfillment_orders_rescheduled,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"scheduled","fulfill_at":"2021-12-31T19:00:00-05:00"}})"},
        {WebhookTopic::fulfillment_orders_scheduled_fulfillment_order_ready,
         R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open"}})"},
    };
    for (const auto& [topic, body] : bodies) {
        INFO(to_string(topic));
        const auto event = map(topic, body);
        REQUIRE(event);
        CHECK(event->unknown_members.empty());
        const auto noticed = decoded<FulfillmentOrderNoticed>(*event);
        CHECK(noticed.fulfillment_order_id() == 1);
        CHECK(noticed.related_fulfillment_order_ids_size() == 0);
    }
}

TEST_CASE("fulfillment mapping: moved, split, cancelled and merged orders name each other", "[ingress][unit]") {
    const auto moved = notice(WebhookTopic::fulfillment_orders_moved, sample("fulfillment_orders-moved"));
    CHECK(moved.fulfillment_order_id() == 2);  // The one that now holds the lines.
    CHECK(moved.assigned_location_id() == 1);
    CHECK(moved.status() == "open");
    REQUIRE(moved.related_fulfillment_order_ids_size() == 1);
    CHECK(moved.related_fulfillment_order_ids(0) == 1);

    const auto split = notice(WebhookTopic::fulfillment_orders_split, sample("fulfillment_orders-split"));
    CHECK(split.fulfillment_order_id() == 1);
    REQUIRE(split.related_fulfillment_order_ids_size() == 2);
    CHECK(split.related_fulfillment_order_ids(0) == 2);
    CHECK(split.related_fulfillment_order_ids(1) == 3);

    const auto cancelled = notice(WebhookTopic::fulfillment_orders_cancelled, sample("fulfillment_orders-cancelled"));
    CHECK(cancelled.status() == "cancelled");
    CHECK(cancelled.related_fulfillment_order_ids(0) == 2);

    const auto submitted = notice(WebhookTopic::fulfillment_orders_fulfillment_request_submitted,
                                  sample("fulfillment_orders-fulfillment_request_submitted"));
    CHECK(submitted.related_fulfillment_order_ids_size() == 0);  // Twice the same one.

    const auto merged =
        notice(WebhookTopic::fulfillment_orders_merged,
               R"({"merge_intents":[{"fulfillment_order_id":1,"fulfillment_order_line_items":[{"id":1,"quantity":1}]},)"
               R"({"fulfillment_order_id":2,"fulfillment_order_line_items":[]}],)"
               R"("fulfillment_order_merges":{"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1","status":"open"}}})");
    CHECK(merged.fulfillment_order_id() == 1);
    REQUIRE(merged.related_fulfillment_order_ids_size() == 1);
    CHECK(merged.related_fulfillment_order_ids(0) == 2);
    const auto several = notice(
        WebhookTopic::fulfillment_orders_merged,
        R"({"fulfillment_order_merges":[{"fulfillment_order":{"id":5,"status":"open"}},{"fulfillment_order":{"id":6,"status":"open"}}]})");
    CHECK(several.fulfillment_order_id() == 5);
    CHECK(several.related_fulfillment_order_ids(0) == 6);
}

TEST_CASE("fulfillment mapping: a notice that tells its order is keyed by it", "[ingress][unit]") {
    const auto event = map(WebhookTopic::fulfillment_orders_order_routing_complete,
                           R"({"fulfillment_order":{"id":9,"status":"open","order_id":"gid://shopify/Order/77"}})");
    REQUIRE(event);
    CHECK(event->key == "eu/77");
    CHECK(decoded<FulfillmentOrderNoticed>(*event).order_id() == 77);
}

TEST_CASE("fulfillment mapping: bodies without a fulfillment order are refused", "[ingress][unit]") {
    const auto code = [](std::string body) {
        return code_of(WebhookTopic::fulfillment_orders_moved, std::move(body));
    };
    CHECK(code("{}") == "member_missing");
    CHECK(code(R"({"fulfillment_order":null})") == "member_missing");
    CHECK(code(R"({"fulfillment_order":{}})") == "member_missing");
    CHECK(code(R"({"fulfillment_order":{"id":"gid://shopify/Order/1"}})") == "not_this_resource");
    CHECK(code(R"({"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/0"}})") == "id_not_positive");
    CHECK(code(R"({"fulfillment_order":[1]})") == "wrong_type");
    CHECK(code(R"({"merge_intents":[{"fulfillment_order_id":1}]})") == "member_missing");
    CHECK(code(R"({"merge_intents":{},"fulfillment_order":{"id":1}})") == "wrong_type");
    CHECK(code(R"({"fulfillment_order_merges":[7]})") != "mapped");
    CHECK(code(R"({"fulfillment_order":{"id":1,"assigned_location_id":{}}})") != "mapped");
}

TEST_CASE("fulfillment mapping: a return for every sample, keyed by its order where the body tells it", "[ingress][unit]") {
    const std::pair<const char*, WebhookTopic> samples[] = {
        {"returns-approve", WebhookTopic::returns_approve}, {"returns-cancel", WebhookTopic::returns_cancel},
        {"returns-close", WebhookTopic::returns_close},     {"returns-decline", WebhookTopic::returns_decline},
        {"returns-reopen", WebhookTopic::returns_reopen},   {"returns-request", WebhookTopic::returns_request},
    };
    for (const auto& [name, topic] : samples) {
        INFO(name);
        const auto event = map(topic, sample(name));
        REQUIRE(event);
        CHECK(event->unknown_members.empty());
        CHECK(event->key == "eu/4783296544821");
        const auto noticed = decoded<ReturnNoticed>(*event);
        CHECK(noticed.return_id() == 123134564567890);
        CHECK(noticed.order_id() == 4783296544821);
        CHECK_FALSE(noticed.status().empty());
        CHECK("returns/" + noticed.what() == to_string(topic));
        CHECK(event->value.find("discussed") == std::string::npos);
    }
    const auto update = map(WebhookTopic::returns_update, sample("returns-update"));
    REQUIRE(update);
    CHECK(update->key == "eu/return/123134564567890");
    CHECK(decoded<ReturnNoticed>(*update).status().empty());
}

TEST_CASE("fulfillment mapping: only a gid of a return makes a return", "[ingress][unit]") {
    const auto code = [](std::string body) {
        return code_of(WebhookTopic::returns_process, std::move(body));
    };
    CHECK(code("{}") == "member_missing");
    CHECK(code(R"({"id":1,"order_id":2,"status":"open"})") == "member_missing");
    CHECK(code(R"({"id":1,"admin_graphql_api_id":"gid://shopify/Refund/1","order_id":2})") == "not_this_resource");
    CHECK(code(R"({"id":1,"admin_graphql_api_id":"gid://shopify/Return/2"})") == "not_this_resource");
    CHECK(code(R"({"admin_graphql_api_id":"gid://shopify/Return/2","id":1})") == "not_this_resource");
    CHECK(code(R"({"admin_graphql_api_id":"gid://shopify/Return/2"})") == "mapped");
    CHECK(
        code(
            R"({"admin_graphql_api_id":"gid://shopify/Return/2","order":{"admin_graphql_api_id":"gid://shopify/Customer/2"}})") ==
        "not_this_resource");
}
