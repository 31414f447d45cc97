#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

Refund a_refund(MoneyState money = MoneyState::success) {
    Refund refund;
    refund.id = core::RefundId(77);
    refund.lines.push_back(
        {.id = 1, .line = LineId(91), .quantity = dec("1"), .subtotal = dec("10"), .tax = dec("2"), .restocked = true});
    refund.transactions.push_back({.id = 900, .state = money, .shop_amount = dec("12")});
    return refund;
}

}  // namespace

TEST_CASE("order-export: a refund that comes before its order waits for it", "[order-export][unit]") {
    World world;
    CHECK(words(world.deliver(an_order().key, a_refund())) == "failed not_ready order_not_exported_yet");
    static_cast<void>(world.deliver(an_order()));
    CHECK(words(world.deliver(an_order().key, a_refund())) == "done");
    CHECK(world.erp.notes.at("eu_refund_77").posted);
}

TEST_CASE("order-export: a refund is one posted credit note, however often it comes and whatever is lost",
          "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    for (int i = 0; i < 5; ++i) {
        world.erp.lose_answers = i < 3 ? 1 : 0;
        static_cast<void>(world.deliver(an_order().key, a_refund()));
    }
    CHECK(world.erp.notes.size() == 1);
    CHECK(world.erp.notes.at("eu_refund_77").posted);
    CHECK(words(world.deliver(an_order().key, a_refund())) == "skip already_exported");
    CHECK(world.results.refunds == std::vector<std::string>{"77 12"});
}

TEST_CASE("order-export: a refund inside a snapshot and as a fact is one credit note", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    auto later = an_order();
    later.version.updated_ns = 200;
    later.lines[0].current_quantity = dec("1");
    later.refunds.push_back(a_refund());
    CHECK(words(world.deliver(later)) == "skip unchanged");
    CHECK(world.erp.notes.size() == 1);
    CHECK(words(world.deliver(later.key, a_refund())) == "skip already_exported");
    CHECK(world.erp.count("post") == 1);
}

TEST_CASE("order-export: pending money holds the refund and not the snapshot that carries it", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.refunds.push_back(a_refund(MoneyState::pending));
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.erp.notes.empty());
    CHECK(world.ledger.entries.at(order.key).refund(core::RefundId(77))->code == "refund_money_pending");
    CHECK(words(world.deliver(order.key, a_refund(MoneyState::pending))) == "failed needs_decision refund_money_pending");
    // Success is reported by the transaction itself.
    static_cast<void>(
        world.run([&](kit::Delivery& d) { return world.record_money.run(order.key, 900, true, MoneyState::success, d); }));
    CHECK(words(world.deliver(order.key, a_refund(MoneyState::pending))) == "done");
    CHECK(world.erp.notes.at("eu_refund_77").posted);
}

TEST_CASE("order-export: a credit note whose total differs is held as a draft with both figures", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    world.erp.skew = dec("-0.5");
    const auto outcome = world.deliver(an_order().key, a_refund());
    CHECK(words(outcome) == "failed needs_decision refund_totals_differ");
    CHECK(error_of(outcome).figures.found == "11.5");
    CHECK(!world.erp.notes.at("eu_refund_77").posted);
    CHECK(words(world.deliver(an_order().key, a_refund(), "refund_totals_differ")) == "done");
    CHECK(world.erp.notes.at("eu_refund_77").posted);
}

TEST_CASE("order-export: refunds of orders that are not exported are skipped", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.test = true;
    static_cast<void>(world.deliver(order));
    CHECK(words(world.deliver(order.key, a_refund())) == "skip order_not_exported");
}

TEST_CASE("order-export: a target that goes down between order and refund repeats the snapshot without harm",
          "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.refunds.push_back(a_refund());
    // The sixth call is the credit note's creation: party lookup and creation, order, read, confirmation come before.
    world.erp.refuse = {};
    const auto first = world.run([&](kit::Delivery& d) {
        auto outcome = world.export_order.run(an_order(), d);
        return outcome;
    });
    CHECK(first.ok());
    order.version.updated_ns = 200;
    world.erp.refuse = {Error{.kind = ErrorKind::transient, .code = "connection_refused", .message = "down"}};
    CHECK(words(world.deliver(order)) == "failed transient connection_refused");
    CHECK(words(world.deliver(order)) == "skip unchanged");
    CHECK(world.erp.notes.size() == 1);
    CHECK(world.erp.orders.size() == 1);
}
