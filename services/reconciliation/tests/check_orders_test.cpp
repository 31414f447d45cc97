#include <catch2/catch_test_macros.hpp>

#include <syncline/json/document.h>
#include <syncline/kit/admin.h>

#include "adapters/orders/order_routes.h"
#include "app/order_lane.h"
#include "tests/order_rig.h"

using namespace reconciliation;
using namespace reconciliation::testing;

namespace {

class FakeReservations final : public Reservations {
public:
    std::vector<std::pair<std::string, core::SystemTime>> cleared;
    std::optional<core::Error> refuses;
    core::Result<void> clear_pending(const std::string& shop, core::SystemTime until, const core::Deadline&) override {
        if (refuses) {
            return std::unexpected(*refuses);
        }
        cleared.emplace_back(shop, until);
        return {};
    }
};

class NoSubscriptions final : public ShopSubscriptions {
public:
    core::Result<std::vector<Subscription>> list(const std::string&, const core::Deadline&) override {
        return std::vector<Subscription>{};
    }
    core::Result<void> create(const std::string&, const Subscription&, const core::Deadline&) override { return {}; }
    core::Result<void> update(const std::string&, const Subscription&, const core::Deadline&) override { return {}; }
    core::Result<void> remove(const std::string&, const Subscription&, const core::Deadline&) override { return {}; }
};

struct LaneRig : OrderRig {
    FakeReservations reservations;
    NoSubscriptions none;
    CheckOrders checking = check();
    CheckSubscriptions subscriptions{
        none, events, harness.clock(), {.policy = SubscriptionPolicy::off, .uri = {}, .own_prefix = {}, .topics = {}}};
    OrderLane lane{checking, subscriptions, checks, reservations, events, harness.clock(), {.clear_reservations = true}};
    syncline::kit::AdminRouter router;

    LaneRig() {
        add_order_routes(router, {.checks = checks,
                                  .orders = shopify,
                                  .shops = [] { return std::vector<std::string>{"eu", "us"}; },
                                  .clock = harness.clock(),
                                  .rules = {}});
    }
    void turns(const std::string& shop) {
        while (lane.step(shop, [] { return true; }) == 0ms) {
        }
        settle();
    }
    syncline::kit::AdminReply post(const std::string& body) {
        return router.dispatch({.method = "POST",
                                .path = "/admin/order-checks/runs",
                                .path_values = {},
                                .query = {},
                                .body = body,
                                .actor = "test"});
    }
    syncline::kit::AdminReply get(const std::string& path) {
        return router.dispatch({.method = "GET", .path = path, .path_values = {}, .query = {}, .body = {}, .actor = "test"});
    }
    std::string ask(const std::string& kind, core::SystemTime since, bool dry_run = false) {
        return R"({"kind":")" + kind + R"(","shop":"eu","reason":"test","since":")" + core::format_rfc3339_utc(since) +
               R"(","dry_run":)" + (dry_run ? "true" : "false") + "}";
    }
    RunReport only_run() {
        auto reports = checks.reports(10);
        REQUIRE(reports);
        REQUIRE(reports->size() == 1);
        return reports->front();
    }
};

bool without_postgres() {
    return !syncline::kit::testing::Harness::available();
}

}  // namespace

TEST_CASE("order lane: a shop whose token is refused rests, longer each time, and the other one goes on",
          "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    LaneRig rig;
    rig.harness.start();
    rig.settle();
    rig.shopify.place("eu", 1, rig.now() - 20min);
    rig.shopify.refused["us"] = core::Error{.kind = core::ErrorKind::unauthorized, .code = "token_refused", .message = "401"};
    rig.turns("us");
    rig.turns("eu");
    CHECK(rig.shopify.fetches == std::vector<std::string>{"eu/1"});
    CHECK(rig.events.failures.size() == 1);
    rig.turns("us");
    CHECK(rig.events.failures.size() == 1);
    rig.harness.clock().advance(6s);
    rig.turns("us");
    CHECK(rig.events.failures.size() == 2);
    rig.harness.clock().advance(6s);
    rig.turns("us");
    CHECK(rig.events.failures.size() == 2);
    rig.shopify.refused.clear();
    rig.shopify.place("us", 1, rig.now() - 20min);
    rig.harness.clock().advance(6s);
    rig.turns("us");
    CHECK(rig.fetched_ids("us/1").size() == 1);
    rig.harness.stop();
}

TEST_CASE("order lane: after a whole scan inventory-sync hears up to when every order is known", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    LaneRig rig;
    rig.harness.start();
    rig.settle();
    rig.turns("eu");
    REQUIRE(rig.reservations.cleared.size() == 1);
    CHECK(rig.reservations.cleared[0].first == "eu");
    CHECK(rig.reservations.cleared[0].second <= rig.now() - 12min);
    rig.harness.clock().advance(1min);
    rig.turns("eu");
    CHECK(rig.reservations.cleared.size() == 1);
    rig.reservations.refuses = core::Error{.kind = core::ErrorKind::transient, .code = "inventory_sync_away", .message = "away"};
    rig.harness.clock().advance(4min);
    rig.turns("eu");
    rig.reservations.refuses.reset();
    rig.harness.clock().advance(1min);
    rig.turns("eu");
    CHECK(rig.reservations.cleared.size() == 2);
    rig.harness.stop();
}

