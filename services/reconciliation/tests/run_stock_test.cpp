#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>

#include "tests/stock_rig.h"

namespace {

using namespace reconciliation;
using namespace reconciliation::testing;
using syncline::postgres::testing::Database;
namespace v1 = syncline::reconciliation::v1;

bool no_database() {
    return !Database::available();
}

}  // namespace

TEST_CASE("stock runs: a drift is announced once, as corrected, and the report keeps it", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    rig.shopify_shows("eu", 3, "15");
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "done");
    const auto events = rig.sent(run);
    REQUIRE(events.size() == 1);
    CHECK(events[0].shop() == "eu");
    CHECK(events[0].sku() == "SKU-1003");
    CHECK(events[0].location_id() == 9);
    CHECK(events[0].inventory_item_id() == 103);
    CHECK(events[0].compared_with() == "syncline");
    CHECK(events[0].shopify_quantity().value() == "15");
    CHECK(events[0].other_quantity().value() == "10");
    CHECK(events[0].class_() == v1::DIVERGENCE_CLASS_DRIFT);
    CHECK(events[0].healing() == v1::HEALING_CORRECTED);
    CHECK(rig.database.value("SELECT aggregateid FROM outbox") == "eu/SKU-1003");
    // Nothing more is sent by looking again.
    rig.step("eu");
    CHECK(rig.sent(run).size() == 1);
    const auto csv = rig.reports.report(run, "syncline", ReportFormat::csv, 0, 100);
    REQUIRE(csv);
    CHECK(csv->find("\"SKU-1003\",\"9\",15,10,drift,3600,") != std::string::npos);
    CHECK(csv->ends_with(",10,corrected\n"));
    const auto past_the_end = rig.reports.report(run, "syncline", ReportFormat::csv, 1, 100);
    REQUIRE(past_the_end);
    CHECK(std::ranges::count(*past_the_end, '\n') == 1);
    const auto shown = rig.reports.show(run);
    REQUIRE(shown);
    const auto document = syncline::json::Document::parse(*shown);
    REQUIRE(document);
    CHECK(document->root().int64_of("events") == 1);
    CHECK(document->root().int64_of("corrections") == 1);
}

TEST_CASE("stock runs: the policy decides what is done about a difference", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    for (const auto& [mode, healing] :
         {std::pair{HealingMode::off, v1::HEALING_NONE}, {HealingMode::propose, v1::HEALING_PROPOSED}}) {
        auto options = quiet_options();
        options.healing = mode;
        StockRig rig(options);
        rig.agree("eu", 20);
        // All of them: what is not corrected needs no brake.
        for (std::size_t i = 0; i < 20; ++i) {
            rig.shopify_shows("eu", i, "15");
        }
        const auto run = rig.ask("eu");
        rig.step("eu");
        CHECK(rig.state(run) == "done");
        const auto events = rig.sent(run);
        REQUIRE(events.size() == 20);
        for (const auto& event : events) {
            CHECK(event.healing() == healing);
        }
    }
}

TEST_CASE("stock runs: a source's difference is shown, never corrected", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    auto file = rig.sides.other_rows["eu"][std::string(kOwnSide)];
    file[2].quantity = "0";
    rig.sides.other_rows["eu"]["erp"] = file;
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "done");
    const auto events = rig.sent(run);
    REQUIRE(events.size() == 1);
    CHECK(events[0].compared_with() == "erp");
    CHECK(events[0].healing() == v1::HEALING_PROPOSED);
}

TEST_CASE("stock runs: a mass zeroing stops and asks; a person goes on", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    auto& own = rig.sides.other_rows["eu"][std::string(kOwnSide)];
    for (std::size_t i = 0; i < 6; ++i) {
        own[i].quantity = "0";
    }
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "braked");
    const auto braked = rig.sent(run);
    REQUIRE(braked.size() == 6);
    for (const auto& event : braked) {
        CHECK(event.healing() == v1::HEALING_BRAKED);
    }
    const auto figures = rig.reports.figures();
    REQUIRE(figures);
    REQUIRE(figures->braked.size() == 1);
    CHECK(figures->braked[0].runs == 1);
    // Nobody goes on by itself.
    rig.clock.advance(1h);
    rig.step("eu");
    CHECK(rig.sent(run).size() == 6);
    REQUIRE(rig.reports.approve(run, "anna", "counted anew"));
    rig.step("eu");
    CHECK(rig.state(run) == "done");
    const auto all = rig.sent(run);
    REQUIRE(all.size() == 12);
    for (std::size_t i = 6; i < 12; ++i) {
        CHECK(all[i].healing() == v1::HEALING_CORRECTED);
    }
    CHECK(rig.reports.approve(run, "anna", "again").error().code == "run_not_braked");
    CHECK(rig.database.value("SELECT verb || ' ' || actor FROM admin_actions") == "stock_run_approve anna");
    CHECK(rig.reports.approve(core::uuid_v4(), "anna", "x").error().code == "run_unknown");
    CHECK(rig.reports.approve("'; DROP TABLE x", "anna", "x").error().code == "run_unknown");
}

