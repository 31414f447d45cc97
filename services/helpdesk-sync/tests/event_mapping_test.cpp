#include "adapters/event_mapping.h"

#include <catch2/catch_test_macros.hpp>

using namespace helpdesk_sync;

TEST_CASE("helpdesk-sync: an event is read with its shop, connection and time", "[helpdesk-sync][unit]") {
    exports_v1::OrderExported event;
    event.mutable_context()->set_shop("us-b2b");
    event.mutable_context()->set_connection("odoo-main");
    event.set_action(exports_v1::EXPORT_ACTION_CREATED);
    kit::EventHeaders headers;
    headers.time = core::SystemTime{std::chrono::seconds{5}};
    const auto exported = to_export(event, headers);
    REQUIRE(exported);
    CHECK(exported->shop.value() == "us-b2b");
    CHECK(exported->connection == "odoo-main");
    CHECK(exported->created);
    CHECK(exported->at == headers.time);
    event.set_action(exports_v1::EXPORT_ACTION_CONFIRMED);
    CHECK_FALSE(to_export(event, headers)->created);
}

TEST_CASE("helpdesk-sync: an event without shop or connection is malformed", "[helpdesk-sync][unit]") {
    exports_v1::OrderExported event;
    event.mutable_context()->set_connection("odoo-main");
    CHECK(to_export(event, {}).error().kind == core::ErrorKind::malformed);
    event.mutable_context()->set_shop("eu");
    event.mutable_context()->clear_connection();
    CHECK(to_export(event, {}).error().kind == core::ErrorKind::malformed);
}
