#include "domain/trouble.h"

#include <catch2/catch_test_macros.hpp>

using namespace helpdesk_sync;

namespace {

Statement say(StatementKind kind, std::int64_t version, std::string code = {}, std::string waits_for = {},
              std::string subject = {}) {
    return {.kind = kind,
            .order = {.shop = core::ShopAlias("eu"), .id = core::OrderId(1)},
            .connection = "odoo-main",
            .version = {.updated_ns = version, .observed_ns = 0, .said_ns = 0},
            .subject = std::move(subject),
            .code = std::move(code),
            .waits_for = std::move(waits_for),
            .document_state = {}};
}

void learn(Standings& known, const std::vector<Change>& changes) {
    for (const auto& change : changes) {
        known[change.subject] = change.now;
    }
}

}  // namespace

TEST_CASE("trouble: a hold is a cause, its end touches the same cause", "[helpdesk-sync][unit]") {
    Standings known;
    const auto held = take(known, say(StatementKind::held, 1, "tax_unmapped", "tax:FR/3.3/incl"));
    REQUIRE(held.size() == 1);
    const Cause cause{
        .connection = "odoo-main", .trouble = Trouble::order_held, .code = "tax_unmapped", .waits_for = "tax:FR/3.3/incl"};
    CHECK(held[0].touched() == std::vector{cause});
    learn(known, held);
    const auto healed = take(known, say(StatementKind::exported, 2));
    REQUIRE(healed.size() == 1);
    CHECK_FALSE(healed[0].now.cause);
    CHECK(healed[0].touched() == std::vector{cause});
}

TEST_CASE("trouble: an arrival of what was never in trouble is no news", "[helpdesk-sync][unit]") {
    CHECK(take({}, say(StatementKind::exported, 1)).empty());
    CHECK(take({}, say(StatementKind::hold_ended, 1)).empty());
    CHECK(take({}, say(StatementKind::refund_exported, 1, {}, {}, "refund/7")).empty());
}

TEST_CASE("trouble: what is older, or says the same again, is no news", "[helpdesk-sync][unit]") {
    Standings known;
    learn(known, take(known, say(StatementKind::held, 5, "totals_differ")));
    CHECK(take(known, say(StatementKind::exported, 4)).empty());
    CHECK(take(known, say(StatementKind::held, 6, "totals_differ")).empty());
    CHECK(take(known, say(StatementKind::held, 6, "product_unmapped", "product:A")).size() == 1);
}

TEST_CASE("trouble: another cause touches the one before and the new one", "[helpdesk-sync][unit]") {
    Standings known;
    learn(known, take(known, say(StatementKind::held, 1, "tax_unmapped", "tax:FR/3.3/incl")));
    const auto changed = take(known, say(StatementKind::failed, 2, "record_refused"));
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].touched().size() == 2);
    learn(known, changed);
    // The end of the hold that came before says nothing of the refusal.
    CHECK(take(known, say(StatementKind::hold_ended, 3)).empty());
    CHECK(take(known, say(StatementKind::exported, 4)).size() == 1);
}

TEST_CASE("trouble: refunds and facts of one order stand beside its export", "[helpdesk-sync][unit]") {
    Standings known;
    learn(known, take(known, say(StatementKind::refund_held, 1, "money_missing", "money:eu/1/99", "refund/7")));
    learn(known, take(known, say(StatementKind::held, 1, "risk_high", {}, "risk")));
    CHECK(known.size() == 2);
    auto confirmed = say(StatementKind::exported, 2);
    confirmed.document_state = "sale";
    const auto changes = take(known, confirmed);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].subject == "risk");
    const auto failed = take(known, say(StatementKind::refund_failed, 3, "note_refused", {}, "refund/7"));
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].now.cause->trouble == Trouble::refund_failed);
}

TEST_CASE("trouble: what waits for something of its own order shares the kind, not the order", "[helpdesk-sync][unit]") {
    auto other = say(StatementKind::refund_held, 1, "money_missing", "money:eu/2/98", "refund/8");
    other.order.id = core::OrderId(2);
    const auto one = take({}, say(StatementKind::refund_held, 1, "money_missing", "money:eu/1/99", "refund/7"));
    CHECK(one[0].now.cause == take({}, other)[0].now.cause);
    CHECK(one[0].now.cause->waits_for == "money");
}

TEST_CASE("trouble: ids of causes are plain and differ where a part moves from one member to the next", "[helpdesk-sync][unit]") {
    const Cause a{.connection = "odoo", .trouble = Trouble::order_held, .code = "ab", .waits_for = "c"};
    auto b = a;
    b.code = "a";
    b.waits_for = "bc";
    CHECK(a.id() != b.id());
    CHECK(a.id().size() == 24);
    CHECK(a.id() == Cause(a).id());
    CHECK(trouble_from(to_string(Trouble::refund_failed)) == Trouble::refund_failed);
    CHECK_FALSE(trouble_from("none"));
}
