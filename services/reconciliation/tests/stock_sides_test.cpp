#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/http/client.h>
#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>
#include <syncline/telemetry/metrics.h>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "adapters/stock_mapping.h"
#include "adapters/stock_sides.h"
#include "tests/rows.h"

namespace {

using namespace reconciliation;
using namespace std::chrono_literals;
using reconciliation::testing::all;
using reconciliation::testing::ListRows;
using reconciliation::testing::OwnedRow;
namespace http = syncline::http;
namespace fs = std::filesystem;

// Answers by the end of the URL, and remembers what it was asked.
class FakeHttp final : public http::Client {
public:
    std::map<std::string, http::Response> answers;
    std::vector<http::Request> seen;
    core::Result<http::Response> send(const http::Request& request, const core::Deadline&) override {
        seen.push_back(request);
        for (const auto& [end, answer] : answers) {
            if (request.url.ends_with(end)) {
                return answer;
            }
        }
        return core::fail(core::ErrorKind::transient, "http_unreachable", "nobody listens");
    }
};

class NoLevels final : public ShopSnapshot {
public:
    explicit NoLevels(std::vector<OwnedRow> rows) : rows_(std::move(rows)) {}
    core::Result<std::unique_ptr<StockRows>> open(const std::vector<std::string>&) override {
        return std::make_unique<ListRows>(rows_);
    }
    [[nodiscard]] std::uint64_t levels() const override { return rows_.size(); }
    [[nodiscard]] core::SystemTime begun_at() const override { return {}; }

private:
    std::vector<OwnedRow> rows_;
};

struct Rig {
    fs::path folder = fs::temp_directory_path() / ("stock-sides-" + core::uuid_v4());
    FakeHttp http;
    core::ManualClock clock;
    syncline::telemetry::Metrics metrics{"reconciliation"};
    syncline::kit::Shops shops;
    syncline::shopify::Admins admins{{.http = http, .clock = clock, .metrics = metrics}, shops};
    InventorySync inventory_sync{http, {"http://away:1", "http://sync:1"}, syncline::kit::SecretFile::of("local:the-token")};
    std::shared_ptr<const StockRules> rules;
    std::unique_ptr<LiveStockSides> sides;

    explicit Rig(const std::string& files = "delimiter: \",\", complete: rename, columns: {location: place}") {
        fs::create_directories(folder / "done");
        auto parsed =
            parse_stock_mapping("sources:\n  erp: {basis: net_of_own, files: {folder: " + folder.string() + ", " + files +
                                "}}\n  wms: {basis: physical}\nshops:\n  eu:\n    locations:\n"
                                "      - {id: 11, from: [{source: erp, location: A}, {source: erp, location: B}]}\n"
                                "      - {id: 12, from: [{source: wms, location: X}]}\n"
                                "    policies: [{buffer: 1}]\n");
        REQUIRE(parsed);
        rules = std::make_shared<const StockRules>(std::move(*parsed));
        sides = std::make_unique<LiveStockSides>(
            admins, inventory_sync, clock, [this] { return rules; },
            ShopifySnapshotOptions{.sorter = {.folder = folder.string()}});
    }
    ~Rig() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    void file(const std::string& name, const std::string& text, std::chrono::seconds age) {
        std::ofstream(folder / name) << text;
        fs::last_write_time(folder / name, fs::file_time_type::clock::now() - age);
    }
    core::Result<OtherSnapshot> other(const std::string& side, RunKind kind = RunKind::asked, std::vector<OwnedRow> keys = {}) {
        NoLevels shopify(std::move(keys));
        return sides->other({.id = "r", .shop = "eu", .kind = kind}, side, shopify, [] { return true; });
    }
};

std::string pair(const std::string& sku, int item, int location, int target, const std::string& more = {}) {
    return R"({"sku":")" + sku + R"(","inventory_item_id":)" + std::to_string(item) + R"(,"location_id":)" +
           std::to_string(location) + R"(,"target":)" + std::to_string(target) + more + "}";
}

}  // namespace

TEST_CASE("stock sides: inventory-sync's state is read page by page, from the instance that answers, and sorted", "[unit]") {
    Rig rig;
    rig.http.answers["sync:1/admin/stock/state/eu?limit=2000"] = {
        .status = 200,
        .body = R"({"items":[)" + pair("B", 2, 11, 4, R"(,"youngest_input_at":"2026-11-20T10:00:00Z")") + "," +
                pair("A", 1, 12, 3, R"(,"in_flight":true)") + R"(],"next":"2/11"})"};
    rig.http.answers["sync:1/admin/stock/state/eu?limit=2000&after=2/11"] = {
        .status = 200, .body = R"({"items":[)" + pair("A", 1, 11, 7) + "]}"};
    const auto other = rig.other("syncline");
    REQUIRE(other);
    CHECK(other->count == 3);
    CHECK(other->same_key == SameKey::several_items);
    const auto rows = all(*other->rows);
    REQUIRE(rows);
    const auto now = core::nanos_since_epoch(rig.clock.now());
    const auto ten = core::nanos_since_epoch(core::parse_rfc3339("2026-11-20T10:00:00Z").value());
    // What is on its way is as young as can be.
    CHECK(*rows == std::vector<OwnedRow>{{"A", "11", "7", 0, 1}, {"A", "12", "3", now, 1}, {"B", "11", "4", ten, 2}});
    CHECK(rig.http.seen.back().headers.get("authorization") == "Bearer the-token");
    // A changed run looks at what Shopify changed.
    const auto changed = rig.other("syncline", RunKind::changed, {{"A", "12", "5"}, {"C", "11", "5"}});
    REQUIRE(changed);
    CHECK(changed->count == 3);
    CHECK(*all(*changed->rows) == std::vector<OwnedRow>{{"A", "12", "3", now, 1}});
}