TEST_CASE("stock runs: a newer full run takes the place of one that waits for a person", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    for (std::size_t i = 0; i < 15; ++i) {
        rig.shopify_shows("eu", i, "15");
    }
    const auto first = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(first) == "braked");
    CHECK(rig.database.value("SELECT brake FROM stock_runs") == "would change 15 of 20 pairs, more than 50 %");
    const auto second = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(first) == "done");
    CHECK(rig.state(second) == "braked");
    CHECK(rig.reports.approve(first, "anna", "late").error().code == "run_not_braked");
}

TEST_CASE("stock runs: a broken file of one source hides nothing of the others and announces nothing", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 2'500);
    rig.shopify_shows("eu", 3, "15");
    // It differs in every row, and is cut off after them: nothing of it counts.
    auto file = rig.sides.other_rows["eu"][std::string(kOwnSide)];
    for (auto& row : file) {
        row.quantity = "0";
    }
    rig.sides.other_rows["eu"]["erp"] = file;
    rig.sides.other_ends["erp"] = error_of(core::ErrorKind::malformed, "snapshot_truncated");
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "done");
    CHECK(rig.sent(run).size() == 1);
    CHECK(rig.database.value("SELECT count(*) FROM stock_differences") == "1");
    CHECK(rig.reports.report(run, "erp", ReportFormat::json, 0, 10).error().code == "no_report");
    CHECK(rig.database.value("SELECT error_code FROM stock_comparisons WHERE side = 'erp'") == "snapshot_truncated");
}

TEST_CASE("stock runs: a snapshot that lost its rows is refused until a person accepts it", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 100);
    const auto first = rig.ask("eu");
    rig.step("eu");
    REQUIRE(rig.state(first) == "done");
    SECTION("of inventory-sync") {
        rig.sides.other_rows["eu"][std::string(kOwnSide)].resize(10);
    }
    SECTION("of Shopify") {
        rig.sides.shopify_rows["eu"].resize(20);
    }
    SECTION("empty") {
        rig.sides.other_rows["eu"][std::string(kOwnSide)].clear();
    }
    const auto second = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(second) == "failed");
    CHECK(rig.database.value("SELECT error_code FROM stock_runs WHERE id = $1::uuid", Params{}.add(second)) ==
          "snapshot_shrunken");
    CHECK(rig.sent(second).empty());
    const auto third = rig.ask("eu", true);
    rig.step("eu");
    CHECK(rig.state(third) == "done");
    for (const auto& event : rig.sent(third)) {
        CHECK(event.healing() == v1::HEALING_PROPOSED);
    }
}

TEST_CASE("stock runs: Shopify throttled, failed, expired or truncated is tried again, with a new bulk query where it must",
          "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    struct Fault {
        core::ErrorKind kind;
        std::string code;
        std::string next;  // What the second try starts from.
    };
    const std::vector<Fault> faults{
        {core::ErrorKind::throttled, "limit_reached", "bulk-1"}, {core::ErrorKind::throttled, "bulk_running", "bulk-1"},
        {core::ErrorKind::conflict, "bulk_failed", "new"},       {core::ErrorKind::conflict, "bulk_expired", "new"},
        {core::ErrorKind::transient, "bulk_truncated", "new"},   {core::ErrorKind::transient, "http_unreachable", "bulk-1"}};
    for (const auto& fault : faults) {
        CAPTURE(fault.code);
        StockRig rig;
        rig.agree("eu", 20);
        rig.shopify_shows("eu", 1, "15");
        rig.sides.shopify_fails["eu"] = error_of(fault.kind, fault.code);
        const auto run = rig.ask("eu");
        rig.step("eu");
        CHECK(rig.state(run) == "waiting");
        CHECK(rig.sent(run).empty());
        // Not at once.
        rig.step("eu");
        CHECK(rig.sides.bulks.size() == 1);
        rig.clock.advance(2min);
        rig.step("eu");
        CHECK(rig.state(run) == "done");
        REQUIRE(rig.sides.bulks.size() == 2);
        CHECK(rig.sides.bulks[1] == fault.next);
        CHECK(rig.sent(run).size() == 1);
    }
}

