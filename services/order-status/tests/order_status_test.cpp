// The whole service over PostgreSQL with shops that can be away, refuse and forget.
#include <catch2/catch_test_macros.hpp>

#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/testing/harness.h>
#include <algorithm>
#include <random>

#include "tests/fakes.h"
#include "wiring.h"

using namespace order_status;
using namespace order_status::testing;
using namespace std::chrono_literals;
namespace exports_v1 = syncline::exports::v1;
using core::ErrorKind;
using syncline::kit::testing::Harness;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

namespace {

constexpr const char* kExports = "exports.v1";

struct Rig {
    FakeShops shops;
    Harness h;
    Rig()
        : h({.wire =
                 [this](syncline::kit::Service& service) {
                     const auto config = service.config<Config>();
                     wire_with(service, config, shops);
                 },
             .service = "order-status",
             .config = "tags: {exported: in-erp}\n"}) {
        h.start();
    }

    void say(const google::protobuf::MessageLite& event, const std::string& shop, std::uint64_t order,
             syncline::kit::testing::EventMeta meta = {}) {
        h.clock().advance(1ms);
        h.publish(kExports, shop + "/" + std::to_string(order), event, std::move(meta));
    }
};

template <typename Event>
Event about(const std::string& shop, std::uint64_t order, std::int64_t version, const std::string& connection = "odoo-main") {
    Event event;
    auto& context = *event.mutable_context();
    context.set_shop(shop);
    context.set_order_id(static_cast<std::int64_t>(order));
    context.set_connection(connection);
    context.mutable_source_updated_at()->set_seconds(version);
    return event;
}
exports_v1::OrderExported exported(const std::string& shop, std::uint64_t order, std::int64_t version,
                                   const std::string& name = "S00001", const std::string& connection = "odoo-main") {
    auto event = about<exports_v1::OrderExported>(shop, order, version, connection);
    event.mutable_document()->set_target_id("1");
    event.mutable_document()->set_name(name);
    event.mutable_document()->set_state("draft");
    return event;
}
exports_v1::OrderExportHeld held(const std::string& shop, std::uint64_t order, std::int64_t version,
                                 const std::string& connection = "odoo-main") {
    auto event = about<exports_v1::OrderExportHeld>(shop, order, version, connection);
    event.set_code("mapping_missing");
    event.set_waits_for("tax:FR/20.0/incl");
    return event;
}

}  // namespace

