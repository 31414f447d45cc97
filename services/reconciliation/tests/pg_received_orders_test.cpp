#include <catch2/catch_test_macros.hpp>

#include <google/protobuf/timestamp.pb.h>

#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/postgres/testing/database.h>
#include <algorithm>
#include <random>

#include "adapters/pg_received_orders.h"

namespace {

using namespace reconciliation;
using namespace std::chrono_literals;
using namespace syncline::orders::v1;
using syncline::postgres::testing::Database;

const auto kNow = core::parse_rfc3339("2026-11-20T12:00:00Z").value();

core::Deadline soon() {
    return {core::system_clock(), 30s};
}

struct Sent {
    std::string type;
    std::string value;
};

void set(google::protobuf::Timestamp* to, core::SystemTime at) {
    to->set_seconds(core::nanos_since_epoch(at) / 1'000'000'000);
}

Sent snapshot(const std::string& shop, std::int64_t id, core::SystemTime at, const std::string& hash, bool fetched = false) {
    OrderChanged event;
    event.mutable_order()->set_shop(shop);
    event.mutable_order()->set_order_id(id);
    set(event.mutable_order()->mutable_source_updated_at(), at);
    set(event.mutable_order()->mutable_observed_at(), at);
    event.mutable_order()->set_content_hash(hash);
    event.mutable_order()->set_fetched(fetched);
    return {OrderChanged::descriptor()->full_name(), event.SerializeAsString()};
}

Sent edited(const std::string& shop, std::int64_t id, core::SystemTime at) {
    OrderEditNoticed event;
    event.set_shop(shop);
    event.set_order_id(id);
    set(event.mutable_committed_at(), at);
    return {OrderEditNoticed::descriptor()->full_name(), event.SerializeAsString()};
}

Sent deleted(const std::string& shop, std::int64_t id, core::SystemTime at, bool confirmed) {
    OrderDeleted event;
    event.set_shop(shop);
    event.set_order_id(id);
    event.set_confirmed(confirmed);
    set(event.mutable_observed_at(), at);
    return {OrderDeleted::descriptor()->full_name(), event.SerializeAsString()};
}

struct Rig {
    Database database;
    ReceivedOrders orders;
    Rig() {
        const auto made =
            database.pool().run(soon(), [](postgres::Transaction& tx) { return tx.exec_script(kReceivedOrdersSchema); });
        REQUIRE(made);
    }
    std::size_t apply(const std::vector<Sent>& sent) {
        std::vector<kit::BatchRecord> records;
        for (const auto& event : sent) {
            kit::BatchRecord record{.headers = {}, .value = event.value};
            record.headers.type = event.type;
            records.push_back(std::move(record));
        }
        const auto applied = database.pool().run(soon(), [&](postgres::Transaction& tx) { return orders.apply(records, tx); });
        INFO((applied ? std::string() : applied.error().message));
        REQUIRE(applied);
        return applied->bad.size();
    }
    std::map<std::int64_t, ReceivedOrder> find(const std::string& shop, std::vector<std::int64_t> ids) {
        const auto found = orders.find(database.pool(), shop, ids, soon());
        REQUIRE(found);
        return *found;
    }
};

}  // namespace

TEST_CASE("received orders: two shops with the same order id keep a row each", "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    CHECK(rig.apply({snapshot("eu", 1, kNow, "a"), snapshot("us", 1, kNow - 1h, "b"), snapshot("eu", 1, kNow - 1min, "c")}) == 0);
    CHECK(rig.find("eu", {1, 2}).at(1).updated_at == kNow);
    CHECK(rig.find("us", {1}).at(1).updated_at == kNow - 1h);
    CHECK(rig.find("eu", {2}).empty());
}

TEST_CASE("received orders: batches of any cut, in any order and again, end in the rows of one by one",
          "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    std::mt19937 random(3);
    std::vector<Sent> sent;
    for (int at = 0; at < 600; ++at) {
        const auto id = static_cast<std::int64_t>(1 + random() % 40);
        const auto when = kNow + std::chrono::seconds(random() % 20);
        switch (random() % 4) {
            case 0:
                sent.push_back(edited("eu", id, when));
                break;
            case 1:
                sent.push_back(deleted("eu", id, when, false));
                break;
            default:
                sent.push_back(snapshot("eu", id, when, std::string(1, static_cast<char>('a' + random() % 3))));
        }
    }
    std::vector<std::int64_t> ids(40);
    for (std::size_t at = 0; at < ids.size(); ++at) {
        ids[at] = static_cast<std::int64_t>(at) + 1;
    }
    rig.apply(sent);
    const auto whole = rig.find("eu", ids);
    // Each event again, a few at a time.
    std::ranges::shuffle(sent, random);
    for (std::size_t at = 0; at < sent.size(); at += 37) {
        rig.apply({sent.begin() + static_cast<std::ptrdiff_t>(at),
                   sent.begin() + static_cast<std::ptrdiff_t>(std::min(at + 37, sent.size()))});
    }
    const auto again = rig.find("eu", ids);
    REQUIRE(again.size() == whole.size());
    for (const auto& [id, row] : whole) {
        CHECK(again.at(id).updated_at == row.updated_at);
        CHECK(again.at(id).content_hash == row.content_hash);
        CHECK(again.at(id).edit_waits_since == row.edit_waits_since);
        CHECK(again.at(id).deletion_waits_since == row.deletion_waits_since);
        CHECK(again.at(id).undecidable_since.has_value() == row.undecidable_since.has_value());
    }
}

TEST_CASE("received orders: what waits is found, the longest first, and only of its shop", "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    rig.apply({snapshot("eu", 1, kNow, "a"), snapshot("eu", 1, kNow, "b"), edited("eu", 2, kNow - 5min),
               deleted("eu", 3, kNow - 9min, false), deleted("us", 4, kNow - 9min, false), snapshot("eu", 5, kNow, "a")});
    const auto waiting = rig.orders.waiting(rig.database.pool(), "eu", kNow + 1min, 10, soon());
    REQUIRE(waiting);
    REQUIRE(waiting->size() == 3);
    CHECK((*waiting)[0].first == 3);
    CHECK((*waiting)[1].first == 2);
    CHECK((*waiting)[2].first == 1);
    CHECK(due_fetch((*waiting)[2].second, kNow + 3min, {}) == FetchReason::undecidable);
    rig.apply({deleted("eu", 3, kNow, true), snapshot("eu", 2, kNow, "x"), snapshot("eu", 1, kNow, "b", true)});
    CHECK(rig.orders.waiting(rig.database.pool(), "eu", kNow + 1h, 10, soon())->empty());
}

TEST_CASE("received orders: a record that cannot be read is bad, the others count", "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    const std::string type = OrderChanged::descriptor()->full_name();
    CHECK(rig.apply({{type, "\xFF\xFF"}, {type, ""}, snapshot("", 1, kNow, "a"), snapshot("eu", 7, kNow, "a")}) == 3);
    CHECK(rig.find("eu", {7}).size() == 1);
    CHECK(rig.apply({}) == 0);
}

TEST_CASE("received orders: settled rows are forgotten in steps, waiting ones are kept", "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    rig.apply({snapshot("eu", 1, kNow - 100h, "a"), snapshot("eu", 2, kNow - 100h, "a"), snapshot("eu", 3, kNow, "a"),
               snapshot("eu", 4, kNow - 100h, "a"), deleted("eu", 4, kNow - 99h, false)});
    CHECK(rig.orders.forget(rig.database.pool(), kNow - 1h, 1, soon()) == 1);
    CHECK(rig.orders.forget(rig.database.pool(), kNow - 1h, 10, soon()) == 1);
    CHECK(rig.orders.forget(rig.database.pool(), kNow - 1h, 10, soon()) == 0);
    CHECK(rig.find("eu", {1, 2, 3, 4}).size() == 2);
}