TEST_CASE("stock runs: inventory-sync away puts the run off; what can never work fails it", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    rig.sides.other_fails["syncline"] = error_of(core::ErrorKind::transient, "inventory_sync_away");
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "waiting");
    // Again and again, and then a person hears of it.
    for (int i = 0; i < 40 && rig.state(run) != "failed"; ++i) {
        rig.clock.advance(31min);
        rig.step("eu");
    }
    CHECK(rig.state(run) == "failed");
    CHECK(rig.database.value("SELECT error_code FROM stock_runs") == "inventory_sync_away");
    rig.sides.shopify_fails["eu"] = error_of(core::ErrorKind::unauthorized, "token_refused");
    const auto second = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(second) == "failed");
}

TEST_CASE("stock runs: a run that a dead instance left is made anew, and its bulk query is gone on with", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 1'500);
    for (std::size_t i = 0; i < 700; ++i) {
        rig.shopify_shows("eu", i, "15");
    }
    const auto run = rig.ask("eu");
    // It dies while it compares: some differences are kept already.
    const auto dead = rig.runs.claim("eu");
    REQUIRE(dead);
    REQUIRE(*dead);
    REQUIRE(rig.runs.bulk_begun(**dead, "bulk-of-the-dead"));
    std::vector<KeptDifference> half(1);
    half[0].number = 1;
    half[0].side = "syncline";
    half[0].difference = {.sku = "SKU-1000", .location = "9"};
    REQUIRE(rig.runs.keep(**dead, half));
    PgStockRuns second(rig.database.pool(), rig.clock, "instance-2");
    RunStock other(rig.sides, second, rig.events, rig.clock, quiet_options(), [](const std::string&) { return "UTC"; });
    static_cast<void>(other.step("eu", [] { return true; }));
    CHECK(rig.state(run) == "done");
    CHECK(rig.sides.bulks == std::vector<std::string>{"bulk-of-the-dead"});
    CHECK(rig.sent(run).size() == 700);
    CHECK(rig.database.value("SELECT count(*) FROM stock_differences") == "700");
    // The first one comes back from its long sleep: it changes nothing.
    CHECK(rig.runs.keep(**dead, half).error().code == "run_lost");
    CHECK(rig.runs.announce(**dead).error().code == "run_lost");
    CHECK(rig.runs.failed(**dead, error_of(core::ErrorKind::bug, "x")).error().code == "run_lost");
}

