#include "tests/fake_service.h"

#include <syncline/json/document.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using synclinectl::testing::Answer;
using synclinectl::testing::Desk;
using synclinectl::testing::FakeService;

namespace {

std::string run_in(const std::string& state, const std::string& brake = {}) {
    return R"({"id":"r1","shop":"eu","kind":"asked","state":")" + state + R"(","brake":")" + brake +
           R"(","error_code":"","error":"","comparisons":[{"side":"syncline","pairs":400,"by_class":{"in_flight":0,"drift":1},)" +
           R"("error_code":"","error":""},{"side":"erp","pairs":0,"by_class":{},"error_code":"snapshot_truncated","error":"cut"}]})";
}

const std::string kReport = R"({"differences":[{"sku":"A-1","location":"9","shopify":15,"other":10,"class":"drift","age_s":400,)"
                            R"("likely_cause":"changed_in_shopify","wanted":10,"healing":"corrected"}],"pairs":400})";

}  // namespace

TEST_CASE("synclinectl: reconcile stock --wait prints the report and says which side was not compared", "[http]") {
    FakeService service({{"POST /admin/stock-runs", Answer{.status = 202, .body = R"({"id":"r1"})"}},
                         {"GET /admin/stock-runs/r1", Answer{.body = run_in("done")}},
                         {"GET /admin/stock-runs/r1/report/syncline", Answer{.body = kReport}}});
    FakeService other({});
    const Desk desk({{"inventory-sync", "", other.url()}, {"reconciliation", "", service.url()}});
    const auto ran = desk.run({"reconcile", "stock", "--shop", "eu", "--location", "9", "--source", "syncline", "--wait",
                               "--reason", "a customer asked", "-o", "csv"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, ContainsSubstring("syncline,A-1,9,15,10,drift,400,changed_in_shopify,10,corrected"));
    CHECK_THAT(ran.err, ContainsSubstring("erp was not compared: snapshot_truncated"));
    CHECK_THAT(ran.err, ContainsSubstring("400 pairs, drift 1"));
    const auto sent = syncline::json::Document::parse(service.requests().at(0).body);
    REQUIRE(sent);
    CHECK(sent->root().string_of("shop") == "eu");
    CHECK(sent->root().string_of("location") == "9");
    CHECK(sent->root().string_of("source") == "syncline");
    CHECK(sent->root().string_of("reason") == "a customer asked");
}

TEST_CASE("synclinectl: a run that the brake stopped is exit code 1 and says how to go on", "[http]") {
    FakeService service(
        {{"POST /admin/stock-runs", Answer{.status = 202, .body = R"({"id":"r1"})"}},
         {"GET /admin/stock-runs/r1", Answer{.body = run_in("braked", "would set 30 pairs to zero, more than 20")}},
         {"GET /admin/stock-runs/r1/report/syncline", Answer{.body = kReport}},
         {"POST /admin/stock-runs/r1/approve", Answer{.body = R"({"id":"r1","corrections":30})"}}});
    const Desk desk({{"reconciliation", "", service.url()}});
    const auto ran = desk.run({"reconcile", "stock", "--shop", "eu", "--wait", "--reason", "check"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("would set 30 pairs to zero"));
    CHECK_THAT(ran.err, ContainsSubstring("reconcile approve r1"));
    const auto approved = desk.run({"reconcile", "approve", "r1", "--reason", "counted anew"});
    CHECK(approved.code == 0);
    CHECK_THAT(approved.out, ContainsSubstring("30 corrections begun"));
}

TEST_CASE("synclinectl: reconcile stock, list and approve refuse what makes no sense", "[http]") {
    const Answer unknown{.status = 400, .body = R"({"code":"shop_unknown","detail":"shop must be an alias"})"};
    FakeService service({{"POST /admin/stock-runs", unknown},
                         {"GET /admin/stock-runs", Answer{.body = R"({"items":[)" + run_in("braked", "too many") + "]}"}},
                         {"GET /admin/stock-runs/r1", Answer{.body = run_in("braked", "too many")}}});
    const Desk desk({{"reconciliation", "", service.url()}});
    const auto refused = desk.run({"reconcile", "stock", "--shop", "xx", "--reason", "check"});
    CHECK(refused.code == 1);
    CHECK_THAT(refused.err, ContainsSubstring("shop_unknown"));
    CHECK(desk.run({"reconcile", "stock", "--shop", "eu"}).code == 2);
    CHECK(desk.run({"reconcile", "stock", "--reason", "check"}).code == 2);
    CHECK(desk.run({"reconcile", "approve", "r1"}).code == 2);
    CHECK(desk.run({"reconcile", "show", "r2"}).code == 1);
    const auto tried = desk.run({"reconcile", "approve", "r1", "--dry-run"});
    CHECK(tried.code == 0);
    CHECK_THAT(tried.out, ContainsSubstring("would approve"));
    const auto listed = desk.run({"reconcile", "list", "-o", "csv"});
    CHECK(listed.code == 0);
    CHECK_THAT(listed.out, ContainsSubstring("too many"));
    // Nothing was written but the run that was refused.
    CHECK(std::ranges::count_if(service.requests(), [](const auto& request) { return request.method == "POST"; }) == 1);
}
