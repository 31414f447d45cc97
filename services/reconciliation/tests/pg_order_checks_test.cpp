#include <catch2/catch_test_macros.hpp>

#include "tests/order_rig.h"

using namespace reconciliation;
using namespace reconciliation::testing;

namespace {

constexpr std::string_view kDeleted = "syncline.orders.v1.OrderDeleted";
constexpr std::string_view kRefund = "syncline.orders.v1.RefundRecorded";

bool without_postgres() {
    return !syncline::kit::testing::Harness::available();
}

void tell_deletion(OrderRig& rig, const std::string& shop, std::int64_t id) {
    OrderDeleted event;
    event.set_shop(shop);
    event.set_order_id(id);
    set(event.mutable_observed_at(), rig.now());
    rig.harness.publish("orders.v1", shop + "/" + std::to_string(id), event);
}

}  // namespace

TEST_CASE("order checks: what never came is fetched and sent once, what came is left alone", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    for (std::int64_t id = 1; id <= 10; ++id) {
        rig.shopify.place("eu", id, rig.now() - 20min + std::chrono::seconds(id % 3));
        rig.shopify.place("us", id, rig.now() - 20min);
        if (id % 4 != 0) {
            rig.webhook("eu", id);
        }
        rig.webhook("us", id);
    }
    rig.settle();
    rig.pass("eu");
    rig.pass("us");
    CHECK(rig.shopify.fetches == std::vector<std::string>{"eu/4", "eu/8"});
    CHECK(rig.fetched_ids("eu/4").size() == 1);
    CHECK(rig.events.counts["eu found missing"] == 2);
    // Changed since, and its webhook got lost.
    rig.harness.clock().advance(10min);
    rig.shopify.place("eu", 5, rig.now() - 4min, "b");
    rig.pass("eu");
    rig.pass("eu");
    CHECK(rig.fetched_ids("eu/5").size() == 1);
    CHECK(rig.fetched_ids("eu/4").size() == 1);
    CHECK(rig.events.counts["eu found outdated"] == 1);
    CHECK(rig.shopify.fetches.size() == 3);
    rig.harness.stop();
}

TEST_CASE("order checks: a change in the watermark's own second, seen after it, is found", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    const auto second = rig.now() - 10min;
    rig.shopify.place("eu", 1, second);
    rig.webhook("eu", 1);
    rig.settle();
    rig.pass("eu");
    CHECK(rig.shopify.fetches.empty());
    CHECK(rig.checks.state("eu")->watermark == std::chrono::floor<std::chrono::seconds>(second));
    // Its index had not shown this one.
    rig.shopify.place("eu", 2, second);
    rig.pass("eu");
    CHECK(rig.shopify.fetches == std::vector<std::string>{"eu/2"});
    rig.harness.stop();
}

TEST_CASE("order checks: clocks two minutes apart lose nothing, either way", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    for (const auto skew : {-120s, 120s}) {
        OrderRig rig;
        rig.harness.start();
        std::int64_t id = 0;
        for (int round = 0; round < 6; ++round) {
            for (int order = 0; order < 7; ++order) {
                rig.shopify.place("eu", ++id, rig.now() + skew);
                if (id % 5 != 0) {
                    rig.webhook("eu", id);
                }
                rig.harness.clock().advance(20s);
            }
            rig.settle();
            rig.pass("eu");
        }
        rig.harness.clock().advance(10min);
        rig.pass("eu");
        CHECK(rig.shopify.fetches.size() == static_cast<std::size_t>(id / 5));
        CHECK(std::set<std::string>(rig.shopify.fetches.begin(), rig.shopify.fetches.end()).size() == rig.shopify.fetches.size());
        rig.harness.stop();
    }
}

TEST_CASE("order checks: orders that change while the pages are read are all found", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    const auto begin = rig.now() - 30min;
    for (std::int64_t id = 1; id <= 20; ++id) {
        rig.shopify.place("eu", id, begin + std::chrono::seconds(id));
    }
    std::int64_t next = 1;
    rig.shopify.before_page = [&](int) -> core::Result<void> {
        // One that was listed and one that was not move to the end.
        rig.shopify.place("eu", next, begin + 100s + std::chrono::seconds(next), "b");
        rig.shopify.place("eu", 21 - next, begin + 200s + std::chrono::seconds(next), "b");
        next = std::min<std::int64_t>(next + 1, 10);
        return {};
    };
    rig.settle();
    rig.pass("eu");
    rig.shopify.before_page = nullptr;
    rig.pass("eu");
    std::vector<std::int64_t> ids;
    for (std::int64_t id = 1; id <= 20; ++id) {
        ids.push_back(id);
    }
    const auto rows = rig.checks.received("eu", ids);
    REQUIRE(rows);
    REQUIRE(rows->size() == 20);
    for (const auto& [id, row] : *rows) {
        CHECK(row.updated_at == rig.shopify.shops["eu"].at(id).updated_at);
    }
    rig.harness.stop();
}