TEST_CASE("order runs: a backfill sends every order of its window once, facts included, across a restart",
          "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    LaneRig rig;
    rig.harness.start();
    for (std::int64_t id = 1; id <= 11; ++id) {
        rig.shopify.place("eu", id, rig.now() - 24h * 20 + std::chrono::minutes(id));
        rig.webhook("eu", id);
    }
    rig.shopify.place("eu", 12, rig.now() - 24h * 40);
    rig.shopify.shops["eu"][3].refunds = {71};
    rig.settle();
    const auto begun = rig.post(rig.ask("backfill", rig.now() - 24h * 30));
    REQUIRE(begun.status == 202);
    // Two pages, then another process.
    auto first = rig.check();
    CHECK(first.run_step("eu") == true);
    CHECK(first.run_step("eu") == true);
    CHECK(first.look_up("eu", [] { return true; }));
    rig.turns("eu");
    const auto report = rig.only_run();
    CHECK(report.state == "done");
    CHECK(report.listed == 11);
    CHECK(report.published == 11);
    for (std::int64_t id = 1; id <= 11; ++id) {
        CHECK(rig.fetched_ids("eu/" + std::to_string(id)).size() == 1);
    }
    CHECK(rig.fetched_ids("eu/12").empty());
    CHECK(rig.sent("eu/3", "syncline.orders.v1.RefundRecorded") == 1);
    const auto shown = rig.get("/admin/order-checks/runs/" + report.run.id);
    CHECK(shown.status == 200);
    const auto body = syncline::json::Document::parse(shown.body);
    REQUIRE(body);
    CHECK(body->root().string_of("state") == "done");
    CHECK(rig.harness.count("SELECT count(*) FROM admin_actions WHERE verb = 'backfill_orders'") == 1);
    rig.harness.stop();
}

TEST_CASE("order runs: reconcile fetches what never came, a dry run only names it", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    LaneRig rig;
    rig.harness.start();
    for (std::int64_t id = 1; id <= 8; ++id) {
        rig.shopify.place("eu", id, rig.now() - 24h * 20 + std::chrono::minutes(id));
        if (id % 4 != 0) {
            rig.webhook("eu", id);
        }
    }
    rig.settle();
    REQUIRE(rig.post(rig.ask("reconcile", rig.now() - 24h * 30, true)).status == 202);
    rig.turns("eu");
    auto report = rig.only_run();
    CHECK(report.state == "done");
    CHECK(report.sample == std::vector<std::int64_t>{4, 8});
    CHECK(rig.shopify.fetches.empty());
    rig.shopify.unreadable[8] = core::Error{.kind = core::ErrorKind::malformed, .code = "wrong_type", .message = "lines"};
    rig.harness.clock().advance(1s);
    REQUIRE(rig.post(rig.ask("reconcile", rig.now() - 24h * 30)).status == 202);
    for (int round = 0; round < 8; ++round) {
        rig.turns("eu");
        rig.harness.clock().advance(3min);
    }
    const auto reports = rig.checks.reports(1);
    REQUIRE(reports);
    CHECK(reports->front().state == "done");
    CHECK(reports->front().published == 1);
    CHECK(reports->front().failed == 1);
    // It is the check's own now.
    CHECK(rig.checks.state("eu")->lookups == 1);
    rig.shopify.unreadable.clear();
    rig.harness.clock().advance(2h);
    rig.turns("eu");
    CHECK(rig.fetched_ids("eu/8").size() == 1);
    rig.harness.stop();
}

TEST_CASE("order runs: beyond 60 days only with read_all_orders, and never without a reason", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    LaneRig rig;
    rig.harness.start();
    const auto refused = rig.post(rig.ask("backfill", rig.now() - 24h * 61));
    CHECK(refused.status == 409);
    CHECK(refused.body.find("needs_read_all_orders") != std::string::npos);
    CHECK(rig.checks.reports(10)->empty());
    rig.shopify.reads_all_orders = {"eu"};
    CHECK(rig.post(rig.ask("backfill", rig.now() - 24h * 61)).status == 202);
    for (const std::string body : {"", "{}", R"({"kind":"backfill","shop":"eu","since":"2026-11-01T00:00:00Z"})",
                                   R"({"kind":"sideways","shop":"eu","reason":"r","since":"2026-11-01T00:00:00Z"})",
                                   R"({"kind":"backfill","shop":"mars","reason":"r","since":"2026-11-01T00:00:00Z"})",
                                   R"({"kind":"backfill","shop":"eu","reason":"r","since":"2999-11-01T00:00:00Z"})",
                                   R"({"kind":"backfill","shop":"eu","reason":"r","since":"yesterday"})"}) {
        CHECK(rig.post(body).status == 400);
    }
    CHECK(rig.get("/admin/order-checks").status == 200);
    CHECK(rig.get("/admin/order-checks/runs/none").status == 404);
    rig.harness.stop();
}
