// The whole service over PostgreSQL with a help desk that can be away, lose answers, close and forget tickets.
#include <catch2/catch_test_macros.hpp>

#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/testing/harness.h>
#include <filesystem>
#include <fstream>

#include "tests/fakes.h"
#include "wiring.h"

using namespace helpdesk_sync;
using namespace helpdesk_sync::testing;
using namespace std::chrono_literals;
namespace exports_v1 = syncline::exports::v1;
using syncline::kit::testing::Harness;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

namespace {

// The fake desk asks for no token, the configuration does.
std::string token_file() {
    const auto path = std::filesystem::temp_directory_path() / "helpdesk-sync-test-token";
    std::ofstream(path) << "token\n";
    return path.string();
}

struct Rig {
    FakeDesk desk;
    Harness h;
    Rig()
        : h({.wire =
                 [this](syncline::kit::Service& service) {
                     const auto config = service.config<Config>();
                     service.target({.connection = "zendesk",
                                     .probe = [this](core::Deadline) -> core::Result<void> {
                                         if (desk.away) {
                                             return core::fail(core::ErrorKind::transient, "unavailable", "away");
                                         }
                                         return {};
                                     },
                                     .longest_request = 10s});
                     wire_with(service, config, desk);
                 },
             .service = "helpdesk-sync",
             .config = std::string() +
                       "zendesk: {url: \"https://example.zendesk.com\", email: a@example.com, api_token_file: " + token_file() +
                       "}\n"
                       "requester: {email: ops@example.com}\n"
                       "ticket: {update_every: 20s}\n"}) {
        h.start();
    }

    template <typename Event>
    void say(Event event, int order, const std::string& shop = "eu") {
        h.clock().advance(1ms);
        auto& context = *event.mutable_context();
        context.set_shop(shop);
        context.set_order_id(order);
        context.set_connection("odoo-main");
        context.mutable_source_updated_at()->set_seconds(++version);
        h.publish("exports.v1", shop + "/" + std::to_string(order), event, {});
    }
    bool tickets_are(std::size_t count) { return h.settle(60s) && desk.tickets().size() == count; }

    int version = 0;
};

exports_v1::OrderExportHeld held(const std::string& waits_for = "tax:FR/3.3/incl") {
    exports_v1::OrderExportHeld event;
    event.set_code("tax_unmapped");
    event.set_waits_for(waits_for);
    return event;
}

exports_v1::OrderExported exported() {
    exports_v1::OrderExported event;
    event.mutable_document()->set_state("sale");
    return event;
}

}  // namespace

TEST_CASE("helpdesk-sync: a held order is one ticket, and solved when it has arrived", "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(held(), 1);
    REQUIRE(rig.tickets_are(1));
    CHECK(rig.desk.tickets()[0].subject == "Orders wait at odoo-main: tax:FR/3.3/incl");
    CHECK(rig.desk.tickets()[0].opening.contains("eu/1"));
    rig.say(exported(), 1);
    CHECK(rig.h.advance_until([&] { return rig.desk.tickets()[0].status == "solved"; }));
    CHECK(rig.desk.tickets().size() == 1);
    CHECK(rig.desk.tickets()[0].comments.size() == 1);
}

TEST_CASE("helpdesk-sync: a storm of one cause is one ticket with few comments, other causes have their own",
          "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    for (int order = 1; order <= 150; ++order) {
        rig.say(held(), order, "eu");
        rig.say(held(), order, "us");
    }
    rig.say(held("product:A"), 900);
    REQUIRE(rig.tickets_are(2));
    CHECK(rig.h.advance_until([&] {
        const auto all = rig.desk.tickets();
        return !all[0].comments.empty() && all[0].comments.back().contains("300 orders");
    }));
    CHECK(rig.desk.tickets()[0].comments.size() <= 3);
    for (int order = 1; order <= 150; ++order) {
        rig.say(exported(), order, "eu");
        rig.say(exported(), order, "us");
    }
    CHECK(rig.h.advance_until([&] { return rig.desk.tickets()[0].status == "solved"; }));
    CHECK(rig.desk.tickets()[1].status == "new");
    CHECK(rig.desk.tickets().size() == 2);
}

