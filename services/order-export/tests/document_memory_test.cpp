#include "adapters/pg_document_memory.h"

#include <syncline/kit/processor.h>
#include <syncline/postgres/testing/database.h>
#include <catch2/catch_test_macros.hpp>

#include "adapters/pg_export_ledger.h"

using namespace order_export;
using namespace std::chrono_literals;
namespace postgres = syncline::postgres;

namespace {

struct Rig {
    postgres::testing::Database database;
    PgDocumentMemory memory{database.pool(), core::system_clock(), "odoo-main", "order-export.odoo-main.v1"};
    PgDocumentMemory other{database.pool(), core::system_clock(), "odoo-main", "order-export.odoo-main.v1"};
    OrderKey key{.shop = core::ShopAlias("eu"), .id = core::OrderId(5001)};
    core::SystemTime read_at{1'760'000'000s};

    Rig() {
        const auto made =
            database.pool().run(core::Deadline(core::system_clock(), 60s), [](postgres::Transaction& tx) -> core::Result<void> {
                for (const auto& migration : kit::Processor::migrations()) {
                    if (auto done = tx.exec_script(migration.sql); !done) {
                        return done;
                    }
                }
                if (auto done = tx.exec_script(kLedgerSchema); !done) {
                    return done;
                }
                return tx.exec_script(kDocumentMemorySchema);
            });
        if (!made) {
            FAIL(made.error().code << " " << made.error().message);
        }
        database.exec(
            "INSERT INTO consumer_groups (grp, name) VALUES (1, 'order-export.odoo-main.v1'), (2, 'order-export.sap.v1')");
        for (const auto* connection : {"odoo-main", "sap"}) {
            database.exec(
                "INSERT INTO export_orders VALUES ('" + std::string(connection) +
                "', 'eu', 5001, 'quotation', '', 10, 11, false, '42', 'S00042', 'h', 'h', '[]', 0, 1, 'EUR', false, '1', "
                "'#1', 'paid', 0, 0, false, 'm')");
        }
    }
    std::vector<KnownDocument> known() {
        const std::vector<TargetId> ids{"42", "43"};
        const auto found = memory.known(ids);
        REQUIRE(found);
        return *found;
    }
};

#define NEEDS_POSTGRES()                                         \
    if (!postgres::testing::Database::available()) {             \
        SKIP(std::string(postgres::testing::Database::kWhyNot)); \
    }                                                            \
    static_assert(true)

}  // namespace

TEST_CASE("documents: what was announced is remembered with its event, for its own connection", "[order-export][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    auto found = rig.known();
    REQUIRE(found.size() == 1);
    CHECK(found.front().state == DocumentState::quotation);
    CHECK(found.front().version == SnapshotVersion{.updated_ns = 10, .observed_ns = 11});
    CHECK_FALSE(found.front().announced);
    const DocumentNow now{
        .id = "42", .name = "S00042", .progress = {.state = "sale", .invoicing = "to_invoice", .delivery = "full"}};
    const std::vector<Announcement> news{{.document = found.front(), .now = now}};
    REQUIRE(rig.memory.announce(news, rig.read_at));
    found = rig.known();
    REQUIRE(found.front().announced);
    CHECK(found.front().announced->progress == now.progress);
    CHECK(found.front().announced->version == found.front().version);
    CHECK(rig.database.value("SELECT count(*) FROM outbox WHERE type LIKE '%DocumentStateChanged' AND aggregateid = 'eu/5001'") ==
          "1");
    CHECK(rig.database.value("SELECT count(*) FROM document_progress") == "1");
    // The same again is one event.
    REQUIRE(rig.memory.announce(news, rig.read_at));
    CHECK(rig.database.value("SELECT count(*) FROM outbox") == "1");
}

TEST_CASE("documents: positions never go back, and one instance watches at a time", "[order-export][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    CHECK(rig.memory.position(Feed::orders)->has_value() == false);
    REQUIRE(rig.memory.keep_position(Feed::orders, rig.read_at));
    REQUIRE(rig.memory.keep_position(Feed::orders, rig.read_at - 1h));
    CHECK(**rig.memory.position(Feed::orders) == rig.read_at);
    CHECK_FALSE(rig.memory.position(Feed::invoices)->has_value());
    CHECK(rig.memory.lease(60s));
    CHECK(rig.memory.lease(60s));
    CHECK_FALSE(rig.other.lease(60s));
    rig.memory.release();
    CHECK(rig.other.lease(0ms));
    CHECK(rig.memory.lease(60s));
}

TEST_CASE("documents: a hold is over when nothing of its order waits any more, and that is told once",
          "[order-export][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    REQUIRE(rig.memory.remember_hold(rig.key, "", SnapshotVersion{.updated_ns = 10}));
    REQUIRE(rig.memory.remember_hold(rig.key, "", SnapshotVersion{.updated_ns = 12}));
    REQUIRE(rig.memory.remember_hold(rig.key, "refund/3", std::nullopt));
    const auto park = [&](int group) {
        rig.database.exec("INSERT INTO parked_keys (grp, topic, key, partition, state, first_at) VALUES (" +
                          std::to_string(group) + ", 'orders.v1', 'eu/5001', 0, 'held', now())");
    };
    park(1);
    park(2);
    CHECK(*rig.memory.end_holds(0ms) == 0);
    rig.database.exec("DELETE FROM parked_keys WHERE grp = 1");
    // The hold may have been remembered a moment before its key is parked.
    CHECK(*rig.memory.end_holds(1h) == 0);
    CHECK(*rig.memory.end_holds(0ms) == 2);
    CHECK(*rig.memory.end_holds(0ms) == 0);
    CHECK(rig.database.value("SELECT count(*) FROM outbox WHERE type LIKE '%ExportHoldEnded'") == "2");
    CHECK(rig.database.value("SELECT count(*) FROM export_holds") == "0");
}