TEST_CASE("stock runs: killed between two steps of announcing, every difference is announced exactly once", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 4'000);
    for (std::size_t i = 0; i < 1'700; ++i) {
        rig.shopify_shows("eu", i, "15");
    }
    const auto run = rig.ask("eu");
    // It is told to stop after its first step of announcing.
    int asked = 0;
    static_cast<void>(rig.stock.step("eu", [&] { return rig.state(run) != "announcing" || asked++ < 1; }));
    CHECK(rig.state(run) == "announcing");
    CHECK(rig.sent(run).size() == 500);
    PgStockRuns second(rig.database.pool(), rig.clock, "instance-2");
    RunStock other(rig.sides, second, rig.events, rig.clock, quiet_options(), [](const std::string&) { return "UTC"; });
    static_cast<void>(other.step("eu", [] { return true; }));
    CHECK(rig.state(run) == "done");
    const auto events = rig.sent(run);
    CHECK(events.size() == 1'700);
    std::set<std::string> skus;
    for (const auto& event : events) {
        skus.insert(event.sku());
    }
    CHECK(skus.size() == 1'700);
    CHECK(rig.sides.bulks.size() == 1);
    CHECK(rig.database.value("SELECT events || ' ' || corrections FROM stock_runs") == "1700 1700");
}

TEST_CASE("stock runs: told to stop while comparing, the run is left for the next instance", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    rig.shopify_shows("eu", 1, "15");
    const auto run = rig.ask("eu");
    bool ours = true;
    rig.sides.while_comparing = [&] {
        ours = false;
    };
    static_cast<void>(rig.stock.step("eu", [&] { return ours; }));
    CHECK(rig.state(run) == "comparing");
    CHECK(rig.sent(run).empty());
    rig.sides.while_comparing = nullptr;
    rig.step("eu");
    CHECK(rig.state(run) == "done");
    CHECK(rig.sent(run).size() == 1);
}

TEST_CASE("stock runs: one that ends its process again and again is given up", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    const auto run = rig.ask("eu");
    for (int i = 0; i < 12; ++i) {
        REQUIRE(rig.runs.claim("eu").value());
    }
    rig.step("eu");
    CHECK(rig.state(run) == "failed");
    CHECK(rig.database.value("SELECT error_code FROM stock_runs") == "too_many_attempts");
}

TEST_CASE("stock runs: the brake of a run with more differences than are kept holds everything", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    auto options = quiet_options();
    options.differences_max = 5;
    StockRig rig(options);
    rig.agree("eu", 100);
    for (std::size_t i = 0; i < 7; ++i) {
        rig.shopify_shows("eu", i, "15");
    }
    const auto run = rig.ask("eu");
    rig.step("eu");
    CHECK(rig.state(run) == "braked");
    CHECK(rig.sent(run).size() == 5);
    const auto shown = rig.reports.show(run);
    REQUIRE(shown);
    CHECK(shown->find("\"drift\":7") != std::string::npos);
}

TEST_CASE("stock runs: the nightly run is made once each night, also when clocks change", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    auto options = quiet_options();
    options.nightly = "02:30";
    StockRig rig(options);
    rig.agree("eu", 5);
    const auto nights = [&](std::string_view from, std::string_view to) {
        rig.clock.advance(core::parse_rfc3339(from).value() - rig.clock.now());
        rig.database.exec("DELETE FROM stock_runs");
        while (rig.clock.now() < core::parse_rfc3339(to).value()) {
            // Young rows are in flight, which is nothing to announce.
            rig.step("eu");
            rig.clock.advance(10min);
        }
        return rig.database.value("SELECT string_agg(night, ' ' ORDER BY created_at) FROM stock_runs WHERE kind = 'nightly'");
    };
    CHECK(nights("2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z") == "2026-03-27 2026-03-28 2026-03-29 2026-03-30");
    CHECK(nights("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z") == "2026-10-24 2026-10-25 2026-10-26");
}

TEST_CASE("stock runs: changed runs go on from the last full one, overlapping", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    auto options = quiet_options();
    options.changed_every = 1h;
    StockRig rig(options);
    rig.agree("eu", 20);
    rig.clock.advance(3h);
    rig.step("eu");
    // Nothing it could go on from.
    CHECK(rig.database.value("SELECT count(*) FROM stock_runs") == "0");
    const auto begun = rig.clock.now();
    const auto full = rig.ask("eu");
    rig.step("eu");
    REQUIRE(rig.state(full) == "done");
    rig.clock.advance(59min);
    rig.step("eu");
    CHECK(rig.database.value("SELECT count(*) FROM stock_runs") == "1");
    rig.clock.advance(1min);
    rig.step("eu");
    const auto since = rig.database.exec("SELECT changed_since, state FROM stock_runs WHERE kind = 'changed'");
    REQUIRE(since.size() == 1);
    // What was in flight then is looked at again: the delay of the synchronisation, and clocks that differ.
    CHECK(since[0].time(0) == begun - 6min);
    CHECK(since[0].text(1) == "done");
    // One drift among the few pairs that changed is no reason to stop: the brake measures by all pairs.
    rig.sides.shopify_rows["eu"] = {{"SKU-1003", "9", "15", rig.long_ago(), 103}};
    rig.sides.other_rows["eu"][std::string(kOwnSide)] = {{"SKU-1003", "9", "10", rig.long_ago(), 103}};
    // Two hours of the service being away make one run, from where the last one was.
    rig.clock.advance(2h);
    rig.step("eu");
    CHECK(rig.database.value("SELECT count(*) FROM stock_runs WHERE kind = 'changed'") == "2");
    CHECK(rig.database.value("SELECT state || ' ' || corrections FROM stock_runs ORDER BY created_at DESC LIMIT 1") == "done 1");
}

TEST_CASE("stock runs: a broken shop does not stop another one", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    rig.agree("us", 20);
    rig.shopify_shows("us", 1, "15");
    rig.sides.shopify_fails["eu"] = error_of(core::ErrorKind::rejected, "admin_not_configured");
    const auto broken = rig.ask("eu");
    const auto good = rig.ask("us");
    rig.step("eu");
    rig.step("us");
    CHECK(rig.state(broken) == "failed");
    CHECK(rig.state(good) == "done");
    const auto events = rig.sent(good);
    REQUIRE(events.size() == 1);
    CHECK(events[0].shop() == "us");
}

TEST_CASE("stock runs: old ones are forgotten, the one that tells how large a snapshot is stays", "[postgres]") {
    if (no_database()) {
        SKIP(Database::kWhyNot);
    }
    StockRig rig;
    rig.agree("eu", 20);
    const auto old = rig.ask("eu");
    rig.step("eu");
    rig.clock.advance(1h);
    const auto newest = rig.ask("eu");
    rig.step("eu");
    rig.clock.advance(1h);
    REQUIRE(rig.reports.tidy(rig.clock.now()));
    CHECK(rig.database.value("SELECT count(*) FROM stock_runs") == "1");
    CHECK(rig.state(newest) == "done");
    CHECK(rig.reports.show(old).error().code == "run_unknown");
}