TEST_CASE("helpdesk-sync: refused orders, held and refused refunds are tickets too", "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    exports_v1::OrderExportFailed failed;
    failed.set_code("record_refused");
    rig.say(failed, 1);
    exports_v1::RefundExportHeld refund_held;
    refund_held.set_refund_id(70);
    refund_held.set_code("amounts_differ");
    rig.say(refund_held, 2);
    exports_v1::RefundExportFailed refund_failed;
    refund_failed.set_refund_id(71);
    refund_failed.set_code("note_refused");
    rig.say(refund_failed, 2);
    REQUIRE(rig.tickets_are(3));
    exports_v1::RefundExported refunded;
    refunded.set_refund_id(71);
    rig.say(refunded, 2);
    exports_v1::ExportHoldEnded ended;
    ended.set_subject("refund/70");
    rig.say(ended, 2);
    rig.say(exported(), 1);
    CHECK(rig.h.advance_until([&] {
        const auto all = rig.desk.tickets();
        return all[0].status == "solved" && all[1].status == "solved" && all[2].status == "solved";
    }));
}

TEST_CASE("helpdesk-sync: a lost answer makes no second ticket and no second comment", "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.desk.lost_answers = 1;
    rig.say(held(), 1);
    REQUIRE(rig.h.advance_until([&] { return rig.h.count("SELECT count(*) FROM tickets WHERE state = 'open'") == 1; }));
    CHECK(rig.desk.tickets().size() == 1);
    rig.desk.lost_answers = 1;
    rig.say(held(), 2);
    REQUIRE(rig.h.advance_until([&] { return rig.h.count("SELECT count(*) FROM tickets WHERE told LIKE '2 orders%'") == 1; }));
    CHECK(rig.desk.tickets()[0].comments.size() == 1);
}

TEST_CASE("helpdesk-sync: what healed while its ticket's creation was unknown is solved, not forgotten",
          "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.desk.lost_answers = 10;  // The ticket is made at once; every answer of find() comes, none of what was written.
    rig.say(held(), 1);
    REQUIRE(rig.tickets_are(1));
    rig.desk.lost_answers = 0;
    rig.say(exported(), 1);
    CHECK(rig.h.advance_until([&] { return rig.desk.tickets()[0].status == "solved"; }));
    CHECK(rig.desk.tickets().size() == 1);
}

TEST_CASE("helpdesk-sync: while the desk is away everything waits in Kafka, then one ticket is made",
          "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.desk.away = true;
    for (int order = 1; order <= 30; ++order) {
        rig.say(held(), order);
    }
    rig.h.advance(2min, 5s);
    CHECK(rig.desk.tickets().empty());
    CHECK(rig.h.dead_letters().empty());
    rig.desk.away = false;
    CHECK(rig.h.advance_until([&] {
        const auto all = rig.desk.tickets();
        return all.size() == 1 && !all[0].comments.empty() && all[0].comments.back().contains("30 orders");
    }));
}

TEST_CASE("helpdesk-sync: a cause that is back opens its ticket again; one that a person closed gets a follow-up",
          "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    rig.say(held(), 1);
    REQUIRE(rig.tickets_are(1));
    rig.say(exported(), 1);
    REQUIRE(rig.h.advance_until([&] { return rig.desk.tickets()[0].status == "solved"; }));
    rig.say(held(), 2);
    REQUIRE(rig.h.advance_until([&] { return rig.desk.tickets()[0].status == "open"; }));
    CHECK(rig.desk.tickets().size() == 1);
    rig.desk.close(1);
    rig.say(held(), 3);
    REQUIRE(rig.h.advance_until([&] { return rig.desk.tickets().size() == 2; }));
    CHECK(rig.desk.tickets()[1].followup_of == 1);
    CHECK(rig.desk.tickets()[1].opening.ends_with("#1"));
    rig.desk.erase(2);
    rig.say(held(), 4);
    REQUIRE(rig.h.advance_until([&] { return rig.desk.tickets().size() == 2; }));
    CHECK(rig.desk.tickets()[1].followup_of == 0);
}

TEST_CASE("helpdesk-sync: a process that dies in the storm leaves one ticket", "[helpdesk-sync][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    for (int order = 1; order <= 40; ++order) {
        rig.say(held(), order);
    }
    rig.h.eventually([&] { return !rig.desk.tickets().empty(); });
    rig.h.crash();
    rig.h.start();
    REQUIRE(rig.h.advance_until([&] {
        const auto all = rig.desk.tickets();
        return all.size() == 1 && !all[0].comments.empty() && all[0].comments.back().contains("40 orders");
    }));
}
