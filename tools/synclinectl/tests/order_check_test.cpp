#include "tests/fake_service.h"

#include <syncline/json/document.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using synclinectl::testing::Answer;
using synclinectl::testing::Desk;
using synclinectl::testing::FakeService;

namespace {

std::string run_in(const std::string& state, const std::string& more = {}) {
    return R"({"id":"r1","kind":"reconcile","shop":"eu","state":")" + state +
           R"(","listed":300,"found":2,"to_fetch":0,"published":2,"came":0,"gone":0,"failed":0,"code":"","message":"",)" +
           R"("listed_until":"2026-11-21T10:00:00Z","dry_run":false,"orders":[])" + more + "}";
}

}  // namespace

TEST_CASE("synclinectl: reconcile orders begins a run and waits for its end", "[http]") {
    FakeService service({{"POST /admin/order-checks/runs", Answer{.status = 202, .body = run_in("running")}},
                         {"GET /admin/order-checks/runs/r1", Answer{.body = run_in("done")}}});
    FakeService other({});
    const Desk desk({{"order-export", "odoo-main", other.url()}, {"reconciliation", "", service.url()}});
    const auto ran =
        desk.run({"reconcile", "orders", "--shop", "eu", "--since", "7d", "--wait", "--reason", "webhooks were away"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, ContainsSubstring("done"));
    CHECK_THAT(ran.err, ContainsSubstring("300 listed"));
    const auto sent = syncline::json::Document::parse(service.requests().at(0).body);
    REQUIRE(sent);
    CHECK(sent->root().string_of("kind") == "reconcile");
    CHECK(sent->root().string_of("shop") == "eu");
    CHECK(sent->root().string_of("reason") == "webhooks were away");
}

TEST_CASE("synclinectl: a backfill that Shopify does not allow is refused with the reason", "[http]") {
    const Answer refused{.status = 409, .body = R"({"code":"needs_read_all_orders","detail":"orders older than 60 days"})"};
    FakeService service({{"POST /admin/order-checks/runs", refused}});
    const auto ran = Desk({{"reconciliation", "", service.url()}})
                         .run({"backfill", "orders", "--shop", "eu", "--since", "90d", "--reason", "new ERP"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("needs_read_all_orders"));
}

TEST_CASE("synclinectl: a dry run of the orders names what would be fetched, without a reason", "[http]") {
    auto body = run_in("done");
    body.replace(body.find(R"("orders":[])"), 11, R"("orders":["5001","5002"])");
    FakeService service({{"POST /admin/order-checks/runs", Answer{.status = 202, .body = run_in("running")}},
                         {"GET /admin/order-checks/runs/r1", Answer{.body = body}}});
    const Desk desk({{"reconciliation", "", service.url()}});
    const auto ran = desk.run({"reconcile", "orders", "--shop", "eu", "--since", "2026-11-01T00:00:00Z", "--dry-run"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.err, ContainsSubstring("eu/5002"));
    CHECK(desk.run({"reconcile", "orders", "--shop", "eu", "--since", "7d"}).code == 2);
    CHECK(desk.run({"reconcile", "orders", "--since", "7d", "--dry-run"}).code == 2);
    CHECK(desk.run({"backfill", "orders", "--shop", "eu", "--since", "yesterday", "--dry-run"}).code == 2);
}

TEST_CASE("synclinectl: a run of orders that failed ends with 1 and says why", "[http]") {
    auto body = run_in("failed");
    body.replace(body.find(R"("message":"")"), 12, R"("message":"no such scope")");
    FakeService service({{"GET /admin/order-checks/runs/r1", Answer{.body = body}}});
    const auto ran = Desk({{"reconciliation", "", service.url()}}).run({"reconcile", "order-run", "r1"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("no such scope"));
}
