#include "adapters/status_text.h"

#include <catch2/catch_test_macros.hpp>

using namespace order_status;

TEST_CASE("order-status: a kept status comes back as it was written", "[unit]") {
    ConnectionStatus status;
    status.order = {.version = {.updated_ns = 9'007'199'254'740'993, .observed_ns = 2, .said_ns = 3},
                    .standing = Standing::held,
                    .reason = "tax:\"FR\"/20.0"};
    status.others["refund/18446744073709551615"] = {.version = {.said_ns = 4}, .standing = Standing::failed, .reason = "x"};
    status.document_version = {.updated_ns = 5};
    status.document = {.reference = "7", .name = "S00007", .state = "sale"};
    status.progress_version = {.updated_ns = 6};
    status.invoicing = "invoiced";
    status.delivery = "full";
    status.shown = {{"state", "held"}, {"reason", "é"}};
    const auto read = status_from(text_of(status));
    REQUIRE(read);
    CHECK(read->order == status.order);
    CHECK(read->others == status.others);
    CHECK(read->document_version == status.document_version);
    CHECK(read->document == status.document);
    CHECK(read->progress_version == status.progress_version);
    CHECK(read->invoicing == status.invoicing);
    CHECK(read->delivery == status.delivery);
    CHECK(read->shown == status.shown);
}

TEST_CASE("order-status: an unreadable row is a bug and not an empty status", "[unit]") {
    CHECK(status_from("").error().code == "status_unreadable");
    CHECK(status_from("[]").error().code == "status_unreadable");
    CHECK(status_from("{}"));
}
