// Dead letters of batches in the hands of operators, beside those of handlers by key; and a service wired as its main() does it.
#include <catch2/catch_test_macros.hpp>

#include <syncline/json/document.h>
#include <syncline/kit/service.h>

#include "tests/batch/fixtures.h"
#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;
using core::ErrorKind;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

namespace {

HandlerSpec rejecting_orders() {
    return on_order([](const auto&, Delivery&) { return Outcome::failed(failure(ErrorKind::rejected, "no_lines")); });
}

std::string id_of(Harness& h, const std::string& code) {
    return h.database().value("SELECT id::text FROM dead_letters WHERE code = $1", postgres::Params{}.add(code));
}

}  // namespace

TEST_CASE("batch admin: dead letters of both shapes are in one list and obey the same verbs", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<bool> unit_known = false;
    Harness h({.handlers = {rejecting_orders()},
               .migrations = {kStockTable},
               .batches = {on_stock([&](auto records) -> core::Result<BatchOutcome> {
                   BatchOutcome outcome;
                   for (std::size_t i = 0; i < records.size(); ++i) {
                       if (quantity_of(records[i]) >= 1'000 && !unit_known) {
                           outcome.bad.push_back({i, {.kind = ErrorKind::rejected, .code = "unknown_unit", .message = "a unit"}});
                       }
                   }
                   return outcome;
               })}});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    h.publish(kInventory, stock_key(1), report(1, 1'000));
    h.publish(kInventory, stock_key(2), report(2, 2));
    REQUIRE(h.settle());
    const auto list = h.admin("GET", "/admin/dead-letters").body;
    CHECK(list.find("\"code\":\"no_lines\"") != std::string::npos);
    CHECK(list.find("\"code\":\"unknown_unit\"") != std::string::npos);
    CHECK(list.find(std::string("\"group\":\"") + kStockGroup + '"') != std::string::npos);
    const auto limited = h.admin("GET", "/admin/dead-letters?limit=1").body;
    CHECK((limited.find("no_lines") == std::string::npos) != (limited.find("unknown_unit") == std::string::npos));
    const auto positions = h.admin("GET", "/admin/batches").body;
    CHECK(positions.find("\"topic\":\"inventory.v1\"") != std::string::npos);

    const auto id = id_of(h, "unknown_unit");
    CHECK(h.admin("GET", "/admin/dead-letters/" + id).status == 200);
    const auto offsets = h.count("SELECT sum(next_offset) FROM batch_offsets");
    const std::string again = R"({"reason": "unit added", "replay_id": "r1"})";
    // The cause is still there: it stays dead, and the same replay may be pressed again.
    CHECK(h.admin("POST", "/admin/dead-letters/" + id + "/replay", again).status == 400);
    CHECK(h.count("SELECT count(*) FROM admin_actions") == 0);
    unit_known = true;
    CHECK(h.admin("POST", "/admin/dead-letters/" + id + "/replay", again).status == 200);
    CHECK(h.count("SELECT quantity FROM stock WHERE sku = 'sku-1'") == 1'000);
    const auto repeated = h.admin("POST", "/admin/dead-letters/" + id + "/replay", again);
    CHECK(repeated.body.find("\"repeated\":true") != std::string::npos);
    CHECK(h.count("SELECT applied FROM stock WHERE sku = 'sku-1'") == 1);
    CHECK(h.admin("POST", "/admin/dead-letters/" + id + "/replay", R"({"reason": "x", "replay_id": "r2"})").status == 409);
    CHECK(h.count("SELECT sum(next_offset) FROM batch_offsets") == offsets);
    CHECK(h.database().value("SELECT state FROM dead_letters WHERE code = 'unknown_unit'") == "replayed");
    REQUIRE(h.eventually([&] { return h.published("dead-letter-actions.v1").size() == 1; }));

    CHECK(h.admin("POST", "/admin/dead-letters/" + id_of(h, "no_lines") + "/discard", R"({"reason": "test"})").status == 200);
    CHECK(h.admin("GET", "/admin/dead-letters").body.find("\"items\":[]") != std::string::npos);
    CHECK(h.admin("POST", "/admin/dead-letters/00000000-0000-0000-0000-000000000000/discard", R"({"reason": "x"})").status ==
          404);
}

TEST_CASE("batch admin: a replay that throws, is malformed or is wanted by nobody leaves the letter dead", "[kit]") {
    NEEDS_POSTGRES();
    Harness h({.partitions = 1, .migrations = {kStockTable}, .batches = {on_stock([](auto records) -> core::Result<BatchOutcome> {
                                                                 if (quantity_of(records.front()) == 9) {
                                                                     throw std::runtime_error("again");
                                                                 }
                                                                 return BatchOutcome{};
                                                             })}});
    h.start();
    h.publish(kInventory, stock_key(9), report(9, 9));
    h.broker().publish(kInventory, "k", "x", {});
    REQUIRE(h.settle());
    const std::string body = R"({"reason": "try", "replay_id": "r"})";
    CHECK(h.admin("POST", "/admin/dead-letters/" + id_of(h, "batch_exception") + "/replay", body).status == 500);
    CHECK(h.admin("POST", "/admin/dead-letters/" + id_of(h, "headers_malformed") + "/replay", body).status == 400);
    h.database().exec("UPDATE dead_letters SET topic = 'catalog.v1' WHERE code = 'headers_malformed'");
    CHECK(h.admin("POST", "/admin/dead-letters/" + id_of(h, "headers_malformed") + "/replay", body).status == 409);
    CHECK(h.count("SELECT count(*) FROM dead_letters WHERE state = 'dead'") == 2);
    CHECK(h.count("SELECT count(*) FROM admin_actions") == 0);
}

TEST_CASE("harness: a service is wired as its main does it, with both shapes, its tables and its parts", "[kit]") {
    NEEDS_POSTGRES();
    struct Config {
        std::string name;
        void declare(ConfigSchema& schema) { schema.add("name", name, {.help = "Its name.", .required = true}); }
    };
    std::atomic<int> starts = 0;
    std::atomic<int> stops = 0;
    std::atomic<int> orders = 0;
    const auto wire = [&](Service& service) {
        const auto config = service.config<Config>();
        service.migration("stock_0001", kStockTable);
        service.on<orders::v1::OrderChanged>({.topic = "orders.v1",
                                              .consumer_group = "both." + config.name + ".orders.v1",
                                              .handle = [&](const orders::v1::OrderChanged&, Delivery&) {
                                                  ++orders;
                                                  return Outcome::done();
                                              }});
        auto handler = on_stock();
        handler.consumer_group = "both." + config.name + ".v1";
        service.on_batch(std::move(handler));
        service.runnable("part", [&] { ++starts; }, [&](core::Deadline) { ++stops; });
    };
    {
        Harness h({.partitions = 2, .wire = wire, .service = "both", .config = "name: main\n"});
        CHECK(h.group() == "both.main.orders.v1");
        CHECK(starts == 0);
        h.start();
        CHECK(starts == 1);
        h.publish("orders.v1", "eu/1", order(1, 1));
        for (int n = 0; n < 500; ++n) {
            h.publish(kInventory, stock_key(n), report(n, n));
        }
        REQUIRE(h.settle());
        CHECK(orders == 1);
        CHECK(h.count("SELECT count(*) FROM stock") == 500);
        auto other = h.join();
        CHECK(starts == 2);
        REQUIRE(h.eventually([&] { return other->processor->figures().partitions == 2; }));
        other->drain();
        CHECK(stops == 1);
        CHECK(h.admin("GET", "/admin/dead-letters").status == 200);
        h.stop();
        CHECK(stops == 2);
        h.start();
        h.publish(kInventory, stock_key(500), report(500, 500));
        REQUIRE(h.settle());
        CHECK(h.count("SELECT count(*) FROM stock WHERE applied = 1") == 501);
    }
    CHECK(stops == 3);
    CHECK_THROWS_AS(Harness({.wire = wire, .service = "both", .config = "nme: main\n"}), StartError);
}
