#include "adapters/event_mapping.h"

#include <catch2/catch_test_macros.hpp>

using namespace helpdesk_sync;

namespace {

template <typename Event>
Event about() {
    Event event;
    event.mutable_context()->set_shop("eu");
    event.mutable_context()->set_order_id(5);
    event.mutable_context()->set_connection("odoo-main");
    event.mutable_context()->mutable_source_updated_at()->set_seconds(9);
    return event;
}

}  // namespace

TEST_CASE("event mapping: a hold is read with its reason and version", "[helpdesk-sync][unit]") {
    auto event = about<exports_v1::OrderExportHeld>();
    event.set_code("tax_unmapped");
    event.set_waits_for("tax:FR/3.3/incl");
    const auto said = said_by(event, {});
    REQUIRE(said);
    CHECK(said->kind == StatementKind::held);
    CHECK(said->order.text() == "eu/5");
    CHECK(said->version.updated_ns == 9'000'000'000);
    CHECK(said->waits_for == "tax:FR/3.3/incl");
}

TEST_CASE("event mapping: refunds have a subject of their own", "[helpdesk-sync][unit]") {
    auto failed = about<exports_v1::RefundExportFailed>();
    CHECK(said_by(failed, {}).error().code == "refund_missing");
    failed.set_refund_id(77);
    failed.set_code("note_refused");
    CHECK(said_by(failed, {})->subject == "refund/77");
    auto exported = about<exports_v1::RefundExported>();
    exported.set_refund_id(77);
    CHECK(said_by(exported, {})->subject == "refund/77");
}

TEST_CASE("event mapping: an event that names no order is malformed", "[helpdesk-sync][unit]") {
    auto event = about<exports_v1::OrderExported>();
    event.mutable_context()->set_order_id(0);
    CHECK(said_by(event, {}).error().kind == core::ErrorKind::malformed);
    auto nowhere = about<exports_v1::OrderExportFailed>();
    nowhere.mutable_context()->clear_connection();
    CHECK(said_by(nowhere, {}).error().kind == core::ErrorKind::malformed);
}

TEST_CASE("event mapping: a cause comes back as it was told", "[helpdesk-sync][unit]") {
    const OrderKey order{.shop = core::ShopAlias("eu"), .id = core::OrderId(5)};
    for (const auto trouble : {Trouble::order_held, Trouble::order_failed, Trouble::refund_held, Trouble::refund_failed}) {
        const Cause cause{.connection = "odoo-main", .trouble = trouble, .code = "c", .waits_for = "w"};
        const auto back = touched_by(changed_event("main", cause, order));
        REQUIRE(back);
        CHECK(back->cause == cause);
        CHECK(back->order == order);
    }
    CHECK_FALSE(touched_by({}));
    helpdesk_v1::CauseChanged event;
    event.set_shop("eu");
    event.set_order_id(5);
    CHECK(touched_by(event).error().code == "cause_malformed");
}
