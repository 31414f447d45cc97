#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

Order newer(Order order, std::int64_t updated = 200) {
    order.version.updated_ns = updated;
    return order;
}

Order with_quantity(Order order, std::string_view quantity, std::string_view total) {
    order.lines[0].quantity = dec(quantity);
    order.lines[0].current_quantity = dec(quantity);
    order.total = dec(total);
    order.current_total = dec(total);
    return order;
}

}  // namespace

TEST_CASE("order-export: a target that is down records nothing and creates nothing", "[order-export][unit]") {
    World world;
    world.erp.refuse = {Error{.kind = ErrorKind::transient, .code = "connection_refused", .message = "down"}};
    CHECK(words(world.deliver(an_order())) == "failed transient connection_refused");
    CHECK(world.erp.orders.empty());
    CHECK(world.ledger.entries.empty());
    CHECK(world.results.exported.empty());
}

TEST_CASE("order-export: a slow target whose lease runs out is not written to", "[order-export][unit]") {
    World world;
    const auto outcome = world.run([&](kit::Delivery& d) {
        static_cast<FakeDelivery&>(d).lease = 0s;
        return world.export_order.run(an_order(), d);
    });
    CHECK(words(outcome) == "failed conflict lease_expired");
    CHECK(world.erp.parties.empty());
    CHECK(world.erp.orders.empty());
}

TEST_CASE("order-export: an answer lost after the target accepted gives one document when the event comes again",
          "[order-export][unit]") {
    World world;
    const auto order = an_order();
    for (int lost = 0; lost < 6; ++lost) {
        world.erp.lose_answers = 1;
        const auto outcome = world.deliver(order);
        if (outcome.ok()) {
            break;
        }
        CHECK(words(outcome) == "failed unknown_outcome no_answer");
    }
    world.erp.lose_answers = 0;
    static_cast<void>(world.deliver(order));
    CHECK(world.erp.orders.size() == 1);
    CHECK(world.erp.parties.size() == 3);
    CHECK(world.document().state == DocumentState::confirmed);
    CHECK(words(world.deliver(order)) == "skip unchanged");
}

TEST_CASE("order-export: a crash between the effect and the closing transaction leaves one document and one result",
          "[order-export][unit]") {
    World world;
    world.crash_before_closing = true;
    CHECK(words(world.deliver(an_order())) == "done");
    CHECK(world.ledger.entries.empty());
    world.crash_before_closing = false;
    CHECK(words(world.deliver(an_order())) == "done");
    CHECK(world.erp.orders.size() == 1);
    CHECK(world.ledger.entries.at(an_order().key).state == DocumentState::confirmed);
}

TEST_CASE("order-export: an older snapshot that comes late is superseded and calls nobody", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(newer(with_quantity(an_order(), "3", "42"))));
    world.erp.calls.clear();
    CHECK(words(world.deliver(an_order())) == "skip superseded");
    CHECK(world.erp.calls.empty());
    CHECK(world.document().lines.at("line_91").quantity == dec("3"));
}

TEST_CASE("order-export: a snapshot that came again, or says the same in a newer version, calls nobody", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    world.erp.calls.clear();
    CHECK(words(world.deliver(an_order())) == "skip unchanged");
    CHECK(words(world.deliver(newer(an_order()))) == "skip unchanged");
    CHECK(world.erp.calls.empty());
    CHECK(world.ledger.entries.at(an_order().key).version->updated_ns == 200);
    CHECK(world.results.exported.size() == 1);
}

TEST_CASE("order-export: a state that comes back is written again", "[order-export][unit]") {
    World world;
    auto unpaid = an_order();
    unpaid.financial_status = FinancialStatus::pending;
    static_cast<void>(world.deliver(unpaid));
    CHECK(words(world.deliver(newer(with_quantity(unpaid, "3", "42"), 200))) == "done");
    CHECK(words(world.deliver(newer(unpaid, 300))) == "done");
    CHECK(world.document().lines.at("line_91").quantity == dec("2"));
    CHECK(world.erp.orders.size() == 1);
}

TEST_CASE("order-export: of two contents of one version the last arrival is written, and counted undecidable",
          "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    CHECK(words(world.deliver(with_quantity(an_order(), "3", "42"))) == "done");
    CHECK(world.document().lines.at("line_91").quantity == dec("3"));
    CHECK(world.results.ties == 1);
    CHECK(world.erp.orders.size() == 1);
}

TEST_CASE("order-export: a document with a newer stamp is left alone", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    // Another owner has written version 900; this one knows nothing of it.
    auto& document = world.document();
    document.stamp = "eu #1001 [syncline 900.1p/0123456789ab]";
    CHECK(words(world.deliver(newer(with_quantity(an_order(), "3", "42")))) == "skip superseded");
    CHECK(document.lines.at("line_91").quantity == dec("2"));
}

