// A schema with the tables of inventory-sync and everything that works on them, with a fake shop and a clock of its own.
#pragma once

#include <syncline/postgres/testing/database.h>
#include <syncline/telemetry/metrics.h>
#include <functional>
#include <memory>

#include "adapters/marks.h"
#include "adapters/pg_chores.h"
#include "adapters/pg_order_intake.h"
#include "adapters/pg_send_store.h"
#include "adapters/pg_stock_intake.h"
#include "adapters/pg_targets.h"
#include "adapters/schema.h"
#include "adapters/send_meters.h"
#include "app/send_stock.h"
#include "tests/fakes.h"

namespace inventory_sync::testing {

using namespace std::chrono_literals;
using syncline::postgres::Transaction;

struct Rig {
    syncline::postgres::testing::Database database;
    core::ManualClock clock;
    syncline::telemetry::Metrics metrics{"inventory-sync"};
    FakeShops shops;
    std::shared_ptr<Rules> rules = std::make_shared<Rules>();
    std::string version = "v1";
    PgTargets targets{database.pool(), clock};
    PgSendStore store{database.pool(), clock};
    PgChores chores{database.pool(), shops, clock, [this] {
                        return CurrentRules{.rules = rules, .version = version};
                    }};
    SendMeters meters{metrics};
    SendStock send{store, shops, meters, clock, {}};

    Rig() {
        in_transaction([](Transaction& tx) { return tx.exec_script(kSchema); });
        in_transaction([](Transaction& tx) { return tx.exec_script(kSchemaWidened); });
        // The kit's own table, as it makes it.
        database.exec(
            "CREATE TABLE admin_actions (id text PRIMARY KEY, grp integer NOT NULL, verb text NOT NULL, subject text NOT "
            "NULL, actor text NOT NULL, reason text NOT NULL, at timestamptz NOT NULL)");
    }

    void in_transaction(const std::function<core::Result<void>(Transaction&)>& body) {
        const auto done = database.pool().run(core::Deadline(core::system_clock(), 60s), body);
        if (!done) {
            FAIL(done.error().code << " " << done.error().message);
        }
    }
    StockIntake stock(const std::vector<ArrivedLevel>& levels, const std::vector<ArrivedChange>& changes = {}) {
        StockIntake intake;
        in_transaction([&](Transaction& tx) -> core::Result<void> {
            auto taken = take_stock(tx, levels, changes, clock.now());
            if (!taken) {
                return std::unexpected(taken.error());
            }
            intake = *taken;
            return {};
        });
        return intake;
    }
    void orders(const std::vector<OrderSnapshot>& snapshots, const std::vector<ArrivedFulfillment>& fulfillments = {}) {
        in_transaction([&](Transaction& tx) -> core::Result<void> {
            const auto taken = take_orders(tx, snapshots, fulfillments, rules.get(), clock.now());
            return taken ? core::Result<void>{} : std::unexpected(taken.error());
        });
    }
    void compute() {
        for (int bucket = 0; bucket < kBuckets; ++bucket) {
            const auto done = targets.compute(bucket, 10'000, *rules);
            if (!done) {
                FAIL(done.error().code << " " << done.error().message);
            }
        }
    }
    // Until nothing is left to do; the clock moves where something waits.
    void settle(const std::vector<std::string>& of_shops) {
        for (int round = 0; round < 60; ++round) {
            bool did = false;
            compute();
            for (const auto& shop : of_shops) {
                const auto items = chores.find_items(shop, 100);
                const auto located = chores.locate_orders(shop, 100);
                REQUIRE(items);
                REQUIRE(located);
                did = did || *items > 0 || *located > 0;
                did = send.look(shop).did || did;
                compute();
                did = send.send(shop).did || did;
            }
            if (!did) {
                if (database.value(
                        "SELECT (SELECT count(*) FROM batches) + (SELECT count(*) FROM pairs WHERE unsent AND held = '')") ==
                    "0") {
                    return;
                }
                clock.advance(61s);
            }
        }
        FAIL("it does not come to rest");
    }
};

inline ArrivedLevel level_of(const Place& place, const std::string& sku, std::int64_t quantity, core::SystemTime observed,
                             Basis basis) {
    return {.position = {.sku = sku, .place = place},
            .basis = basis,
            .unit = {},
            .level = {.quantity = Decimal(quantity), .observed = observed}};
}

}  // namespace inventory_sync::testing