TEST_CASE("order checks: a process that dies between listing and fetching forgets nothing", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    for (std::int64_t id = 1; id <= 9; ++id) {
        rig.shopify.place("eu", id, rig.now() - 30min + std::chrono::seconds(id));
    }
    rig.settle();
    // Dies in the middle of the listing: the second page never comes.
    rig.shopify.before_page = [](int page) -> core::Result<void> {
        return page == 0 ? core::Result<void>{} : core::fail(core::ErrorKind::transient, "gone", "killed");
    };
    CHECK_FALSE(rig.check().scan("eu", [] { return true; }));
    rig.shopify.before_page = nullptr;
    CHECK(rig.checks.state("eu")->lookups == 3);
    // Dies again after the listing, before anything was fetched.
    CHECK(rig.check().scan("eu", [] { return true; }) == ScanEnd::whole);
    CHECK(rig.checks.state("eu")->lookups == 9);
    // One comes by its webhook after all.
    rig.webhook("eu", 4);
    rig.settle();
    rig.look_up("eu");
    CHECK(rig.shopify.fetches.size() == 8);
    CHECK(rig.events.counts["eu came"] == 1);
    CHECK(rig.checks.state("eu")->lookups == 0);
    for (std::int64_t id = 1; id <= 9; ++id) {
        CHECK(rig.fetched_ids("eu/" + std::to_string(id)).size() == (id == 4 ? 0U : 1U));
    }
    rig.harness.stop();
}

TEST_CASE("order checks: nothing is called missing while the ledger has not read what came", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.shopify.place("eu", 1, rig.now() - 30min);
    rig.harness.start();
    rig.settle();
    rig.harness.stop();
    rig.webhook("eu", 1);
    CHECK(rig.check().scan("eu", [] { return true; }) == ScanEnd::ledger_behind);
    CHECK(rig.checks.state("eu")->lookups == 0);
    rig.harness.start();
    rig.settle();
    rig.pass("eu");
    CHECK(rig.shopify.fetches.empty());
    rig.harness.stop();
}

TEST_CASE("order checks: contradicting versions and edits are fetched after two minutes, once", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    rig.shopify.place("eu", 1, rig.now() - 1min);
    rig.webhook("eu", 1);
    rig.shopify.shops["eu"][1].content = "b";
    rig.webhook("eu", 1);
    rig.shopify.place("eu", 2, rig.now() - 1min);
    rig.webhook("eu", 2);
    OrderEditNoticed edit;
    edit.set_shop("eu");
    edit.set_order_id(2);
    set(edit.mutable_committed_at(), rig.now());
    rig.harness.publish("orders.v1", "eu/2", edit);
    rig.settle();
    rig.pass("eu");
    CHECK(rig.shopify.fetches.empty());
    rig.harness.clock().advance(3min);
    rig.shopify.place("eu", 2, rig.now() - 2min, "edited");
    rig.pass("eu");
    CHECK(rig.shopify.fetches.size() == 2);
    rig.pass("eu");
    CHECK(rig.shopify.fetches.size() == 2);
    rig.harness.stop();
}

TEST_CASE("order checks: a deletion is confirmed by looking, or disproved with an event of its own",
          "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    rig.shopify.place("eu", 1, rig.now() - 20min);
    rig.shopify.place("eu", 2, rig.now() - 20min);
    rig.webhook("eu", 1);
    rig.settle();
    rig.pass("eu");
    REQUIRE(rig.fetched_ids("eu/2").size() == 1);
    rig.harness.clock().advance(1min);
    tell_deletion(rig, "eu", 1);
    tell_deletion(rig, "eu", 2);
    rig.shopify.shops["eu"].erase(1);
    rig.settle();
    rig.pass("eu");
    CHECK(rig.sent("eu/1", kDeleted) == 1);
    rig.harness.clock().advance(3min);
    rig.pass("eu");
    rig.pass("eu");
    CHECK(rig.sent("eu/1", kDeleted) == 2);
    CHECK(rig.events.counts["eu gone"] == 1);
    // The same state as before, and yet it must pass every inbox.
    const auto ids = rig.fetched_ids("eu/2");
    REQUIRE(ids.size() == 2);
    CHECK(ids[0] != ids[1]);
    CHECK(rig.sent("eu/2", kDeleted) == 1);
    rig.harness.stop();
}

