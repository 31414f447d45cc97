#include <catch2/catch_test_macros.hpp>

#include <syncline/json/document.h>
#include <string>

#include "domain/report.h"

namespace {

using namespace reconciliation;
namespace json = syncline::json;

constexpr std::int64_t kNow = 1'760'000'000'000'000'000;

Difference drifted(std::string sku) {
    return {.sku = std::move(sku),
            .location = "9",
            .shopify = core::Decimal(3),
            .other = core::Decimal::parse("4.50").value(),
            .kind = DivergenceClass::drift,
            .cause = "update_lost",
            .wanted = core::Decimal(4),
            .observed_at_ns = kNow - 90'000'000'000,
            .item_id = 5};
}

std::string written(ReportFormat format, const std::vector<Difference>& differences, const CompareTotals& totals = {}) {
    std::string out;
    ReportWriter report(format, kNow, [&](std::string_view piece) { out.append(piece); });
    for (const auto& difference : differences) {
        report.row(difference, Healing::proposed);
    }
    report.finish(totals);
    return out;
}

}  // namespace

TEST_CASE("report: JSON is JSON, with exact numbers and texts as they are", "[reconciliation][unit]") {
    const std::string awkward = "A\"\\\n\x01-\xC3\xBC";
    CompareTotals totals{.pairs = 7};
    totals.by_class[static_cast<std::size_t>(DivergenceClass::drift)] = 2;
    Difference missing{.sku = "B", .location = "9", .kind = DivergenceClass::missing_in_source};
    const auto document = json::Document::parse(written(ReportFormat::json, {drifted(awkward), missing}, totals));
    REQUIRE(document);
    const auto root = document->root();
    REQUIRE(root.get("differences")->size() == 2);
    const auto first = *root.get("differences")->elements().begin();
    CHECK(*first.string_of("sku") == awkward);
    CHECK(*first.get("other")->number_text() == "4.5");
    CHECK(*first.int64_of("age_s") == 90);
    CHECK(*first.string_of("class") == "drift");
    CHECK(*root.int64_of("pairs") == 7);
    CHECK(*root.get("by_class")->int64_of("drift") == 2);
    const auto empty = json::Document::parse(written(ReportFormat::json, {}));
    REQUIRE(empty);
    CHECK(empty->root().get("differences")->size() == 0);
}

TEST_CASE("report: CSV is quoted, and no SKU becomes a formula", "[reconciliation][unit]") {
    CHECK(written(ReportFormat::csv, {drifted("=HYPERLINK(\"x\",1)")}) ==
          "sku,location,shopify,other,class,age_s,likely_cause,wanted,healing\n"
          "\"'=HYPERLINK(\"\"x\"\",1)\",\"9\",3,4.5,drift,90,update_lost,4,proposed\n");
    auto negative = drifted("N");
    negative.shopify = core::Decimal(-2);
    CHECK(written(ReportFormat::csv, {negative}).find("\"N\",\"9\",-2,4.5") != std::string::npos);
}

TEST_CASE("report: the table aligns and steers no terminal", "[reconciliation][unit]") {
    CompareTotals totals{.pairs = 12};
    totals.by_class[static_cast<std::size_t>(DivergenceClass::drift)] = 1;
    const auto table = written(ReportFormat::table, {drifted("\x1B[2Jm\xC3\xBCtze")}, totals);
    CHECK(table.find('\x1B') == std::string::npos);
    CHECK(table.find("?[2Jm\xC3\xBCtze") != std::string::npos);
    CHECK(table.ends_with("pairs compared: 12, drift: 1\n"));
    const auto head = table.find("location");
    const auto line = table.find('\n') + 1;
    // One byte more than characters in this row.
    CHECK(table.find("  9 ", line) + 2 - line == head + 1);
}
