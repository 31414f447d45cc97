#include <catch2/catch_test_macros.hpp>

#include "domain/subscription_plan.h"

namespace {

using namespace reconciliation;

const std::string kUri = "https://hub.example.com/shopify/eu";
const std::string kOwn = "https://hub.example.com/";

SubscriptionPlan plan(const std::vector<std::string>& wanted, const std::vector<Subscription>& present) {
    return plan_subscriptions(wanted, kUri, kOwn, present);
}

}  // namespace

TEST_CASE("subscriptions: what is there as wanted is left alone", "[reconciliation][unit]") {
    CHECK(plan({"ORDERS_UPDATED"}, {{"1", "ORDERS_UPDATED", kUri, "", {}}}).nothing());
}

TEST_CASE("subscriptions: one that Shopify removed is made again", "[reconciliation][unit]") {
    const auto made = plan({"ORDERS_UPDATED", "ORDERS_CREATE", "ORDERS_CREATE"}, {{"1", "ORDERS_UPDATED", kUri, "", {}}});
    REQUIRE(made.create.size() == 1);
    CHECK(made.create[0].topic == "ORDERS_CREATE");
    CHECK(made.create[0].uri == kUri);
    CHECK(made.update.empty());
    CHECK(made.remove.empty());
}

TEST_CASE("subscriptions: an old address, a filter or a shortened body is changed, not doubled", "[reconciliation][unit]") {
    for (const Subscription& wrong : {Subscription{"7", "ORDERS_UPDATED", kOwn + "old", "", {}},
                                      Subscription{"7", "ORDERS_UPDATED", kUri, "total_price:>1", {}},
                                      Subscription{"7", "ORDERS_UPDATED", kUri, "", {"id"}}}) {
        const auto made = plan({"ORDERS_UPDATED"}, {wrong});
        REQUIRE(made.update.size() == 1);
        CHECK(made.update[0] == Subscription{"7", "ORDERS_UPDATED", kUri, "", {}});
        CHECK(made.create.empty());
        CHECK(made.remove.empty());
    }
}

TEST_CASE("subscriptions: a second one of a topic goes, the right one stays; foreign ones are not touched",
          "[reconciliation][unit]") {
    const auto made = plan({"ORDERS_UPDATED"}, {{"1", "ORDERS_UPDATED", kOwn + "old", "", {}},
                                                {"2", "ORDERS_UPDATED", kUri, "", {}},
                                                {"3", "ORDERS_UPDATED", "https://other.example.com/x", "", {}},
                                                {"4", "PRODUCTS_UPDATE", kUri, "", {}}});
    CHECK(made.create.empty());
    CHECK(made.update.empty());
    REQUIRE(made.remove.size() == 1);
    CHECK(made.remove[0].id == "1");
}