TEST_CASE("order checks: an order that Shopify does not know is no deletion unless a webhook told of one",
          "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    rig.shopify.place("eu", 1, rig.now() - 1min);
    rig.webhook("eu", 1);
    rig.shopify.shops["eu"][1].content = "b";
    rig.webhook("eu", 1);
    rig.settle();
    rig.shopify.shops["eu"].clear();
    rig.harness.clock().advance(3min);
    rig.pass("eu");
    rig.pass("eu");
    CHECK(rig.sent("eu/1", kDeleted) == 0);
    CHECK(rig.events.counts["eu gone"] == 0);
    CHECK(rig.events.counts["eu unprovable"] == 1);
    rig.harness.stop();
}

TEST_CASE("order checks: an order too old to be read is not called deleted", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    for (const std::string shop : {"eu", "us"}) {
        rig.shopify.place(shop, 1, rig.now() - 24h * 70);
        rig.webhook(shop, 1);
        tell_deletion(rig, shop, 1);
        rig.shopify.shops[shop].clear();
    }
    rig.shopify.reads_all_orders = {"us"};
    rig.settle();
    rig.harness.clock().advance(3min);
    for (const std::string shop : {"eu", "us"}) {
        rig.pass(shop);
        rig.pass(shop);
    }
    CHECK(rig.sent("eu/1", kDeleted) == 1);
    CHECK(rig.events.counts["eu unprovable"] == 1);
    CHECK(rig.sent("us/1", kDeleted) == 2);
    rig.harness.stop();
}

TEST_CASE("order checks: refunds that never came are sent as facts, those that came are not", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    rig.shopify.place("eu", 1, rig.now() - 20min);
    rig.shopify.shops["eu"][1].refunds = {71, 72};
    RefundRecorded came;
    came.set_shop("eu");
    came.mutable_refund()->set_order_id(1);
    came.mutable_refund()->set_refund_id(71);
    rig.harness.publish("orders.v1", "eu/1", came);
    rig.settle();
    rig.pass("eu");
    CHECK(rig.sent("eu/1", kRefund) == 2);
    CHECK(rig.events.counts["eu published"] == 2);
    rig.shopify.place("eu", 1, rig.now() - 10min, "b");
    rig.shopify.shops["eu"][1].refunds = {71, 72};
    rig.pass("eu");
    CHECK(rig.sent("eu/1", kRefund) == 2);
    rig.harness.stop();
}

TEST_CASE("order checks: an order that cannot be read is tried again later and holds up no other", "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    for (std::int64_t id = 1; id <= 3; ++id) {
        rig.shopify.place("eu", id, rig.now() - 20min);
    }
    rig.shopify.place("us", 1, rig.now() - 20min);
    rig.shopify.unreadable[1] = core::Error{.kind = core::ErrorKind::conflict, .code = "order_moving", .message = "moving"};
    rig.shopify.refused["us"] = core::Error{.kind = core::ErrorKind::unauthorized, .code = "token_refused", .message = "401"};
    rig.settle();
    CHECK_FALSE(rig.check().scan("us", [] { return true; }));
    rig.pass("eu");
    CHECK(rig.shopify.fetches.size() == 2);
    CHECK(rig.events.counts["eu failed"] == 1);
    CHECK(rig.checks.state("eu")->lookups == 1);
    rig.look_up("eu");
    CHECK(rig.events.counts["eu failed"] == 1);
    rig.shopify.unreadable.clear();
    rig.harness.clock().advance(11s);
    rig.look_up("eu");
    CHECK(rig.fetched_ids("eu/1").size() == 1);
    rig.harness.stop();
}

TEST_CASE("order checks: inventory-sync is told only when everything found has left, and not twice",
          "[reconciliation][postgres]") {
    if (without_postgres()) {
        SKIP(syncline::kit::testing::Harness::kWhyNot);
    }
    OrderRig rig;
    rig.harness.start();
    rig.settle();
    CHECK(rig.checks.clearable("eu").value() == std::nullopt);
    rig.shopify.place("eu", 1, rig.now() - 20min);
    CHECK(rig.check().scan("eu", [] { return true; }) == ScanEnd::whole);
    const auto covered = rig.now() - 10min - 2min;
    CHECK(rig.checks.clearable("eu").value() == std::nullopt);
    rig.look_up("eu");
    CHECK(rig.checks.clearable("eu").value() == std::nullopt);
    rig.harness.clock().advance(2min);
    const auto until = rig.checks.clearable("eu");
    REQUIRE(until);
    REQUIRE(*until);
    CHECK(std::chrono::abs(**until - covered) < 1ms);
    CHECK(rig.checks.note_cleared("eu", **until));
    CHECK(rig.checks.clearable("eu").value() == std::nullopt);
    CHECK(rig.checks.clearable("us").value() == std::nullopt);
    rig.harness.stop();
}