TEST_CASE("order-status: held, then exported: the tag comes and goes, each state is written once", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(held("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    CHECK(rig.shops.order("eu", 5).tags == std::set<std::string>{"syncline-held"});
    CHECK(rig.shops.order("eu", 5).fields.at("odoo-main_state") == "held");
    rig.say(exported("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    CHECK(rig.shops.order("eu", 5).tags == std::set<std::string>{"in-erp"});
    CHECK(rig.shops.order("eu", 5).fields.at("odoo-main_document") == "S00001");
    CHECK(rig.shops.order("eu", 5).fields.at("odoo-main_state") == "exported");
    CHECK(rig.shops.order("us", 5).fields.empty());
}

TEST_CASE("order-status: what says the same again is written to nobody, however often and from whichever snapshot",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(exported("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    const auto calls = rig.shops.calls();
    for (int version = 2; version < 12; ++version) {
        rig.say(exported("eu", 5, version), "eu", 5);
    }
    rig.say(exported("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    CHECK(rig.shops.calls() == calls);
    CHECK(rig.h.inbox("skipped") == 11);
}

TEST_CASE("order-status: two connections write beside each other", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(exported("eu", 5, 7, "S00001", "odoo-main"), "eu", 5);
    rig.say(exported("eu", 5, 3, "SO-77", "sap"), "eu", 5);
    rig.say(held("eu", 5, 4, "sap"), "eu", 5);
    REQUIRE(rig.h.settle());
    const auto order = rig.shops.order("eu", 5);
    CHECK(order.fields.at("odoo-main_document") == "S00001");
    CHECK(order.fields.at("odoo-main_state") == "exported");
    CHECK(order.fields.at("sap_document") == "SO-77");
    CHECK(order.fields.at("sap_state") == "held");
    CHECK(order.tags == std::set<std::string>{"in-erp", "syncline-held"});
}

TEST_CASE("order-status: shuffled and repeated statements of many orders end as the newest ones say",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    std::mt19937 random(7);
    std::vector<std::pair<std::uint64_t, std::int64_t>> said;
    for (std::uint64_t order = 1; order <= 30; ++order) {
        for (std::int64_t version = 1; version <= 6; ++version) {
            said.insert(said.end(), 1 + random() % 2, {order, version});
        }
    }
    std::ranges::shuffle(said, random);
    for (const auto& [order, version] : said) {
        for (const std::string shop : {"eu", "us"}) {
            if (version == 6 || version % 2 == 0) {
                rig.say(exported(shop, order, version, "S" + std::to_string(version)), shop, order);
            } else {
                rig.say(held(shop, order, version), shop, order);
            }
        }
    }
    REQUIRE(rig.h.settle(60s));
    for (std::uint64_t order = 1; order <= 30; ++order) {
        for (const std::string shop : {"eu", "us"}) {
            CHECK(rig.shops.order(shop, order).fields.at("odoo-main_document") == "S6");
            CHECK(rig.shops.order(shop, order).fields.at("odoo-main_state") == "exported");
            CHECK(rig.shops.order(shop, order).tags == std::set<std::string>{"in-erp"});
        }
    }
    CHECK(rig.h.dead_letters().empty());
}

TEST_CASE("order-status: a shop that is away holds up its own orders alone, and gets them when it is back",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.shops.away("eu", ErrorKind::transient);
    for (std::uint64_t order = 1; order <= 40; ++order) {
        rig.say(exported("eu", order, 1), "eu", order);
        rig.say(exported("us", order, 1), "us", order);
    }
    REQUIRE(rig.h.eventually([&] { return rig.h.inbox("done") == 40; }));
    REQUIRE(rig.h.eventually([&] { return rig.h.parked("waiting") == 40; }));
    CHECK(rig.shops.order("us", 40).tags == std::set<std::string>{"in-erp"});
    rig.h.advance(10min, 5s);
    const auto calls = rig.shops.calls();
    rig.h.advance(10min, 5s);
    CHECK(rig.shops.calls() - calls < 40);
    CHECK(rig.h.dead_letters().empty());
    rig.shops.away("eu", std::nullopt);
    REQUIRE(rig.h.advance_until([&] { return rig.h.inbox("done") == 80; }, 5s, 60s));
    CHECK(rig.shops.order("eu", 40).fields.at("odoo-main_state") == "exported");
}

TEST_CASE("order-status: a refused token is no dead letter, whatever time it takes to mend", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.shops.away("eu", ErrorKind::unauthorized);
    rig.say(exported("eu", 5, 1), "eu", 5);
    rig.h.settle();
    rig.h.advance(30h, 2min);
    CHECK(rig.h.dead_letters().empty());
    CHECK(rig.h.parked("waiting") == 1);
    rig.shops.away("eu", std::nullopt);
    REQUIRE(rig.h.advance_until([&] { return rig.h.inbox("done") == 1; }, 5s));
}

TEST_CASE("order-status: a write whose answer was lost is repeated before anything newer of that connection is written",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.shops.lost_answers = 1;
    rig.say(held("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.eventually([&] { return rig.h.inbox("parked") == 1; }));
    rig.say(exported("eu", 5, 2), "eu", 5);
    rig.say(exported("eu", 5, 2, "SO-1", "sap"), "eu", 5);
    REQUIRE(rig.h.advance_until([&] { return rig.h.inbox("done") == 3; }, 5s));
    const auto order = rig.shops.order("eu", 5);
    CHECK(order.written.at("odoo-main_state") == std::vector<std::string>{"held", "held", "exported"});
    CHECK(order.fields.at("sap_document") == "SO-1");
    CHECK(order.tags == std::set<std::string>{"in-erp"});
}

TEST_CASE("order-status: an order that is gone, or a shop that is not served, is skipped with its reason",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.shops.remove("eu", 5);
    rig.say(exported("eu", 5, 1), "eu", 5);
    rig.say(exported("closed", 6, 1), "closed", 6);
    REQUIRE(rig.h.settle());
    CHECK(rig.h.inbox("skipped") == 2);
    CHECK(rig.h.count("SELECT count(*) FROM inbox WHERE reason IN ('order_not_found', 'shop_not_served')") == 2);
    CHECK(rig.h.dead_letters().empty());
}

TEST_CASE("order-status: a metafield of another type holds the order; overriding leaves the metafields alone",
          "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.shops.differing_type = true;
    rig.say(held("eu", 5, 1), "eu", 5);
    rig.h.settle();
    REQUIRE(rig.h.eventually([&] { return rig.h.parked("held") == 1; }));
    CHECK(rig.shops.order("eu", 5).tags.empty());
    const auto overridden =
        rig.h.admin("POST", "/admin/holds/eu/5/override", R"({"code":"metafield_type_differs","reason":"no metafields there"})");
    INFO(overridden.body);
    REQUIRE(overridden.status == 200);
    REQUIRE(rig.h.advance_until([&] { return rig.h.inbox("done") == 1; }));
    CHECK(rig.shops.order("eu", 5).tags == std::set<std::string>{"syncline-held"});
    CHECK(rig.shops.order("eu", 5).fields.empty());
}

TEST_CASE("order-status: a process killed in the middle leaves the order as one that was not", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    for (std::uint64_t order = 1; order <= 20; ++order) {
        rig.say(held("eu", order, 1), "eu", order);
    }
    REQUIRE(rig.h.eventually([&] { return rig.shops.calls() > 5; }));
    rig.h.crash();
    rig.h.start();
    for (std::uint64_t order = 1; order <= 20; ++order) {
        rig.say(exported("eu", order, 1), "eu", order);
    }
    REQUIRE(rig.h.advance_until([&] { return rig.h.inbox("done") == 40; }, 1s, 60s));
    rig.h.advance(5min, 5s);
    for (std::uint64_t order = 1; order <= 20; ++order) {
        CHECK(rig.shops.order("eu", order).tags == std::set<std::string>{"in-erp"});
        CHECK(rig.shops.order("eu", order).fields.at("odoo-main_state") == "exported");
    }
}

TEST_CASE("order-status: malformed events are dead letters, the order's later events go on", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(exported("eu", 0, 1), "eu", 5);
    rig.say(exported("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    CHECK(rig.h.dead_letters().size() == 1);
    CHECK(rig.shops.order("eu", 5).fields.at("odoo-main_state") == "exported");
}

TEST_CASE("order-status: the admin port tells what is shown of an order", "[order-status][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(exported("eu", 5, 1), "eu", 5);
    REQUIRE(rig.h.settle());
    const auto known = rig.h.admin("GET", "/admin/orders/eu/5");
    CHECK(known.status == 200);
    CHECK(known.body.contains(R"("odoo-main_document":"S00001")"));
    CHECK(rig.h.admin("GET", "/admin/orders/us/5").status == 404);
    CHECK(rig.h.admin("GET", "/admin/orders/eu/x").status == 400);
}
