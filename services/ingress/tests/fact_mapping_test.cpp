#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/customers/v1/events.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/shops/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::orders::v1;

namespace {
constexpr const char* kEuDomain = R"("acme-eu.myshopify.com")";
}

TEST_CASE("fact mapping: a refund of another currency, with its transactions, lines and note", "[ingress][unit]") {
    const auto event = map(WebhookTopic::refunds_create, sample("refunds-create"));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->key == "eu/820982911946154508");
    CHECK(event->subject == "refund/890088186047892319");
    const auto recorded = decoded<RefundRecorded>(*event);
    const auto& refund = recorded.refund();
    CHECK(refund.refund_id() == 890088186047892319);
    REQUIRE(refund.lines_size() == 5);
    CHECK(refund.lines(3).subtotal().shop().units() == 159);
    CHECK(refund.lines(3).subtotal().shop().nanos() == 990'000'000);
    CHECK(refund.lines(0).restock_type() == RESTOCK_TYPE_NO_RESTOCK);
    REQUIRE(refund.transactions_size() == 2);
    // Its own currency is null: the refund's amounts tell it.
    CHECK(refund.transactions(0).amount().currency_code() == "USD");
    CHECK_FALSE(refund.transactions(0).has_total_unsettled());
    CHECK(recorded.personal_data().clear().refund_notes(0).note() == "Things were damaged");
    CHECK(recorded.observed_at().nanos() == 123'456'789);
}

