#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::orders::v1;
using syncline::common::v1::Money;
using syncline::common::v1::MoneyPair;

namespace {

OrderChanged order_of(std::string body, WebhookTopic topic = WebhookTopic::orders_updated) {
    return mapped<OrderChanged>(topic, std::move(body));
}

std::string text(const Money& money) {
    auto cents = std::to_string(money.nanos() / 10'000'000);
    return money.currency_code() + " " + std::to_string(money.units()) + "." + (cents.size() < 2 ? "0" + cents : cents);
}

constexpr const char* kSetTenEuro =
    R"({"shop_money":{"amount":"10.00","currency_code":"EUR"},"presentment_money":{"amount":"11.25","currency_code":"USD"}})";

}  // namespace

TEST_CASE("order mapping: every sample of an order maps, with nothing unknown", "[ingress][unit]") {
    const auto name = GENERATE("orders-create", "orders-updated", "orders-cancelled", "orders-paid", "orders-fulfilled",
                               "orders-partially_fulfilled", "orders-create.captured-1", "orders-create.captured-2");
    INFO(name);
    const auto event = map(WebhookTopic::orders_updated, sample(name));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->topic == "orders.v1");
    const auto changed = decoded<OrderChanged>(*event);
    CHECK(event->key == "eu/" + std::to_string(changed.order().order_id()));
    CHECK(changed.order().shop() == "eu");
    CHECK(changed.order().lines_size() > 0);
    CHECK(changed.order().has_total_price());
    CHECK(changed.order().content_hash().size() == 32);
}

TEST_CASE("order mapping: a member that a crawler broke in two is named as unknown, not an error", "[ingress][unit]") {
    const auto event = map(WebhookTopic::orders_cancelled, sample("orders-cancelled.captured-1"));
    REQUIRE(event);
    CHECK(event->unknown_members == std::vector<std::string>{"line_item.dutie s"});
}

TEST_CASE("order mapping: ids above 2^53 keep every digit", "[ingress][unit]") {
    const auto order = order_of(sample("orders-create")).order();
    CHECK(order.order_id() == 820982911946154508);
    CHECK(order.customer_id() == 115310627314723954);
    CHECK(order.lines(0).line_item_id() == 487817672276298554);
    CHECK(order.lines(1).line_group_id() == 234567890123456789);
}