TEST_CASE("stock sides: a state that cannot be read is believed in nothing", "[unit]") {
    struct Wrong {
        int status;
        std::string body;
        std::string code;
        core::ErrorKind kind;
    };
    const std::vector<Wrong> answers{
        {200, "<html>", "inventory_sync_malformed", core::ErrorKind::transient},
        {200, R"({"pairs":[]})", "own_state_malformed", core::ErrorKind::malformed},
        {200, R"({"items":[{"sku":"A"}]})", "own_state_malformed", core::ErrorKind::malformed},
        {200, R"({"items":[)" + pair("A", 1, 11, 7, R"(,"youngest_input_at":"yesterday")") + "]}", "own_state_malformed",
         core::ErrorKind::malformed},
        {200, R"({"items":[],"next":""})", "own_state_malformed", core::ErrorKind::malformed},
        {503, R"({"code":"postgres_unavailable","detail":"away"})", "postgres_unavailable", core::ErrorKind::transient},
        {401, "", "inventory_sync_refused", core::ErrorKind::unauthorized},
        {404, R"({"code":"shop_unknown"})", "shop_unknown", core::ErrorKind::not_ready}};
    for (const auto& wrong : answers) {
        CAPTURE(wrong.body);
        Rig rig;
        rig.http.answers["sync:1/admin/stock/state/eu?limit=2000"] = {.status = wrong.status, .body = wrong.body};
        const auto other = rig.other("syncline");
        REQUIRE_FALSE(other);
        CHECK(other.error().code == wrong.code);
        CHECK(other.error().kind == wrong.kind);
    }
    Rig away;
    CHECK(away.other("syncline").error().code == "inventory_sync_away");
    // A page that leads back to itself must not be followed for ever.
    Rig circle;
    circle.http.answers["limit=2000"] = {.status = 200, .body = R"({"items":[],"next":"1/1"})"};
    circle.http.answers["after=1/1"] = {.status = 200, .body = R"({"items":[],"next":"1/1"})"};
    CHECK(circle.other("syncline").error().code == "own_state_malformed");
}

TEST_CASE("stock sides: the newest complete file of a source, mapped to the locations it alone feeds", "[unit]") {
    Rig rig;
    CHECK(rig.sides->others("eu") == std::vector<std::string>{"syncline", "erp"});
    CHECK(rig.other("erp").error().code == "no_snapshot");
    rig.file("done/old.csv", "sku,place,quantity\nA,A,1\n", 100s);
    rig.file("new.csv", "sku,place,quantity,item_id,observed_at\nB,A,5,x,y\nA,B,2,,\nA,A,3,,\nA,ELSEWHERE,9,,\n", 10s);
    const auto other = rig.other("erp");
    REQUIRE(other);
    CHECK(other->count == 4);
    CHECK(other->locations == std::vector<std::string>{"11"});
    CHECK(other->same_key == SameKey::parts);
    CHECK(other->policy_of("A", "11").buffer == core::Decimal(1));
    auto rows = all(*other->rows);
    REQUIRE(rows);
    for (auto& row : *rows) {
        CHECK(row.observed_at_ns > 0);
        row.observed_at_ns = 0;
    }
    CHECK(*rows == std::vector<OwnedRow>{{"A", "11", "2", 0, 2}, {"A", "11", "3", 0, 1}, {"B", "11", "5", 0, 1}});
    // It was put away: still the newest.
    fs::rename(rig.folder / "new.csv", rig.folder / "done/new.csv");
    CHECK(rig.other("erp")->count == 4);
    // A half-written one is worth nothing, and says so.
    rig.file("cut.csv", "sku,place,quantity\nA,A,1\nB,A", 1s);
    CHECK(rig.other("erp").error().code == "snapshot_truncated");
}

TEST_CASE("stock sides: files that are not complete, or of a form that is not read, are not guessed at", "[unit]") {
    Rig waiting("delimiter: \",\", columns: {location: place}");
    waiting.file("new.csv", "sku,place,quantity\nA,A,1\n", 10s);
    CHECK(waiting.other("erp").error().code == "no_snapshot");
    waiting.file("new.csv.done", "", 1s);
    CHECK(waiting.other("erp")->count == 1);
    Rig comma("decimal: comma, columns: {location: place}");
    CHECK(comma.other("erp").error().code == "source_format");
    Rig unit("columns: {location: place, unit: unit}");
    CHECK(unit.other("erp").error().code == "source_format");
    Rig gone;
    fs::remove_all(gone.folder);
    CHECK(gone.other("erp").error().code == "folder_unreadable");
}
