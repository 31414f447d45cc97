#include <catch2/catch_test_macros.hpp>

#include <syncline/core/clock.h>
#include <algorithm>
#include <optional>

#include "app/check_subscriptions.h"
#include "tests/order_rig.h"

using namespace reconciliation;
using namespace reconciliation::testing;

namespace {

class FakeSubscriptions final : public ShopSubscriptions {
public:
    std::vector<Subscription> present;
    std::optional<core::Error> list_fails;
    std::string refused_topic;
    int writes = 0;

    core::Result<std::vector<Subscription>> list(const std::string&, const core::Deadline&) override {
        if (list_fails) {
            return std::unexpected(*list_fails);
        }
        return present;
    }
    core::Result<void> create(const std::string&, const Subscription& wanted, const core::Deadline&) override {
        ++writes;
        if (wanted.topic == refused_topic) {
            return core::fail(core::ErrorKind::unauthorized, "access_denied", "the app lacks a scope");
        }
        present.push_back(wanted);
        present.back().id = "new" + std::to_string(writes);
        return {};
    }
    core::Result<void> update(const std::string&, const Subscription& wanted, const core::Deadline&) override {
        ++writes;
        *std::ranges::find(present, wanted.id, &Subscription::id) = wanted;
        return {};
    }
    core::Result<void> remove(const std::string&, const Subscription& gone, const core::Deadline&) override {
        ++writes;
        std::erase_if(present, [&](const auto& one) { return one.id == gone.id; });
        return {};
    }
};

Subscription at(const std::string& id, const std::string& topic, const std::string& uri) {
    return {.id = id, .topic = topic, .uri = uri, .filter = {}, .include_fields = {}};
}

SubscriptionOptions wanting(SubscriptionPolicy policy) {
    return {.policy = policy,
            .uri = "https://hooks.example.com/webhooks/shopify",
            .own_prefix = "https://hooks.example.com/",
            .topics = {"orders/create", "orders/updated", "order_transactions/create"}};
}

}  // namespace

TEST_CASE("subscriptions: what is missing, moved or doubled is repaired, and then nothing is left to do",
          "[reconciliation][unit]") {
    FakeSubscriptions shop;
    shop.present = {at("1", "ORDERS_CREATE", "https://hooks.example.com/old"),
                    at("2", "ORDERS_CREATE", "https://hooks.example.com/older"),
                    at("3", "ORDERS_UPDATED", "https://somebody-else.example.com/")};
    CountedEvents events;
    CheckSubscriptions check(shop, events, core::system_clock(), wanting(SubscriptionPolicy::repair));
    REQUIRE(check.wanted());
    REQUIRE(check.run("eu"));
    CHECK(events.counts["eu created"] == 2);
    CHECK(events.counts["eu changed"] == 1);
    CHECK(events.counts["eu removed"] == 1);
    CHECK(events.counts["eu missing"] == 0);
    CHECK(std::ranges::count(shop.present, "https://hooks.example.com/webhooks/shopify", &Subscription::uri) == 3);
    CHECK(std::ranges::count(shop.present, std::string("3"), &Subscription::id) == 1);
    const auto writes = shop.writes;
    REQUIRE(check.run("eu"));
    CHECK(shop.writes == writes);
}

TEST_CASE("subscriptions: the policy report changes nothing and counts what is missing", "[reconciliation][unit]") {
    FakeSubscriptions shop;
    CountedEvents events;
    CheckSubscriptions check(shop, events, core::system_clock(), wanting(SubscriptionPolicy::report));
    REQUIRE(check.run("eu"));
    CHECK(shop.writes == 0);
    CHECK(events.counts["eu missing"] == 3);
    CHECK_FALSE(CheckSubscriptions(shop, events, core::system_clock(), wanting(SubscriptionPolicy::off)).wanted());
    auto nowhere = wanting(SubscriptionPolicy::repair);
    nowhere.uri.clear();
    CHECK_FALSE(CheckSubscriptions(shop, events, core::system_clock(), nowhere).wanted());
}

TEST_CASE("subscriptions: one that is refused does not keep the others, a list that fails changes nothing",
          "[reconciliation][unit]") {
    FakeSubscriptions shop;
    shop.refused_topic = "ORDERS_CREATE";
    CountedEvents events;
    CheckSubscriptions check(shop, events, core::system_clock(), wanting(SubscriptionPolicy::repair));
    REQUIRE(check.run("eu"));
    CHECK(shop.present.size() == 2);
    CHECK(events.counts["eu missing"] == 1);
    CHECK(events.failures == std::vector<std::string>{"eu subscription_not_repaired access_denied"});
    const auto writes = shop.writes;
    shop.list_fails = core::Error{.kind = core::ErrorKind::transient, .code = "target_away", .message = "503"};
    CHECK_FALSE(check.run("eu"));
    CHECK(shop.writes == writes);
}
