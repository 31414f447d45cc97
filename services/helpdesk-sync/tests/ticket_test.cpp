#include "domain/ticket.h"

#include <catch2/catch_test_macros.hpp>

using namespace helpdesk_sync;
using namespace std::chrono_literals;

namespace {

constexpr core::SystemTime kNow{1'763'800'000s};
const Pace kPace{.update_every = 120s, .reopen_within = 24h};
const Affected kNobody{};
const Affected kOne{.orders = 1, .some = {"eu/1"}};
const Affected kTwo{.orders = 2, .some = {"eu/1", "us/1"}};
const Cause kTax{
    .connection = "odoo-main", .trouble = Trouble::order_held, .code = "tax_unmapped", .waits_for = "tax:FR/3.3/incl"};

Ticket opened(const Affected& affected = kOne) {
    return after({}, Action::create, affected, 7, kNow);
}

}  // namespace

TEST_CASE("ticket: the first order of a cause makes it, the same again writes nothing", "[helpdesk-sync][unit]") {
    CHECK(next_action({}, kNobody, kPace, kNow) == Action::nothing);
    CHECK(next_action({}, kOne, kPace, kNow) == Action::create);
    const auto ticket = opened();
    CHECK(ticket.id == 7);
    CHECK(ticket.episode == 1);
    CHECK(next_action(ticket, kOne, kPace, kNow + 1h) == Action::nothing);
}

TEST_CASE("ticket: more orders are told, but not before the ticket may be written again", "[helpdesk-sync][unit]") {
    const auto ticket = opened();
    CHECK(not_before(ticket, kPace, kNow + 1s) == kNow + 120s);
    CHECK_FALSE(not_before(ticket, kPace, kNow + 120s));
    CHECK_FALSE(not_before({}, kPace, kNow));
    CHECK(next_action(ticket, kTwo, kPace, kNow + 120s) == Action::comment);
    const auto told = after(ticket, Action::comment, kTwo, 7, kNow + 120s);
    CHECK(told.told == "2 orders: eu/1, us/1");
    CHECK(told.revision == ticket.revision + 1);
    CHECK(told.episode == 1);
}

TEST_CASE("ticket: a storm that was there before the ticket is told after it", "[helpdesk-sync][unit]") {
    CHECK(next_action(opened(kTwo), kTwo, kPace, kNow + 120s) == Action::comment);
}

TEST_CASE("ticket: it is solved when nothing waits, and opened again when its cause is back soon", "[helpdesk-sync][unit]") {
    CHECK(next_action(opened(), kNobody, kPace, kNow + 120s) == Action::solve);
    const auto solved = after(opened(), Action::solve, kNobody, 7, kNow);
    CHECK(solved.state == TicketState::solved);
    CHECK(next_action(solved, kNobody, kPace, kNow + 1h) == Action::nothing);
    CHECK(next_action(solved, kTwo, kPace, kNow + 23h) == Action::reopen);
    CHECK(next_action(solved, kTwo, kPace, kNow + 25h) == Action::create);
    CHECK(after(solved, Action::create, kTwo, 8, kNow + 25h).episode == 2);
}

TEST_CASE("ticket: one that a person closed is followed by another while something waits", "[helpdesk-sync][unit]") {
    const auto closed = lost(opened(), false);
    CHECK(next_action(closed, kOne, kPace, kNow) == Action::create);
    CHECK_FALSE(not_before(closed, kPace, kNow));
    CHECK(next_action(closed, kNobody, kPace, kNow) == Action::nothing);
    CHECK(closed.id == 7);
    CHECK(lost(opened(), true).id == 0);
}

TEST_CASE("ticket: the opening is the same for every try, a comment ends with its mark", "[helpdesk-sync][unit]") {
    const OrderKey order{.shop = core::ShopAlias("eu"), .id = core::OrderId(1)};
    CHECK(opening(kTax, order, 0) == opening(kTax, order, 0));
    CHECK(opening(kTax, order, 0).contains("tax:FR/3.3/incl"));
    CHECK(opening(kTax, order, 5).ends_with("#5"));
    CHECK(subject_of(kTax) == "Orders wait at odoo-main: tax:FR/3.3/incl");
    const auto key = external_id("main", kTax, 2);
    CHECK(key == "syncline.main." + kTax.id() + ".2");
    const auto mark = mark_of(key, 3);
    CHECK(comment_for(Action::solve, kNobody, mark).ends_with(mark));
    CHECK(mark_of(key, 3) != mark_of(key, 33));
    CHECK(comment_for(Action::comment, kTwo, mark).contains("2 orders: eu/1, us/1"));
}

TEST_CASE("ticket: of many orders some are named and all are counted", "[helpdesk-sync][unit]") {
    CHECK(summary(kOne) == "1 order: eu/1");
    CHECK(summary({.orders = 300, .some = {"eu/1", "eu/2"}}) == "300 orders: eu/1, eu/2 and 298 more");
}
