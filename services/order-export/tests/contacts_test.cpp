#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

TEST_CASE("contacts: guests are keyed by a keyed hash that does not tell the e-mail", "[order-export][unit]") {
    auto order = an_order();
    order.buyer.customer_id = 0;
    const auto plan = plan_contacts(order, some_rules(), "secret");
    CHECK(plan.external_name.starts_with("eu_guest_"));
    CHECK(plan.external_name.find("ann") == std::string::npos);
    CHECK(plan.external_name != plan_contacts(order, some_rules(), "other").external_name);
    auto same = order;
    same.buyer.email = "  ANN@example.com ";
    CHECK(plan_contacts(same, some_rules(), "secret").external_name == plan.external_name);
}

TEST_CASE("contacts: a buyer of whom nothing is known shares one contact of the shop", "[order-export][unit]") {
    auto order = an_order();
    order.buyer = {};
    const auto plan = plan_contacts(order, some_rules(), "k");
    CHECK(plan.external_name == "eu_anonymous");
    CHECK(!plan.name.empty());
    CHECK(!plan.match_email);
    CHECK(!plan.invoice);
}

TEST_CASE("contacts: a changed address is a new record, a customer is not", "[order-export][unit]") {
    const auto before = plan_contacts(an_order(), some_rules(), "k");
    auto moved = an_order();
    moved.buyer.billing->address1 = "2 Road";
    const auto after = plan_contacts(moved, some_rules(), "k");
    CHECK(before.external_name == "eu_customer_77");
    CHECK(after.external_name == before.external_name);
    CHECK(after.invoice->external_name != before.invoice->external_name);
    CHECK(after.hash != before.hash);
}

TEST_CASE("contacts: without a shipping address goods go where the invoice goes", "[order-export][unit]") {
    const auto plan = plan_contacts(an_order(), some_rules(), "k");
    REQUIRE(plan.delivery);
    CHECK(plan.delivery->address.address1 == "1 Road");
    CHECK(plan.delivery->use == AddressUse::delivery);
    CHECK(plan.delivery->external_name != plan.invoice->external_name);
}

TEST_CASE("contacts: a B2B order belongs to its company, and the buyer's e-mail does not find it", "[order-export][unit]") {
    auto order = an_order();
    order.buyer.company_id = 12;
    order.buyer.billing->company = "Acme";
    const auto plan = plan_contacts(order, some_rules(), "k");
    CHECK(plan.external_name == "eu_company_12");
    CHECK(plan.company);
    CHECK(plan.name == "Acme");
    CHECK(!plan.match_email);
    CHECK(plan.email.empty());
}