TEST_CASE("order-export: verification writes again what an older owner overwrote", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.financial_status = FinancialStatus::pending;
    static_cast<void>(world.deliver(order));
    static_cast<void>(world.deliver(newer(with_quantity(order, "3", "42"))));
    auto& document = world.document();
    document.lines.at("line_91").quantity = dec("2");
    document.stamp = "eu #1001 [syncline 100.1p/000000000000]";
    CHECK(words(world.deliver_verify(newer(with_quantity(order, "3", "42")))) == "done");
    CHECK(document.lines.at("line_91").quantity == dec("3"));
}

TEST_CASE("order-export: totals above the allowance hold the order with both figures and leave it unconfirmed",
          "[order-export][unit]") {
    World world;
    world.erp.skew = dec("0.03");
    const auto outcome = world.deliver(an_order());
    CHECK(words(outcome) == "failed needs_decision totals_differ");
    CHECK(error_of(outcome).figures == core::Figures{.expected = "30", .found = "30.03", .currency = "EUR"});
    CHECK(world.document().state == DocumentState::quotation);
    CHECK(world.results.refused == std::vector<std::string>{"totals_differ"});
}

TEST_CASE("order-export: a difference within the allowance is accepted", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    order.current_total = dec("30");
    world.erp.skew = dec("0.02");
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.erp.count("round") == 0);
    CHECK(world.document().state == DocumentState::confirmed);
}

TEST_CASE("order-export: a difference within the allowance is closed by one rounding line where configured",
          "[order-export][unit]") {
    World world;
    world.rules->totals.within_allowance = Difference::rounding_line;
    auto order = an_order();
    order.financial_status = FinancialStatus::pending;
    order.total = dec("30");
    order.current_total = dec("30");
    world.erp.skew = dec("0.02");
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.erp.total(world.document()) == dec("30"));
    CHECK(world.document().lines.at("rounding").unit_price == dec("-0.02"));
    // A change that needs no rounding takes it back to zero instead of adding to it.
    world.erp.skew = {};
    CHECK(words(world.deliver(newer(with_quantity(order, "3", "42")))) == "done");
    CHECK(world.erp.total(world.document()) == dec("42"));
}

TEST_CASE("order-export: a person may accept totals that differ", "[order-export][unit]") {
    World world;
    world.erp.skew = dec("7");
    CHECK(!world.deliver(an_order()).ok());
    CHECK(words(world.deliver(an_order(), "totals_differ")) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
    CHECK(world.erp.orders.size() == 1);
}

TEST_CASE("order-export: a document in another currency is a hold", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    order.financial_status = FinancialStatus::pending;
    static_cast<void>(world.deliver(order));
    world.document().currency = "USD";
    CHECK(words(world.deliver(newer(with_quantity(order, "3", "42")))) == "failed needs_decision currency_differs");
}

TEST_CASE("order-export: what was delivered, invoiced or locked is not changed", "[order-export][unit]") {
    for (const auto& [member, code] : {std::pair{&FakeErp::Document::delivered, "document_delivered"},
                                       std::pair{&FakeErp::Document::invoiced, "document_invoiced"},
                                       std::pair{&FakeErp::Document::locked, "document_locked"}}) {
        World world;
        auto order = an_order();
        order.total = dec("30");
        static_cast<void>(world.deliver(order));
        world.document().*member = true;
        CHECK(words(world.deliver(newer(with_quantity(order, "3", "42")))) == std::string("failed needs_decision ") + code);
        CHECK(world.document().lines.at("line_91").quantity == dec("2"));
        auto cancelled = newer(order, 300);
        cancelled.cancelled = true;
        CHECK(words(world.deliver(cancelled)) == std::string("failed needs_decision ") + code);
        CHECK(world.document().state == DocumentState::confirmed);
    }
}

TEST_CASE("order-export: a document that has vanished is a hold, not a new creation", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    static_cast<void>(world.deliver(order));
    world.erp.orders.clear();
    CHECK(words(world.deliver(newer(with_quantity(order, "3", "42")))) == "failed needs_decision document_vanished");
    CHECK(world.erp.orders.empty());
}

TEST_CASE("order-export: a document cancelled by hand is a hold", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    static_cast<void>(world.deliver(order));
    world.document().state = DocumentState::cancelled;
    CHECK(words(world.deliver(newer(with_quantity(order, "3", "42")))) == "failed needs_decision document_cancelled");
}

TEST_CASE("order-export: an order cancelled before its export is not created, by default", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    order.cancelled = true;
    CHECK(words(world.deliver(order)) == "skip cancelled_before_export");
    CHECK(world.erp.orders.empty());
    auto placed = order;
    placed.cancelled = false;
    placed.version.updated_ns = 50;
    CHECK(words(world.deliver(placed)) == "skip superseded");
}

TEST_CASE("order-export: an order cancelled while its document is held cancels that document", "[order-export][unit]") {
    World world;
    world.erp.skew = dec("7");
    CHECK(words(world.deliver(an_order())) == "failed needs_decision totals_differ");
    auto cancelled = newer(an_order());
    cancelled.cancelled = true;
    CHECK(words(world.deliver(cancelled)) == "done");
    CHECK(world.document().state == DocumentState::cancelled);
}

TEST_CASE("order-export: with `cancelled: true` an order cancelled before its export becomes a cancelled document",
          "[order-export][unit]") {
    World world;
    world.rules->create_cancelled = true;
    auto order = an_order();
    order.total = dec("30");
    order.cancelled = true;
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.document().state == DocumentState::cancelled);
    CHECK(world.erp.count("confirm") == 0);
}