TEST_CASE("order mapping: the head of an order is taken over", "[ingress][unit]") {
    const auto changed = order_of(sample("orders-create"), WebhookTopic::orders_cancelled);
    const auto& order = changed.order();
    CHECK(changed.cause() == CAUSE_CANCELLED);
    CHECK(order.name() == "#9999");
    CHECK(order.order_number() == 1234);
    CHECK(order.test());
    CHECK(order.cancel_reason() == "customer");
    CHECK(order.cancelled_at().seconds() == at("2022-01-01T00:00:00Z").time_since_epoch().count() / 1'000'000'000);
    CHECK(order.financial_status() == FINANCIAL_STATUS_VOIDED);
    CHECK(order.fulfillment_status() == FULFILLMENT_STATUS_UNFULFILLED);
    CHECK(order.source_name() == "web");
    CHECK(order.merchant_business_entity_id() == "MTU0ODM4MDAwOQ");
    CHECK(std::vector<std::string>(order.tags().begin(), order.tags().end()) == std::vector<std::string>{"tag1", "tag2"});
    CHECK(std::vector<std::string>(order.payment_gateway_names().begin(), order.payment_gateway_names().end()) ==
          std::vector<std::string>{"visa", "bogus"});
    CHECK(order.customer_locale() == "en");
    CHECK(order.destination_country_code() == "US");
    CHECK(order.destination_province_code() == "KY");
    CHECK(text(order.total_price().shop()) == "USD 404.95");
    CHECK(text(order.total_line_items_price().shop()) == "USD 414.95");
    CHECK(text(order.total_outstanding().shop()) == "USD 414.95");
    CHECK(text(order.total_shipping_price().shop()) == "USD 10.00");
    CHECK(text(order.current_total_price().shop()) == "USD 414.95");
    CHECK_FALSE(order.total_price().has_presentment());
    CHECK_FALSE(order.has_total_duties());
    CHECK(order.shipping_lines(0).title() == "Generic Shipping");
    CHECK(text(order.shipping_lines(0).price().shop()) == "USD 10.00");
    CHECK(text(order.shipping_lines(0).current_discounted_price().shop()) == "USD 0.00");
}

TEST_CASE("order mapping: discounts keep their applications, codes and exact parts", "[ingress][unit]") {
    const auto order = order_of(sample("orders-create.captured-1")).order();
    REQUIRE(order.discount_applications_size() == 2);
    CHECK(order.discount_applications(0).type() == "manual");
    CHECK(order.discount_applications(0).value().value() == "20");
    CHECK(order.discount_applications(1).target_selection() == "entitled");
    CHECK(order.discount_codes(0) == "Test 0123B");
    REQUIRE(order.lines(0).discount_allocations_size() == 2);
    CHECK(order.lines(0).discount_allocations(0).application_index() == 0);
    CHECK(text(order.lines(0).discount_allocations(0).amount().shop()) == "HKD 4.78");
    CHECK(order.lines(0).discount_allocations(1).application_index() == 1);
    CHECK(text(order.total_discounts().shop()) == "HKD 25.00");
    CHECK(order.lines(0).sku().empty());
    CHECK(order.lines(0).title() == "aaa0103測試商品11aa");
}

TEST_CASE("order mapping: a cancelled order carries its refund", "[ingress][unit]") {
    const auto order = order_of(sample("orders-cancelled.captured-1")).order();
    REQUIRE(order.refunds_size() == 1);
    const auto& refund = order.refunds(0);
    CHECK(refund.refund_id() == 982959849772);
    CHECK(refund.order_id() == 6198821716268);
    CHECK(refund.restock());
    CHECK(refund.lines(0).restock_type() == RESTOCK_TYPE_CANCEL);
    CHECK(refund.lines(0).location_id() == 103709376812);
    CHECK(text(refund.lines(0).subtotal().shop()) == "HKD 99.00");
    CHECK(refund.transactions(0).status() == TRANSACTION_STATUS_SUCCESS);
    CHECK(text(refund.transactions(0).amount()) == "HKD 99.00");
    CHECK(order.personal_data().clear().refund_notes(0).note() == "訂單已取消");
}

TEST_CASE("order mapping: a guest's order has no customer, and its e-mail may be empty", "[ingress][unit]") {
    const auto order = order_of(sample("orders-create.captured-2")).order();
    CHECK(order.customer_id() == 0);
    CHECK_FALSE(order.personal_data().clear().has_customer());
    CHECK(order.personal_data().clear().email().empty());
    CHECK(order.location_id() > 0);
}

TEST_CASE("order mapping: the customer's currency stands beside the shop's where they differ", "[ingress][unit]") {
    const auto order = order_of(patched(sample("orders-create"), {{"currency", R"("EUR")"},
                                                                  {"presentment_currency", R"("USD")"},
                                                                  {"total_price_set", kSetTenEuro},
                                                                  {"line_items[0].price_set", kSetTenEuro}}))
                           .order();
    CHECK(order.currency_code() == "EUR");
    CHECK(order.presentment_currency_code() == "USD");
    CHECK(text(order.total_price().shop()) == "EUR 10.00");
    CHECK(text(order.total_price().presentment()) == "USD 11.25");
    CHECK(text(order.lines(0).unit_price().presentment()) == "USD 11.25");
}

TEST_CASE("order mapping: bare amounts serve where an old API version sends no sets", "[ingress][unit]") {
    const auto order = order_of(patched(sample("orders-create"), {{"total_price_set", std::nullopt},
                                                                  {"current_total_price_set", "null"},
                                                                  {"line_items[0].price_set", std::nullopt},
                                                                  {"shipping_lines[0].price_set", std::nullopt}}))
                           .order();
    CHECK(text(order.total_price().shop()) == "USD 404.95");
    CHECK(text(order.current_total_price().shop()) == "USD 414.95");
    CHECK(text(order.lines(0).unit_price().shop()) == "USD 89.99");
    CHECK(text(order.shipping_lines(0).price().shop()) == "USD 10.00");
}

TEST_CASE("order mapping: taxes keep title, rate, amount, included or not, and who remits", "[ingress][unit]") {
    const std::string tax = R"([{"title":"TVA","rate":0.2,"price":"1.67","price_set":)" + std::string(kSetTenEuro) +
                            R"(,"channel_liable":true},{"title":"City","rate":0.03144408811829065,"price":"3.00"}])";
    const auto order = order_of(patched(sample("orders-create"),
                                        {{"line_items[0].tax_lines", tax}, {"tax_lines", tax}, {"taxes_included", "true"}}))
                           .order();
    REQUIRE(order.lines(0).tax_lines_size() == 2);
    const auto& line = order.lines(0).tax_lines(0);
    CHECK(line.title() == "TVA");
    CHECK(line.rate().value() == "0.2");
    CHECK(text(line.amount().shop()) == "EUR 10.00");
    CHECK(line.channel_liable());
    CHECK(line.included());
    CHECK(order.lines(0).tax_lines(1).rate().value() == "0.03144408811829065");
    CHECK(text(order.lines(0).tax_lines(1).amount().shop()) == "USD 3.00");
    CHECK(order.tax_lines_size() == 2);
}

TEST_CASE("order mapping: lines say what they stand for", "[ingress][unit]") {
    const auto body = patched(sample("orders-create"), {{"line_items[0].gift_card", "true"}});
    const auto order = order_of(body).order();
    CHECK(order.lines(0).kind() == LINE_KIND_GIFT_CARD);
    CHECK(order.lines(1).kind() == LINE_KIND_CUSTOM);
    CHECK(order.lines(3).kind() == LINE_KIND_PRODUCT);
    const auto tip = order_of(patched(
        sample("orders-create"),
        {{"line_items[1].admin_graphql_api_id", R"("gid://shopify/LineItem/1","tip_payment_gateway":"shopify_payments")"}}));
    CHECK(tip.order().lines(1).kind() == LINE_KIND_TIP);
}

TEST_CASE("order mapping: duties, fees, cash rounding and tips of the order are taken over", "[ingress][unit]") {
    const std::string duty =
        R"([{"id":7,"harmonized_system_code":"950611","country_code_of_origin":"CA","shop_money":{"amount":"1.50","currency_code":"USD"},)"
        R"("presentment_money":{"amount":"2.05","currency_code":"CAD"},"tax_lines":[],"admin_graphql_api_id":"gid://shopify/Duty/7"}])";
    const auto order = order_of(patched(sample("orders-create"), {{"line_items[0].duties", duty},
                                                                  {"original_total_duties_set", kSetTenEuro},
                                                                  {"current_total_duties_set", kSetTenEuro},
                                                                  {"original_total_additional_fees_set", kSetTenEuro},
                                                                  {"total_cash_rounding_payment_adjustment_set", kSetTenEuro},
                                                                  {"total_cash_rounding_refund_adjustment_set", kSetTenEuro},
                                                                  {"total_tip_received", R"("5.55")"}}))
                           .order();
    REQUIRE(order.lines(0).duties_size() == 1);
    CHECK(order.lines(0).duties(0).harmonized_system_code() == "950611");
    CHECK(text(order.lines(0).duties(0).amount().shop()) == "USD 1.50");
    CHECK(text(order.lines(0).duties(0).amount().presentment()) == "CAD 2.05");
    CHECK(text(order.total_duties().shop()) == "EUR 10.00");
    CHECK(text(order.current_total_duties().shop()) == "EUR 10.00");
    CHECK(text(order.total_additional_fees().shop()) == "EUR 10.00");
    CHECK(text(order.total_cash_rounding().presentment()) == "USD 11.25");
    CHECK(text(order.total_cash_rounding_refund().shop()) == "EUR 10.00");
    CHECK(text(order.total_tip_received().shop()) == "USD 5.55");
}

TEST_CASE("order mapping: bundles, returns, exchanges, shipments, company and payment terms are taken over", "[ingress][unit]") {
    const auto order =
        order_of(
            with_members(patched(sample("orders-create"),
                                 {{"line_item_groups",
                                   R"([{"id":142831562,"title":"Desk set","quantity":2,"variant_id":5,"variant_sku":"SET-1"}])"},
                                  {"returns",
                                   R"([{"id":9,"name":"#9999-R1","status":"open","exchange_line_items":[{"line_item_id":44}]}])"},
                                  {"fulfillments", "[" + sample("fulfillments-create") + "]"},
                                  {"payment_terms", sample("payment_terms-create")},
                                  {"po_number", R"("PO 77")"},
                                  {"merchant_of_record_app_id", "4711"}}),
                         R"("company":{"id":11,"location_id":12})"))
            .order();
    CHECK(order.line_groups(0).sku() == "SET-1");
    CHECK(order.line_groups(0).quantity().value() == "2");
    CHECK(order.returns(0).return_id() == 9);
    CHECK(order.returns(0).exchange_line_item_ids(0) == 44);
    REQUIRE(order.fulfillments_size() == 1);
    CHECK(order.fulfillments(0).tracking_numbers(0) == "1z827wk74630");
    CHECK(order.fulfillments(0).lines(0).line_item_id() == 487817672276298554);
    CHECK(order.fulfillments(0).lines(0).quantity().value() == "1");
    CHECK(order.payment_terms_name() == "Net 7");
    CHECK(order.payment_schedules_size() == 1);
    CHECK(order.company_id() == 11);
    CHECK(order.company_location_id() == 12);
    CHECK(order.po_number() == "PO 77");
    CHECK(order.merchant_of_record_app_id() == "4711");
}

TEST_CASE("order mapping: quantities after an edit stand beside those as ordered", "[ingress][unit]") {
    const auto order = order_of(patched(sample("orders-create"), {{"line_items[0].quantity", "3"},
                                                                  {"line_items[0].current_quantity", "1"},
                                                                  {"line_items[0].fulfillable_quantity", "0"}}))
                           .order();
    CHECK(order.lines(0).quantity().value() == "3");
    CHECK(order.lines(0).current_quantity().value() == "1");
    CHECK(order.lines(0).fulfillable_quantity().value() == "0");
}

TEST_CASE("order mapping: a status that is not known yet is counted and left open", "[ingress][unit]") {
    const auto event =
        map(WebhookTopic::orders_updated, patched(sample("orders-create"), {{"financial_status", R"("half_paid")"}}));
    REQUIRE(event);
    CHECK(event->unknown_members == std::vector<std::string>{"financial_status.new_value"});
    CHECK(decoded<OrderChanged>(*event).order().financial_status() == FINANCIAL_STATUS_UNSPECIFIED);
}

TEST_CASE("order mapping: unknown members are named once, and no more than a handful of them", "[ingress][unit]") {
    std::string many = R"("brand_new":1)";
    for (int i = 0; i < 100; ++i) {
        many += ",\"new_" + std::to_string(i) + "\":{}";
    }
    const auto event = map(WebhookTopic::orders_updated, with_members(sample("orders-create"), many));
    REQUIRE(event);
    CHECK(event->unknown_members.size() == 32);
    CHECK(event->unknown_members.front() == "order.brand_new");
}

TEST_CASE("order mapping: the cause follows the topic and nothing else does", "[ingress][unit]") {
    const std::pair<WebhookTopic, Cause> pairs[] = {{WebhookTopic::orders_create, CAUSE_PLACED},
                                                    {WebhookTopic::orders_updated, CAUSE_UPDATED},
                                                    {WebhookTopic::orders_paid, CAUSE_PAID},
                                                    {WebhookTopic::orders_fulfilled, CAUSE_FULFILLED},
                                                    {WebhookTopic::orders_partially_fulfilled, CAUSE_PARTIALLY_FULFILLED},
                                                    {WebhookTopic::orders_cancelled, CAUSE_CANCELLED}};
    const auto placed = order_of(sample("orders-create"), WebhookTopic::orders_create);
    for (const auto& [topic, cause] : pairs) {
        const auto changed = order_of(sample("orders-create"), topic);
        CHECK(changed.cause() == cause);
        CHECK(changed.order().SerializeAsString() == placed.order().SerializeAsString());
    }
}