TEST_CASE("fact mapping: shipping given back, differences and duties of a refund", "[ingress][unit]") {
    const std::string set =
        R"({"shop_money":{"amount":"-4.90","currency_code":"EUR"},"presentment_money":{"amount":"-4.90","currency_code":"EUR"}})";
    const auto refund =
        mapped<RefundRecorded>(
            WebhookTopic::refunds_create,
            patched(sample("refunds-create"),
                    {{"order_adjustments",
                      R"([{"id":1,"order_id":2,"refund_id":3,"amount":"-4.90","tax_amount":"-0.78","kind":"shipping_refund",)"
                      R"("reason":"Shipping refund","amount_set":)" +
                          set + R"(,"tax_amount_set":null}])"},
                     {"refund_shipping_lines",
                      R"([{"id":5,"shipping_line":{"id":271878346596884015},"subtotal_amount_set":)" + set + "}]"},
                     {"return", R"({"id":77,"admin_graphql_api_id":"gid://shopify/Return/77"})"}}))
            .refund();
    REQUIRE(refund.adjustments_size() == 1);
    CHECK(refund.adjustments(0).kind() == "shipping_refund");
    CHECK(refund.adjustments(0).amount().shop().units() == -4);
    CHECK(refund.adjustments(0).amount().shop().nanos() == -900'000'000);
    CHECK(refund.adjustments(0).tax_amount().shop().nanos() == -780'000'000);
    CHECK(refund.shipping_lines(0).shipping_line_id() == 271878346596884015);
    CHECK(refund.return_id() == 77);
}

TEST_CASE("fact mapping: a transaction, without anything that tells of the card", "[ingress][unit]") {
    const auto event = map(WebhookTopic::order_transactions_create, sample("order_transactions-create"));
    REQUIRE(event);
    CHECK(event->unknown_members.empty());
    CHECK(event->subject == "transaction/120560818172775265");
    const auto transaction = decoded<PaymentTransactionRecorded>(*event).transaction();
    CHECK(transaction.kind() == "authorization");
    CHECK(transaction.status() == TRANSACTION_STATUS_SUCCESS);
    CHECK(transaction.gateway() == "visa");
    CHECK(transaction.amount().units() == 419);
    CHECK(transaction.manual_gateway());
    CHECK(transaction.total_unsettled().shop().currency_code() == "USD");
    CHECK(transaction.payment_id() == "#9999.1");
    CHECK(event->value.find("1234") == std::string::npos);
    CHECK(event->value.find("1001") == std::string::npos);
}

TEST_CASE("fact mapping: a transaction that settles is another event of the same resource", "[ingress][unit]") {
    const auto pending =
        map(WebhookTopic::order_transactions_create, patched(sample("order_transactions-create"), {{"status", R"("pending")"}}));
    const auto settled = map(WebhookTopic::order_transactions_create, sample("order_transactions-create"));
    REQUIRE((pending && settled));
    CHECK(pending->id != settled->id);
    CHECK(pending->subject == settled->subject);
    CHECK(decoded<PaymentTransactionRecorded>(*pending).transaction().status() == TRANSACTION_STATUS_PENDING);
}

TEST_CASE("fact mapping: a risk assessment names its order by number, text or gid", "[ingress][unit]") {
    for (const auto* order : {R"("order_id":820982911946154508)", R"("order_id":"820982911946154508")",
                              R"("order_id":null,"admin_graphql_api_order_id":"gid://shopify/Order/820982911946154508")"}) {
        const auto assessed = mapped<OrderRiskAssessed>(
            WebhookTopic::orders_risk_assessment_changed,
            R"({"provider_id":null,"provider_title":null,"risk_level":"HIGH","created_at":"2026-11-20T10:00:00Z",)" +
                std::string(order) + "}");
        CHECK(assessed.order_id() == 820982911946154508);
        CHECK(assessed.level() == RISK_LEVEL_HIGH);
        CHECK(assessed.provider().empty());
        CHECK(assessed.has_assessed_at());
    }
}

TEST_CASE("fact mapping: a deletion is unconfirmed, an edit is a notice", "[ingress][unit]") {
    const auto deleted = mapped<OrderDeleted>(WebhookTopic::orders_delete, sample("orders-delete"));
    CHECK(deleted.order_id() == 820982911946154508);
    CHECK_FALSE(deleted.confirmed());
    const auto edited = mapped<OrderEditNoticed>(WebhookTopic::orders_edited, sample("orders-edited"));
    CHECK(edited.order_id() == 820982911946154508);
    CHECK(edited.order_edit_id() == 78912328793123780);
    CHECK(edited.has_committed_at());
}

TEST_CASE("fact mapping: what privacy law asks for goes out without names", "[ingress][unit]") {
    using namespace syncline::customers::v1;
    const auto redact = map(WebhookTopic::customers_redact, patched(sample("customers-redact"), {{"shop_domain", kEuDomain}}));
    REQUIRE(redact);
    CHECK(redact->topic == "customers.v1");
    CHECK(redact->key == "eu/191167");
    const auto redaction = decoded<CustomerRedactionRequested>(*redact);
    CHECK(redaction.order_ids_size() == 3);
    CHECK(redact->value.find("john@example.com") == std::string::npos);
    const auto request = mapped<CustomerDataRequested>(WebhookTopic::customers_data_request,
                                                       patched(sample("customers-data_request"), {{"shop_domain", kEuDomain}}));
    CHECK(request.data_request_id() == 9999);
    CHECK(request.order_ids(2) == 220458);
}

TEST_CASE("fact mapping: what concerns a whole shop is keyed by the shop", "[ingress][unit]") {
    using namespace syncline::shops::v1;
    const auto redact =
        map(WebhookTopic::shop_redact, patched(sample("shop-redact"), {{"shop_domain", R"("ACME-EU.myshopify.com")"}}));
    REQUIRE(redact);
    CHECK(redact->topic == "shops.v1");
    CHECK(redact->key == "eu");
    CHECK(decoded<ShopRedactionRequested>(*redact).shop_id() == 954889);
    const auto gone = mapped<AppUninstalled>(WebhookTopic::app_uninstalled,
                                             patched(sample("app-uninstalled"), {{"myshopify_domain", kEuDomain}}));
    CHECK(gone.shop_id() == 548380009);
    CHECK(gone.SerializeAsString().find("Smith") == std::string::npos);
}
