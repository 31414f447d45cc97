// One order, two shapes: what ingress makes of a webhook's body and what reconciliation makes of the same order fetched over
// GraphQL must be equal field by field, but for the exceptions that adapters/fetched/map_order.h lists.
#include <catch2/catch_test_macros.hpp>

#include <google/protobuf/util/message_differencer.h>

#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/orders/v1/events.pb.h>
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "adapters/fetched/map_order.h"
#include "adapters/shopify/mapping.h"
#include "graphql_shape.h"
#include "src/workload.h"

namespace {

namespace json = syncline::json;
namespace core = syncline::core;
using google::protobuf::util::MessageDifferencer;
using syncline::orders::v1::Order;
using syncline::orders::v1::OrderChanged;

json::Document parsed(std::string text) {
    auto document = json::Document::parse(std::move(text));
    REQUIRE(document);
    return std::move(*document);
}

OrderChanged from_webhook(json::Value body) {
    const ingress::Webhook webhook{.shop = "eu",
                                   .shop_domain = "acme-eu.myshopify.com",
                                   .shop_currency = "EUR",
                                   .topic_name = "orders/updated",
                                   .topic = ingress::WebhookTopic::orders_updated,
                                   .triggered_at = "2026-11-20T10:00:00Z",
                                   .received_at = core::parse_rfc3339("2026-11-20T10:00:01Z").value()};
    const auto event = ingress::map_webhook(webhook, body);
    INFO((event ? std::string() : event.error().message));
    REQUIRE(event);
    OrderChanged message;
    REQUIRE(message.ParseFromString(event->value));
    return message;
}

OrderChanged from_graphql(const std::string& text) {
    const auto document = parsed(text);
    OrderChanged message;
    message.set_cause(syncline::orders::v1::CAUSE_RECONCILED);
    const auto mapped =
        reconciliation::map_fetched_order("eu", document.root(), core::parse_rfc3339("2026-11-20T10:00:00Z").value(), message);
    INFO((mapped ? std::string() : mapped.error().message));
    REQUIRE(mapped);
    return message;
}

// The exceptions, and what is not content: cause, version and hash.
Order comparable(const OrderChanged& event) {
    using namespace syncline::orders::v1;
    Order order = event.order();
    order.clear_observed_at();
    order.clear_fetched();
    order.clear_content_hash();
    order.clear_merchant_of_record_app_id();
    order.clear_merchant_business_entity_id();
    order.clear_exchanged_order_ids();
    order.mutable_personal_data()->mutable_clear()->clear_company_contact();
    for (auto& line : *order.mutable_lines()) {
        line.clear_fulfillment_service();
        line.clear_fulfillment_status();
        if (line.kind() == LINE_KIND_TIP || line.kind() == LINE_KIND_FEE) {
            line.set_kind(LINE_KIND_CUSTOM);
        }
    }
    // Shopify's samples name groups at lines that the order itself does not list.
    auto& groups = *order.mutable_line_groups();
    groups.erase(std::remove_if(groups.begin(), groups.end(), [](const auto& group) { return group.title().empty(); }),
                 groups.end());
    for (auto& refund : *order.mutable_refunds()) {
        refund.clear_restock();
        refund.clear_total_duties();
        for (auto& adjustment : *refund.mutable_adjustments()) {
            adjustment.clear_kind();
            adjustment.clear_reason();
        }
        for (auto& transaction : *refund.mutable_transactions()) {
            transaction.clear_source_name();
            transaction.clear_shop_amount();
            transaction.clear_total_unsettled();
        }
    }
    for (auto& fulfillment : *order.mutable_fulfillments()) {
        fulfillment.clear_shipment_status();
    }
    for (auto& schedule : *order.mutable_payment_schedules()) {
        schedule.clear_amount();
    }
    return order;
}

std::string differences(const OrderChanged& webhook, const OrderChanged& fetched) {
    MessageDifferencer differencer;
    std::string report;
    differencer.ReportDifferencesToString(&report);
    return differencer.Compare(comparable(webhook), comparable(fetched)) ? std::string() : report;
}

std::string fixture(const std::string& name) {
    std::ifstream file(std::string(SYNCLINE_FIXTURES) + "/shopify/" + name + ".json");
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("order shapes: Shopify's samples map to the same order from a webhook and from GraphQL", "[contracts][unit]") {
    for (const std::string name : {"orders-create", "orders-create.captured-1", "orders-create.captured-2",
                                   "orders-cancelled.captured-1", "orders-updated"}) {
        INFO(name);
        const auto body = parsed(fixture(name));
        CHECK(differences(from_webhook(body.root()), from_graphql(contracts::graphql_shape(body.root()))) == "");
    }
}

TEST_CASE("order shapes: made-up orders of every kind map to the same order from both shapes", "[contracts][unit]") {
    loadgen::WorkloadOptions options;
    options.orders = 400;
    options.shops = {loadgen::shop_of("eu", "acme-eu.myshopify.com"), loadgen::shop_of("us-b2b", "acme-us.myshopify.com")};
    std::size_t compared = 0;
    std::size_t with_refunds = 0;
    std::size_t with_fulfillments = 0;
    std::size_t with_discounts = 0;
    std::size_t two_currencies = 0;
    std::set<std::string> seen;
    loadgen::Workload workload(options);
    while (const auto webhook = workload.next()) {
        const std::string topic = webhook->topic;
        if (!topic.starts_with("orders/") || topic == "orders/delete" || topic == "orders/edited" ||
            topic == "orders/risk_assessment_changed" || !seen.insert(webhook->body).second) {
            continue;
        }
        const auto body = parsed(webhook->body);
        const auto left = from_webhook(body.root());
        const auto right = from_graphql(contracts::graphql_shape(body.root()));
        INFO(webhook->body);
        const auto different = differences(left, right);
        CHECK(different == "");
        if (!different.empty()) {
            return;
        }
        ++compared;
        with_refunds += left.order().refunds_size() > 0 ? 1 : 0;
        with_fulfillments += left.order().fulfillments_size() > 0 ? 1 : 0;
        with_discounts += left.order().discount_applications_size() > 0 ? 1 : 0;
        two_currencies += left.order().total_price().has_presentment() ? 1 : 0;
    }
    // The comparison would mean little if the orders held nothing.
    CHECK(compared > 800);
    CHECK(with_refunds > 20);
    CHECK(with_discounts > 20);
    CHECK(two_currencies > 5);
    CHECK(with_fulfillments > 0);
}

TEST_CASE("order shapes: an answer that lacks what an order needs is refused", "[contracts][unit]") {
    const auto body = parsed(fixture("orders-create.captured-1"));
    const auto good = contracts::graphql_shape(body.root());
    const auto refused = [](const std::string& text) {
        const auto document = parsed(text);
        OrderChanged message;
        return reconciliation::map_fetched_order("eu", document.root(), core::SystemTime{}, message).error().code;
    };
    const auto replaced = [&](const std::string& from, const std::string& to) {
        auto text = good;
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    CHECK(refused("{}") == "member_missing");
    CHECK(refused("[]") == "wrong_type");
    CHECK(refused(replaced("gid://shopify/Order/", "gid://shopify/Order/x")) == "id_not_positive");
    CHECK(refused(replaced(R"("currencyCode":"HKD")", R"("currencyCode":"hk")")) != "");
    CHECK(refused(replaced(R"("updatedAt":"2025)", R"("updatedAt":"x2025)")) == "time_malformed");
}

TEST_CASE("order shapes: fetched again unchanged, an order has the same event id; changed, another", "[contracts][unit]") {
    const auto body = parsed(fixture("orders-create.captured-1"));
    const auto text = contracts::graphql_shape(body.root());
    const auto first = from_graphql(text);
    CHECK(reconciliation::fetched_event_id(first) == reconciliation::fetched_event_id(from_graphql(text)));
    CHECK(first.order().fetched());
    auto changed = text;
    changed.replace(changed.find("#1054"), 5, "#1055");
    CHECK(reconciliation::fetched_event_id(first) != reconciliation::fetched_event_id(from_graphql(changed)));
}
