// The whole service as main() wires it, over PostgreSQL.
#include <catch2/catch_test_macros.hpp>

#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/testing/harness.h>

#include "wiring.h"

namespace exports_v1 = syncline::exports::v1;
using syncline::kit::testing::Harness;

namespace {

struct Rig {
    Harness h{{.wire = helpdesk_sync::wire, .service = "helpdesk-sync"}};
    Rig() { h.start(); }

    void say(const std::string& shop, int order, exports_v1::ExportAction action, const std::string& id = {}) {
        exports_v1::OrderExported event;
        event.mutable_context()->set_shop(shop);
        event.mutable_context()->set_order_id(order);
        event.mutable_context()->set_connection("odoo-main");
        event.set_action(action);
        h.publish("exports.v1", shop + "/" + std::to_string(order), event, {.id = id, .type = {}});
    }
    std::int64_t tally(const std::string& shop) {
        return h.count("SELECT coalesce(sum(orders), 0)::bigint FROM tallies WHERE shop = '" + shop + "'");
    }
};

}  // namespace

TEST_CASE("helpdesk-sync: orders of two shops with the same ids count apart, a redelivery counts once",
          "[helpdesk-sync][postgres]") {
    if (!Harness::available()) {
        SKIP(std::string(Harness::kWhyNot));
    }
    Rig rig;
    const std::string id = "7f0c5c57-0000-5000-8000-000000000001";
    rig.say("eu", 1, exports_v1::EXPORT_ACTION_CREATED, id);
    rig.say("eu", 1, exports_v1::EXPORT_ACTION_CREATED, id);
    for (int order = 2; order < 50; ++order) {
        rig.say("eu", order, exports_v1::EXPORT_ACTION_CREATED);
    }
    rig.say("us", 1, exports_v1::EXPORT_ACTION_CREATED);
    rig.say("us", 1, exports_v1::EXPORT_ACTION_UPDATED);
    REQUIRE(rig.h.settle());
    CHECK(rig.tally("eu") == 49);
    CHECK(rig.tally("us") == 1);
    CHECK(rig.h.inbox("skipped") == 1);
    CHECK(rig.h.dead_letters().empty());
}

TEST_CASE("helpdesk-sync: what cannot be read is a dead letter, and the next event goes on", "[helpdesk-sync][postgres]") {
    if (!Harness::available()) {
        SKIP(std::string(Harness::kWhyNot));
    }
    Rig rig;
    rig.say("", 1, exports_v1::EXPORT_ACTION_CREATED);
    rig.say("eu", 2, exports_v1::EXPORT_ACTION_CREATED);
    REQUIRE(rig.h.settle());
    CHECK(rig.h.dead_letters().size() == 1);
    CHECK(rig.tally("eu") == 1);
}

TEST_CASE("helpdesk-sync: what is counted stays counted when the process dies", "[helpdesk-sync][postgres]") {
    if (!Harness::available()) {
        SKIP(std::string(Harness::kWhyNot));
    }
    Rig rig;
    for (int order = 1; order <= 20; ++order) {
        rig.say("eu", order, exports_v1::EXPORT_ACTION_CREATED);
    }
    rig.h.crash();
    rig.h.start();
    REQUIRE(rig.h.settle());
    CHECK(rig.tally("eu") == 20);
}
