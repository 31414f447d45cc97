#include <catch2/catch_test_macros.hpp>

#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>

#include "adapters/orders/order_events.h"

namespace {

using namespace reconciliation;
using namespace syncline::orders::v1;

const auto kSeen = core::parse_rfc3339("2026-11-20T12:00:00Z").value();

std::string money(const std::string& amount) {
    return R"({"shopMoney":{"amount":")" + amount + R"(","currencyCode":"EUR"},"presentmentMoney":{"amount":")" + amount +
           R"(","currencyCode":"EUR"}})";
}

std::string order_with(const std::string& status) {
    return R"({"id":"gid://shopify/Order/5001","name":"#1","number":1,"createdAt":"2026-11-20T10:00:00Z",)"
           R"("updatedAt":"2026-11-20T11:00:00Z","currencyCode":"EUR","taxesIncluded":true,"lineItems":{"nodes":[]},)"
           R"("totalPriceSet":)" +
           money("10.00") + R"(,"refunds":[{"id":"gid://shopify/Refund/71","createdAt":"2026-11-20T10:30:00Z","note":"broken",)" +
           R"("transactions":{"nodes":[{"id":"gid://shopify/OrderTransaction/81","kind":"REFUND","status":")" + status +
           R"(","gateway":"bogus","amountSet":)" + money("4.00") + R"(}]}}]})";
}

core::Result<OrderAsEvents> read(const std::string& text, Purpose purpose = Purpose::gap, const std::string& occasion = {},
                                 core::SystemTime seen = kSeen) {
    const auto document = json::Document::parse(text);
    REQUIRE(document);
    return order_as_events("eu", document->root(), seen, purpose, occasion);
}

}  // namespace

TEST_CASE("order events: the snapshot, its refund and the refund's money leave as events of their own",
          "[reconciliation][unit]") {
    const auto events = read(order_with("SUCCESS"));
    INFO((events ? std::string() : events.error().message));
    REQUIRE(events);
    const auto& order = dynamic_cast<const OrderChanged&>(*events->snapshot.event);
    CHECK(order.cause() == CAUSE_RECONCILED);
    CHECK(order.order().fetched());
    CHECK(events->snapshot.key == "eu/5001");
    CHECK(events->updated_at == core::parse_rfc3339("2026-11-20T11:00:00Z").value());
    REQUIRE(events->facts.size() == 2);
    const auto& refund = dynamic_cast<const RefundRecorded&>(*events->facts[0].event.event);
    CHECK(refund.shop() == "eu");
    CHECK(refund.refund().refund_id() == 71);
    CHECK(refund.refund().order_id() == 5001);
    REQUIRE(refund.personal_data().clear().refund_notes_size() == 1);
    CHECK(refund.personal_data().clear().refund_notes(0).note() == "broken");
    const auto& money_moved = dynamic_cast<const PaymentTransactionRecorded&>(*events->facts[1].event.event);
    CHECK(money_moved.transaction().kind() == "refund");
    CHECK(events->facts[1].state == "TRANSACTION_STATUS_SUCCESS");
    CHECK(events->facts[1].event.key == "eu/5001");
}

TEST_CASE("order events: the same state has the same ids, whenever it is fetched; another one has others",
          "[reconciliation][unit]") {
    const auto first = read(order_with("PENDING"));
    const auto later = read(order_with("PENDING"), Purpose::gap, {}, kSeen + std::chrono::hours{1});
    const auto settled = read(order_with("SUCCESS"));
    REQUIRE((first && later && settled));
    CHECK(first->snapshot.id == later->snapshot.id);
    CHECK(first->facts[0].event.id == later->facts[0].event.id);
    CHECK(first->facts[1].event.id == later->facts[1].event.id);
    CHECK(first->facts[1].event.id != settled->facts[1].event.id);
    CHECK(first->facts[1].state != settled->facts[1].state);
    CHECK(first->snapshot.id != read(order_with("PENDING"), Purpose::backfill)->snapshot.id);
    CHECK(first->snapshot.id != read(order_with("PENDING"), Purpose::gap, "still there")->snapshot.id);
    CHECK(confirmed_deletion("eu", 1, kSeen).id == confirmed_deletion("eu", 1, kSeen + std::chrono::hours{1}).id);
    CHECK(confirmed_deletion("eu", 1, kSeen).id != confirmed_deletion("us", 1, kSeen).id);
}

TEST_CASE("order events: an order that cannot be read is an error that names the member", "[reconciliation][unit]") {
    auto text = order_with("SUCCESS");
    text.replace(text.find(R"("currencyCode":"EUR","taxes)"), 21, R"("currencyCode":12345,)");
    const auto events = read(text);
    REQUIRE_FALSE(events);
    CHECK(events.error().kind == core::ErrorKind::malformed);
}
