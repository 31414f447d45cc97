#include "adapters/stock/stock_mapping.h"

#include <syncline/common/v1/money.pb.h>
#include <syncline/inventory/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/samples.h"
#include "tests/stock_fakes.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::inventory::v1;

namespace {

const auto kNow = at("2026-11-20T10:00:00Z");

std::expected<MappedStock, StockRefusal> map_stock(std::string body, const std::string& source = "wms-north",
                                                   StockRules rules = {}) {
    const FakeSources sources;
    return JsonStockMapping(rules).map(*sources.by_name(source), std::move(body), kNow);
}

// The one fault of a body: "place code".
std::string fault(std::string body, StockRules rules = {}) {
    const auto stock = map_stock(std::move(body), "wms-north", rules);
    if (stock) {
        return "mapped";
    }
    return stock.error().faults.front().at + ' ' + stock.error().faults.front().code;
}

// A report with one member replaced, or taken out.
std::string changed(const std::string& member, std::optional<std::string> json) {
    return fault(patched(report("A-1"), {{member, std::move(json)}}));
}
std::string added(const std::string& member) {
    return fault(with_members(report("A-1"), member));
}

}  // namespace

TEST_CASE("stock mapping: a batch becomes one event a record, in its order", "[ingress][unit]") {
    const auto stock = map_stock(R"({"reports":[)" + report("A-1", "\"12.50\"") + "," + report("A-2", "3") +
                                 R"(],"adjustments":[)" + adjustment("m-1", "A-1", "-0.5") + "]}");
    REQUIRE(stock);
    CHECK(stock->reports == 2);
    CHECK(stock->adjustments == 1);
    REQUIRE(stock->events.size() == 3);
    const auto& first = stock->events[0];
    CHECK(first.topic == "inventory.v1");
    CHECK(first.key == "wms-north/HAL-1/A-1");
    CHECK(first.subject == "stock/wms-north/HAL-1/A-1");
    CHECK(first.time == at("2026-11-20T09:59:00Z"));
    const auto reported = decoded<StockReported>(first);
    CHECK(reported.position().source() == "wms-north");
    CHECK(reported.position().location() == "HAL-1");
    CHECK(reported.position().sku() == "A-1");
    CHECK(reported.position().unit().empty());
    CHECK(reported.position().basis() == STOCK_BASIS_PHYSICAL);
    CHECK(reported.quantity().value() == "12.5");
    CHECK(reported.observed_at().seconds() == syncline::core::nanos_since_epoch(first.time) / 1'000'000'000);
    const auto adjusted = decoded<StockAdjusted>(stock->events[2]);
    CHECK(adjusted.adjustment_id() == "m-1");
    CHECK(adjusted.delta().value() == "-0.5");
    CHECK(adjusted.observed_at().seconds() == syncline::core::nanos_since_epoch(at("2026-11-20T08:59:30Z")) / 1'000'000'000);
}

TEST_CASE("stock mapping: one record alone, with every member it may have", "[ingress][unit]") {
    const auto stock = map_stock(
        R"({"location":"Lager Süd","sku":"A/1","quantity":7.250,"unit":"kg","observed_at":"2026-11-20T10:59:59.123456789+01:00",)"
        R"("epoch":"e-7","sequence":18446744073709551615,"snapshot_id":"night"})",
        "till");
    REQUIRE(stock);
    REQUIRE(stock->events.size() == 1);
    CHECK(stock->events[0].key == "till/Lager Süd/A%2F1");
    const auto reported = decoded<StockReported>(stock->events[0]);
    CHECK(reported.position().basis() == STOCK_BASIS_NET_OF_ALL);
    CHECK(reported.position().unit() == "kg");
    CHECK(reported.quantity().value() == "7.25");
    CHECK(reported.epoch() == "e-7");
    CHECK(reported.sequence() == 18446744073709551615U);
    CHECK(reported.snapshot_id() == "night");
    CHECK(reported.observed_at().nanos() == 123'456'789);
    const auto change = map_stock(adjustment("m-1", "A-1", "3"));
    REQUIRE(change);
    CHECK(change->adjustments == 1);
    CHECK(decoded<StockAdjusted>(change->events[0]).delta().value() == "3");
    CHECK(map_stock(with_members(report("A-1"), R"("sequence":"42","epoch":null,"unit":null)")));
}

TEST_CASE("stock mapping: the quantity is exact, whatever way it is written", "[ingress][unit]") {
    const auto quantity = [](const std::string& json) {
        const auto stock = map_stock(report("A-1", json));
        return stock ? decoded<StockReported>(stock->events[0]).quantity().value() : stock.error().faults.front().code;
    };
    CHECK(quantity("0.1") == "0.1");
    CHECK(quantity("0.30000000000000004") == "quantity_out_of_range");
    CHECK(quantity("\"900719925474.099301\"") == "900719925474.099301");
    CHECK(quantity("1e3") == "1000");
    CHECK(quantity("-4") == "-4");
    CHECK(quantity("-0") == "0");
    CHECK(quantity("999999999999.999999") == "999999999999.999999");
    CHECK(quantity("1000000000000") == "quantity_out_of_range");
    CHECK(quantity("1e30") == "quantity_out_of_range");
    CHECK(quantity("\"1,5\"") == "number_malformed");
    CHECK(quantity("\" 1\"") == "number_malformed");
    CHECK(quantity("\"\"") == "number_malformed");
    CHECK(quantity("\"NaN\"") == "number_malformed");
    CHECK(quantity("true") == "wrong_type");
    CHECK(quantity("[1]") == "wrong_type");
}

TEST_CASE("stock mapping: the id of an event repeats with the record and with nothing else", "[ingress][unit]") {
    const auto id = [](const std::string& body, const std::string& source = "wms-north") {
        return map_stock(body, source)->events.back().id;
    };
    const auto first = id(report("A-1"));
    CHECK(first.size() == 36);
    CHECK(id(R"({"reports":[)" + report("A-2") + "," + report("A-1", "12.0") + "]}") == first);
    CHECK(id(report("A-1", "13")) != first);
    CHECK(id(report("A-1", "12", "2026-11-20T09:59:01Z")) != first);
    CHECK(id(report("A-1", "12", "2026-11-20T10:59:00+01:00")) == first);
    CHECK(id(report("A-1"), "till") != first);
    CHECK(id(adjustment("m-1", "A-1")) != id(adjustment("m-2", "A-1")));
    CHECK(id(adjustment("m-1", "A-1")) == id(adjustment("m-1", "A-1", "\"-1.0\"")));
}

TEST_CASE("stock mapping: separators inside names make no position another one", "[ingress][unit]") {
    CHECK(stock_key("s", "a/b", "c") != stock_key("s", "a", "b/c"));
    CHECK(stock_key("s", "a%2Fb", "c") != stock_key("s", "a/b", "c"));
    CHECK(stock_key("s", "a", "100%") == "s/a/100%25");
}

TEST_CASE("stock mapping: what a record lacks or has wrong is named by place and code", "[ingress][unit]") {
    CHECK(changed("location", std::nullopt) == "location member_missing");
    CHECK(changed("sku", "null") == "sku member_missing");
    CHECK(changed("observed_at", std::nullopt) == "observed_at member_missing");
    CHECK(changed("quantity", "{}") == "quantity wrong_type");
    CHECK(changed("sku", "1234") == "sku wrong_type");  // Leading zeros would have been lost.
    CHECK(changed("sku", "\"\"") == "sku text_empty");
    CHECK(changed("sku", "\" A-1\"") == "sku text_padded");
    CHECK(changed("sku", "\"A-1\\u00a0\"") == "sku text_padded");
    CHECK(changed("sku", "\"A\\u0000\"") == "sku text_unprintable");
    CHECK(changed("sku", "\"A\\n1\"") == "sku text_unprintable");
    CHECK(changed("location", '"' + std::string(129, 'x') + '"') == "location text_too_long");
    CHECK(changed("sku", '"' + std::string(256, 'x') + '"') == "sku text_too_long");
    CHECK(changed("sku", '"' + std::string(255, 'x') + '"') == "mapped");
    CHECK(added(R"("basis":"physical")") == "basis unknown_member");
    CHECK(added(R"("quantitiy":1)") == "quantitiy unknown_member");
    CHECK(added(R"("id":"m-1")") == "id unknown_member");
    CHECK(added(R"("epoch":7)") == "epoch wrong_type");
    CHECK(added(R"("sequence":-1)") == "sequence number_malformed");
    CHECK(added(R"("sequence":1.5)") == "sequence number_malformed");
    CHECK(added(R"("sequence":"x")") == "sequence integer_malformed");
    CHECK(fault(with_members(adjustment("m-1", "A-1"), R"("snapshot_id":"x")")) == "snapshot_id unknown_member");
    CHECK(fault(patched(adjustment("m-1", "A-1"), {{"id", std::nullopt}})) == "id member_missing");
    CHECK(fault(with_members(report("A-1"), R"("delta":1)")).ends_with(" unknown_member"));
}

TEST_CASE("stock mapping: times need an offset, and neither the future nor an unset clock is believed", "[ingress][unit]") {
    const auto when = [](const std::string& time) {
        return fault(report("A-1", "1", time));
    };
    CHECK(when("2026-11-20T10:00:00") == "observed_at time_malformed");
    CHECK(when("2026-11-20") == "observed_at time_malformed");
    CHECK(when("1795168800") == "observed_at time_malformed");
    CHECK(when("2026-02-30T00:00:00Z") == "observed_at time_malformed");
    CHECK(changed("observed_at", "1795168800") == "observed_at wrong_type");
    CHECK(when("2026-11-20T10:02:30Z") == "mapped");
    CHECK(when("2026-11-20T10:02:30.000000001Z") == "observed_at observed_in_future");
    CHECK(when("2026-11-20T11:00:00+01:00") == "mapped");
    CHECK(when("2026-11-20T11:00:00Z") == "observed_at observed_in_future");
    CHECK(when("1970-01-01T00:00:00Z") == "observed_at observed_implausible");
    CHECK(when("2019-01-01T00:00:00Z") == "mapped");
}

TEST_CASE("stock mapping: one wrong record refuses all, and the first faults are named in their order", "[ingress][unit]") {
    const auto stock = map_stock(R"({"reports":[)" + report("A-1") + "," + report("", "x") + R"(,7],"adjustments":[)" +
                                 adjustment("", "A-1") + R"(],"extra":1})");
    REQUIRE_FALSE(stock);
    CHECK(stock.error().kind == StockRefusal::Kind::unreadable);  // `x` is no JSON at all.

    const auto wrong = map_stock(R"({"reports":[)" + report("A-1") + "," + report("", "\"x\"") + R"(,7],"adjustments":[)" +
                                 adjustment("", "A-1") + R"(],"extra":1})");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().kind == StockRefusal::Kind::wrong);
    CHECK_FALSE(wrong.error().more);
    std::vector<std::string> found;
    for (const auto& fault : wrong.error().faults) {
        found.push_back(fault.at + ' ' + fault.code);
        CHECK_FALSE(fault.what.empty());
    }
    CHECK(found == std::vector<std::string>{"extra unknown_member", "reports[1].sku text_empty",
                                            "reports[1].quantity number_malformed", "reports[2] wrong_type",
                                            "adjustments[0].id text_empty"});
}

TEST_CASE("stock mapping: no more than twenty faults are named, and it is said that there are more", "[ingress][unit]") {
    std::string body = R"({"reports":[)";
    for (int i = 0; i < 100; ++i) {
        body += (i == 0 ? "" : ",") + report("");
    }
    const auto stock = map_stock(body + "]}");
    REQUIRE_FALSE(stock);
    CHECK(stock.error().faults.size() == kStockFaultsMax);
    CHECK(stock.error().more);
}

TEST_CASE("stock mapping: no fault repeats a value of the body", "[ingress][unit]") {
    const auto stock = map_stock(patched(report("A-1"), {{"quantity", "\"Seedvalue\""}, {"sku", "\"Seedsku \""}}));
    REQUIRE_FALSE(stock);
    for (const auto& fault : stock.error().faults) {
        CHECK((fault.at + fault.what).find("Seed") == std::string::npos);
    }
}

TEST_CASE("stock mapping: records of one body that contradict each other are refused, repeated ones are one", "[ingress][unit]") {
    const auto reports = [](const std::string& a, const std::string& b) {
        return map_stock(R"({"reports":[)" + a + "," + b + "]}");
    };
    const auto same = reports(report("A-1"), report("A-1", "12.0"));
    REQUIRE(same);
    CHECK(same->events.size() == 1);
    CHECK(same->reports == 2);
    CHECK(reports(report("A-1"), report("A-1", "13", "2026-11-20T09:59:01Z")).value().events.size() == 2);
    CHECK(reports(report("A-1"), with_members(report("A-1", "13"), R"("sequence":2)")).value().events.size() == 2);
    const auto ambiguous = reports(report("A-1"), report("A-1", "13"));
    REQUIRE_FALSE(ambiguous);
    CHECK(ambiguous.error().faults.front().code == "report_ambiguous");
    CHECK(ambiguous.error().faults.front().at == "reports[1]");
    CHECK(fault(R"({"adjustments":[)" + adjustment("m-1", "A-1") + "," + adjustment("m-1", "A-1", "2") + "]}") ==
          "adjustments[1] id_reused");
    // A movement of several articles may give all of them its number.
    CHECK(fault(R"({"adjustments":[)" + adjustment("m-1", "A-1") + "," + adjustment("m-1", "A-2") + "]}") == "mapped");
}

TEST_CASE("stock mapping: a batch has a size, and an empty one says nothing", "[ingress][unit]") {
    const StockRules rules{.records_max = 10};
    CHECK(fault(batch_of(10), rules) == "mapped");
    const auto large = map_stock(batch_of(11), "wms-north", rules);
    REQUIRE_FALSE(large);
    CHECK(large.error().kind == StockRefusal::Kind::too_large);
    CHECK(fault(R"({"reports":[]})") == "$ batch_empty");
    CHECK(fault(R"({"reports":[],"adjustments":null})") == "$ batch_empty");
    CHECK(fault(R"({"reports":{}})") == "reports wrong_type");
    CHECK(fault(R"({"adjustments":"none"})") == "adjustments wrong_type");
    CHECK(fault("{}") == "$ member_missing");
    CHECK(fault(R"({"reports":null})") == "$ member_missing");
}

TEST_CASE("stock mapping: what is no JSON is told from what is wrong", "[ingress][unit]") {
    const auto body = GENERATE(std::string(), std::string("{"), std::string("location=HAL"), std::string("{}{}"),
                               std::string(100'000, '['), std::string("{\"reports\":\"\xFF\"}"), std::string("<stock/>"),
                               std::string(R"({"sku":"a","sku":"b"})"), std::string(R"({"quantity":1e400})"));
    const auto stock = map_stock(body);
    REQUIRE_FALSE(stock);
    if (body.starts_with(R"({"quantity")")) {
        CHECK_FALSE(stock.error().faults.empty());
    } else {
        CHECK(stock.error().kind == StockRefusal::Kind::unreadable);
    }
    CHECK(map_stock("[]").error().kind == StockRefusal::Kind::wrong);
    CHECK(map_stock("7").error().faults.front().code == "wrong_type");
}