TEST_CASE("order-export: a cancelled order cancels its document once", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    static_cast<void>(world.deliver(order));
    order.cancelled = true;
    CHECK(words(world.deliver(newer(order))) == "done");
    CHECK(world.document().state == DocumentState::cancelled);
    CHECK(words(world.deliver(newer(order, 300))) == "skip unchanged");
    CHECK(world.erp.count("cancel") == 1);
}

TEST_CASE("order-export: excluded orders are skipped with their reason and remembered", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.test = true;
    CHECK(words(world.deliver(order)) == "skip test_order");
    CHECK(world.erp.calls.empty());
    CHECK(world.ledger.entries.at(order.key).state == DocumentState::excluded);
}

TEST_CASE("order-export: a missing product names what it waits for", "[order-export][unit]") {
    World world;
    world.rules->products.clear();
    const auto outcome = world.deliver(an_order());
    CHECK(words(outcome) == "failed mapping_missing product_unmapped");
    CHECK(error_of(outcome).waits_for == "product:SKU-1");
    CHECK(world.erp.orders.empty());
    world.erp.products[core::Sku("SKU-1")] = "733";
    auto order = an_order();
    order.total = dec("30");
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.document().lines.at("line_91").product == "733");
}

TEST_CASE("order-export: an unpaid order stays a quotation until it is paid", "[order-export][unit]") {
    World world;
    auto order = an_order();
    order.total = dec("30");
    order.financial_status = FinancialStatus::pending;
    CHECK(words(world.deliver(order)) == "done");
    CHECK(world.document().state == DocumentState::quotation);
    order.financial_status = FinancialStatus::paid;
    CHECK(words(world.deliver(newer(order))) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
    CHECK(world.results.exported == std::vector{ExportAction::created, ExportAction::confirmed});
    // The date that confirmation overwrites is the order's again.
    CHECK(world.document().ordered_at == order.placed_at);
}

TEST_CASE("order-export: an order waits for its risk and is confirmed after the silence", "[order-export][unit]") {
    World world;
    world.rules->confirm.risk_wait = 600s;
    auto order = an_order();
    order.total = dec("30");
    CHECK(words(world.deliver(order)) == "until risk_silence");
    CHECK(world.document().state == DocumentState::quotation);
    world.clock.advance(599s);
    CHECK(words(world.deliver_timer(order)) == "until risk_silence");
    world.clock.advance(2s);
    CHECK(words(world.deliver_timer(order)) == "done");
    CHECK(world.document().state == DocumentState::confirmed);
}

TEST_CASE("order-export: a hundred orders of one customer make one contact", "[order-export][unit]") {
    World world;
    for (std::uint64_t id = 1; id <= 100; ++id) {
        auto order = an_order(id);
        order.total = dec("30");
        CHECK(words(world.deliver(order)) == "done");
    }
    CHECK(world.erp.count("create_party") == 1);
    CHECK(world.erp.orders.size() == 100);
}

TEST_CASE("order-export: a contact that another order is creating sends this one back without a call", "[order-export][unit]") {
    World world;
    world.busy.insert("syncline.eu_customer_77");
    CHECK(words(world.deliver(an_order())) == "failed conflict intent_busy");
    CHECK(world.erp.calls.empty());
}

TEST_CASE("order-export: a contact with the same e-mail is taken instead of made", "[order-export][unit]") {
    World world;
    world.erp.emails["ann@example.com"] = "42";
    auto order = an_order();
    order.total = dec("30");
    CHECK(words(world.deliver(order)) == "done");
    CHECK(!world.erp.parties.contains("eu_customer_77"));
    CHECK(world.erp.parties.size() == 2);
}

TEST_CASE("order-export: two buyers with one e-mail share one contact, also when the first is only just making it",
          "[order-export][unit]") {
    World world;
    auto guest = an_order(5002);
    guest.buyer.customer_id = 0;
    const auto plan = plan_contacts(guest, *world.rules, "k");
    world.busy.insert("syncline." + plan.email_key);
    CHECK(words(world.deliver(an_order())) == "failed conflict intent_busy");
    CHECK(world.erp.parties.empty());
    world.busy.clear();
    CHECK(words(world.deliver(guest)) == "done");
    world.erp.emails["ann@example.com"] = world.erp.parties.at(plan.external_name);
    CHECK(words(world.deliver(an_order())) == "done");
    CHECK(!world.erp.parties.contains("eu_customer_77"));
}

TEST_CASE("order-export: a remembered contact that was deleted in the target is asked for again", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order(1)));
    world.erp.parties.clear();
    world.erp.refuse = {Error{.kind = ErrorKind::rejected, .code = "unknown_reference", .message = "gone"}};
    CHECK(words(world.deliver(an_order(2))) == "failed conflict unknown_reference");
    CHECK(words(world.deliver(an_order(2))) == "done");
    CHECK(world.erp.parties.contains("eu_customer_77"));
}
