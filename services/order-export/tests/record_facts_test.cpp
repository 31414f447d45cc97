#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

Outcome assess(World& world, RiskLevel level, std::string_view code = {}) {
    return world.run(
        [&](kit::Delivery& d) {
            return world.assess_risk.run({.key = an_order().key, .provider = {}, .level = level, .observed = {}}, d);
        },
        code);
}

Outcome remove(World& world, std::string_view code = {}, bool confirmed = false, std::int64_t observed_ns = 500) {
    const ToldDeletion told{.key = an_order().key, .confirmed = confirmed, .observed_ns = observed_ns};
    return world.run([&](kit::Delivery& d) { return world.delete_order.run(told, d); }, code);
}

Order later(std::int64_t updated, std::string_view quantity = "2", std::string_view total = "30") {
    auto order = an_order();
    order.version.updated_ns = updated;
    order.lines[0].quantity = order.lines[0].current_quantity = dec(quantity);
    order.total = order.current_total = dec(total);
    return order;
}

}  // namespace

TEST_CASE("order-export: a high risk is a hold of its fact and keeps every later snapshot unconfirmed", "[order-export][unit]") {
    World world;
    CHECK(words(assess(world, RiskLevel::high)) == "failed needs_decision risk_high");
    CHECK(words(world.deliver(an_order())) == "done");
    CHECK(world.document().state == DocumentState::quotation);
    CHECK(words(world.deliver(later(200, "3", "42"))) == "done");
    CHECK(world.document().state == DocumentState::quotation);
    CHECK(words(assess(world, RiskLevel::high, "risk_high")) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
}

TEST_CASE("order-export: the worst of several assessments counts", "[order-export][unit]") {
    World world;
    static_cast<void>(world.run([&](kit::Delivery& d) {
        return world.assess_risk.run({.key = an_order().key, .provider = "app", .level = RiskLevel::high, .observed = {}}, d);
    }));
    CHECK(words(assess(world, RiskLevel::low)) == "failed needs_decision risk_high");
}

TEST_CASE("order-export: a risk that would hold an order holds it before it is paid", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.financial_status = FinancialStatus::pending;
    CHECK(words(world.deliver(order)) == "done");
    CHECK(words(assess(world, RiskLevel::high)) == "failed needs_decision risk_high");
    CHECK(world.document().state == DocumentState::quotation);
    // Accepting the risk does not stand in for the payment.
    CHECK(words(assess(world, RiskLevel::high, "risk_high")) == "done");
    CHECK(world.document().state == DocumentState::quotation);
    auto paid = later(200);
    paid.financial_status = FinancialStatus::paid;
    CHECK(words(world.deliver(paid)) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
}

TEST_CASE("order-export: a low risk of an unpaid order is no hold and confirms nothing", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.financial_status = FinancialStatus::pending;
    CHECK(words(world.deliver(order)) == "done");
    CHECK(words(assess(world, RiskLevel::low)) == "done");
    CHECK(world.document().state == DocumentState::quotation);
}

TEST_CASE("order-export: a low risk confirms the quotation that waited for it", "[order-export][unit]") {
    World world;
    world.rules->confirm.risk_wait = 600s;
    CHECK(words(world.deliver(an_order())) == "until risk_silence");
    CHECK(words(assess(world, RiskLevel::low)) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
    CHECK(world.results.exported == std::vector{ExportAction::created, ExportAction::confirmed});
    CHECK(words(assess(world, RiskLevel::low)) == "skip already_confirmed");
}

TEST_CASE("order-export: an unconfirmed deletion is held and later snapshots go on being applied", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    CHECK(words(remove(world)) == "failed needs_decision deletion_unconfirmed");
    CHECK(words(world.deliver(later(200, "3", "42"))) == "done");
    CHECK(world.document().lines.at("line_91").quantity == dec("3"));
}

TEST_CASE("order-export: a confirmed deletion cancels an untouched document and is terminal", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    CHECK(words(remove(world, "deletion_unconfirmed")) == "done");
    CHECK(world.document().state == DocumentState::cancelled);
    CHECK(words(world.deliver(later(200, "3", "42"))) == "skip deleted");
    CHECK(words(remove(world)) == "skip deleted");
}

TEST_CASE("order-export: a confirmed deletion leaves a delivered document alone", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    world.document().delivered = true;
    CHECK(words(remove(world, {}, true)) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
    CHECK(words(world.deliver(later(200))) == "skip deleted");
}

TEST_CASE("order-export: a deletion ends by a snapshot that was fetched later, and by nothing less", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    auto again = later(200);
    again.version.observed_ns = 600;
    static_cast<void>(world.deliver(again));
    // A webhook seen later may be an old one that was late.
    CHECK(words(remove(world)) == "failed needs_decision deletion_unconfirmed");
    auto before = later(300);
    before.version.observed_ns = 400;
    before.version.fetched = true;
    static_cast<void>(world.deliver(before));
    CHECK(words(remove(world)) == "failed needs_decision deletion_unconfirmed");
    auto fetched = later(300);
    fetched.version.observed_ns = 700;
    fetched.version.fetched = true;
    static_cast<void>(world.deliver(fetched));
    CHECK(words(remove(world)) == "skip order_still_there");
    CHECK(world.document().state == DocumentState::confirmed);
    // Deleted after all, later.
    CHECK(words(remove(world, {}, false, 800)) == "failed needs_decision deletion_unconfirmed");
    CHECK(words(remove(world, {}, true, 900)) == "done");
    CHECK(words(remove(world, {}, false, 800)) == "skip deleted");
}

TEST_CASE("order-export: what a held deletion waits for names the order", "[order-export][unit]") {
    CHECK(awaited_deletion(deletion_key(an_order().key)) == an_order().key);
    for (const auto* other : {"", "deletion:", "deletion:eu", "deletion:eu/", "deletion:eu/x", "money:eu/5001/1"}) {
        CHECK_FALSE(awaited_deletion(other));
    }
}

TEST_CASE("order-export: payments of orders are skipped, their state is in the snapshots", "[order-export][unit]") {
    World world;
    CHECK(words(world.run([&](kit::Delivery& d) {
              return world.record_money.run(an_order().key, 1, false, MoneyState::success, d);
          })) == "skip payment_not_needed");
}
