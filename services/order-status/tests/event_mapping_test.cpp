#include "adapters/event_mapping.h"

#include <catch2/catch_test_macros.hpp>

using namespace order_status;
using namespace std::chrono_literals;

namespace {

kit::EventHeaders headers() {
    kit::EventHeaders headers;
    headers.time = core::SystemTime{1'700'000'000s};
    return headers;
}

void fill(exports_v1::ExportContext& context) {
    context.set_shop("eu");
    context.set_order_id(5001);
    context.set_connection("odoo-main");
    context.mutable_source_updated_at()->set_seconds(10);
    context.mutable_source_updated_at()->set_nanos(7);
    context.mutable_observed_at()->set_seconds(11);
}

}  // namespace

TEST_CASE("order-status: an exported order is read with its version, its time and its document", "[unit]") {
    exports_v1::OrderExported event;
    fill(*event.mutable_context());
    event.mutable_document()->set_target_id("42");
    event.mutable_document()->set_name("S00042");
    event.mutable_document()->set_state("sale");
    const auto said = said_by(event, headers());
    REQUIRE(said);
    CHECK(said->key.text() == "eu/5001");
    CHECK(said->connection == "odoo-main");
    CHECK(said->statement.version ==
          StatementVersion{.updated_ns = 10'000'000'007, .observed_ns = 11'000'000'000, .said_ns = 1'700'000'000'000'000'000});
    CHECK(said->statement.document == TargetDocument{.reference = "42", .name = "S00042", .state = "sale"});
}

TEST_CASE("order-status: holds, failures and refunds are read as what they are", "[unit]") {
    exports_v1::OrderExportHeld held;
    fill(*held.mutable_context());
    held.set_code("mapping_missing");
    held.set_waits_for("tax:FR/20.0/incl");
    const auto hold = said_by(held, headers());
    REQUIRE(hold);
    CHECK(hold->statement.kind == StatementKind::held);
    CHECK(hold->statement.waits_for == "tax:FR/20.0/incl");

    exports_v1::OrderExportFailed failed;
    fill(*failed.mutable_context());
    failed.set_code("no_lines");
    CHECK(said_by(failed, headers())->statement.kind == StatementKind::failed);

    exports_v1::RefundExportHeld refund;
    fill(*refund.mutable_context());
    CHECK(said_by(refund, headers()).error().code == "refund_missing");
    refund.set_refund_id(9);
    CHECK(said_by(refund, headers())->statement.subject == "refund/9");

    exports_v1::RefundExported credited;
    fill(*credited.mutable_context());
    credited.set_refund_id(9);
    CHECK(said_by(credited, headers())->statement.kind == StatementKind::refund_exported);

    exports_v1::ExportHoldEnded ended;
    fill(*ended.mutable_context());
    ended.set_subject("risk");
    CHECK(said_by(ended, headers())->statement.kind == StatementKind::hold_ended);
    CHECK(said_by(ended, headers())->statement.subject == "risk");

    exports_v1::DocumentStateChanged changed;
    fill(*changed.mutable_context());
    changed.set_invoicing("invoiced");
    changed.set_delivery("full");
    CHECK(said_by(changed, headers())->statement.delivery == "full");
}

TEST_CASE("order-status: an event without a shop, an order or a connection is malformed", "[unit]") {
    for (const auto spoil : {0, 1, 2, 3}) {
        exports_v1::OrderExported event;
        fill(*event.mutable_context());
        switch (spoil) {
            case 0:
                event.mutable_context()->clear_shop();
                break;
            case 1:
                event.mutable_context()->set_shop("EU; drop");
                break;
            case 2:
                event.mutable_context()->set_order_id(-5);
                break;
            default:
                event.mutable_context()->clear_connection();
        }
        CHECK(said_by(event, headers()).error().kind == core::ErrorKind::malformed);
    }
}
