#include "domain/status.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace order_status;

namespace {

Statement exported(std::int64_t updated, std::int64_t said, const std::string& state = "draft") {
    return {.kind = StatementKind::exported,
            .version = {.updated_ns = updated, .observed_ns = 0, .said_ns = said},
            .document = {.reference = "7", .name = "S00007", .state = state}};
}
Statement held(std::int64_t updated, std::int64_t said, const std::string& waits_for = "tax:FR/20.0/incl") {
    return {.kind = StatementKind::held,
            .version = {.updated_ns = updated, .observed_ns = 0, .said_ns = said},
            .code = "mapping_missing",
            .waits_for = waits_for};
}
Statement progress(std::int64_t updated, std::int64_t said, const std::string& state, const std::string& invoicing,
                   const std::string& delivery) {
    return {.kind = StatementKind::document_changed,
            .version = {.updated_ns = updated, .observed_ns = 0, .said_ns = said},
            .document = {.reference = "7", .name = "S00007", .state = state},
            .invoicing = invoicing,
            .delivery = delivery};
}

// An order on which `connection` has said those things in that order, and everything was written.
OrderStatus shown(const std::string& connection, const std::vector<Statement>& statements, const TagNames& names = {}) {
    OrderStatus order{.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(5)}};
    for (const auto& statement : statements) {
        (void)take(order.connections[connection], statement);
        mark_shown(order, connection, names);
    }
    return order;
}

std::vector<std::string> texts(const Change& change) {
    std::vector<std::string> out;
    for (const auto& field : change.fields) {
        out.push_back(field.key + "=" + field.value);
    }
    std::ranges::sort(out);
    return out;
}

bool says(const Change& change, const std::string& text) {
    const auto all = texts(change);
    return std::ranges::find(all, text) != all.end();
}

}  // namespace

TEST_CASE("order-status: an exported order shows document, reference, state, connection and the time", "[unit]") {
    OrderStatus order{.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(5)}};
    REQUIRE(take(order.connections["odoo-main"], exported(1, 1'700'000'000'123'456'789)));
    const auto change = change_for(order, "odoo-main", {}, false);
    CHECK(texts(change) == std::vector<std::string>{"odoo-main_changed_at=2023-11-14T22:13:20Z", "odoo-main_connection=odoo-main",
                                                    "odoo-main_document=S00007", "odoo-main_reference=7",
                                                    "odoo-main_state=exported"});
    CHECK(change.fields.back().time);
    CHECK(change.tags_added.empty());
    CHECK(change.tags_removed.empty());
}

TEST_CASE("order-status: the same said again by a newer snapshot changes nothing, not even the time", "[unit]") {
    auto order = shown("odoo-main", {exported(1, 10)});
    REQUIRE(take(order.connections["odoo-main"], exported(2, 20)));
    CHECK(change_for(order, "odoo-main", {}, false).empty());
    CHECK(order.connections["odoo-main"].order.version.updated_ns == 2);
}

TEST_CASE("order-status: the newest snapshot counts, and of one snapshot what was said last", "[unit]") {
    ConnectionStatus status;
    CHECK(take(status, held(5, 100)));
    CHECK_FALSE(take(status, held(4, 200)));
    CHECK_FALSE(take(status, held(5, 100)));
    CHECK(take(status, exported(5, 101)));
    CHECK(status.order.standing == Standing::exported);
    CHECK_FALSE(take(status, held(5, 100)));
    CHECK_FALSE(take(status, exported(4, 999)));
    CHECK(state_of(status) == "exported");
}

TEST_CASE("order-status: an older document behind a newer hold is still the order's document", "[unit]") {
    ConnectionStatus status;
    CHECK(take(status, held(5, 100)));
    CHECK(take(status, exported(4, 50)));
    CHECK(status.order.standing == Standing::held);
    CHECK(status.document.name == "S00007");
    CHECK(state_of(status) == "held");
}

TEST_CASE("order-status: a hold shows its reason and a tag, and takes both back", "[unit]") {
    const TagNames names;
    OrderStatus order{.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(5)}};
    auto& status = order.connections["odoo-main"];
    REQUIRE(take(status, held(1, 0)));
    auto change = change_for(order, "odoo-main", names, false);
    CHECK(change.tags_added == std::vector<std::string>{"syncline-held"});
    CHECK(says(change, "odoo-main_reason=tax:FR/20.0/incl"));
    mark_shown(order, "odoo-main", names);
    REQUIRE(take(status, exported(2, 0)));
    change = change_for(order, "odoo-main", names, false);
    CHECK(change.tags_added.empty());
    CHECK(change.tags_removed == std::vector<std::string>{"syncline-held"});
    CHECK(texts(change) == std::vector<std::string>{"odoo-main_changed_at=1970-01-01T00:00:00Z", "odoo-main_document=S00007",
                                                    "odoo-main_reason=none", "odoo-main_reference=7",
                                                    "odoo-main_state=exported"});
}

TEST_CASE("order-status: a hold that ends without an export takes the tag back, and shows nothing where nothing was shown",
          "[unit]") {
    const Statement ended{.kind = StatementKind::hold_ended, .version = {.updated_ns = 9}};
    auto order = shown("odoo-main", {held(1, 0)});
    REQUIRE(take(order.connections["odoo-main"], ended));
    const auto change = change_for(order, "odoo-main", {}, false);
    CHECK(change.tags_removed == std::vector<std::string>{"syncline-held"});
    CHECK(texts(change) == std::vector<std::string>{"odoo-main_changed_at=1970-01-01T00:00:00Z", "odoo-main_reason=none",
                                                    "odoo-main_state=not_exported"});
    ConnectionStatus silent;
    REQUIRE(take(silent, ended));
    CHECK(fields_of("odoo-main", silent).empty());
    // What was exported before the hold is exported after it.
    auto updated = shown("odoo-main", {exported(1, 0, "sale"), held(2, 0)});
    REQUIRE(take(updated.connections["odoo-main"], ended));
    CHECK(state_of(updated.connections["odoo-main"]) == "confirmed");
}

TEST_CASE("order-status: the end of a hold takes no failure and no export back, and keeps a late hold from coming again",
          "[unit]") {
    const Statement ended{.kind = StatementKind::hold_ended, .version = {.updated_ns = 1, .said_ns = 99}};
    ConnectionStatus status;
    CHECK(take(status, held(1, 10)));
    CHECK(take(status, {.kind = StatementKind::failed, .version = {.updated_ns = 1, .said_ns = 20}, .code = "no_lines"}));
    CHECK_FALSE(take(status, ended));
    CHECK(state_of(status) == "failed");
    CHECK(take(status, exported(1, 30)));
    CHECK_FALSE(take(status, ended));
    ConnectionStatus early;
    CHECK(take(early, ended));
    CHECK_FALSE(take(early, held(1, 10)));
    CHECK(early.order.standing == Standing::none);
}

TEST_CASE("order-status: the held tag of two connections stays until neither holds", "[unit]") {
    const TagNames names{.exported = "in-erp"};
    OrderStatus order{.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(5)}};
    REQUIRE(take(order.connections["odoo-main"], held(1, 0)));
    mark_shown(order, "odoo-main", names);
    REQUIRE(take(order.connections["sap"], held(1, 0)));
    CHECK(change_for(order, "sap", names, false).tags_added.empty());
    mark_shown(order, "sap", names);
    REQUIRE(take(order.connections["odoo-main"], exported(1, 5)));
    auto change = change_for(order, "odoo-main", names, false);
    CHECK(change.tags_added == std::vector<std::string>{"in-erp"});
    CHECK(change.tags_removed.empty());
    CHECK(std::ranges::all_of(change.fields, [](const auto& field) { return field.key.starts_with("odoo-main_"); }));
    mark_shown(order, "odoo-main", names);
    REQUIRE(take(order.connections["sap"], exported(1, 5)));
    CHECK(change_for(order, "sap", names, false).tags_removed == std::vector<std::string>{"syncline-held"});
}

TEST_CASE("order-status: a held refund tags its order and leaves the order's own state", "[unit]") {
    auto order = shown("odoo-main", {exported(1, 0, "sale")});
    REQUIRE(take(order.connections["odoo-main"], {.kind = StatementKind::refund_held,
                                                  .version = {.updated_ns = 1},
                                                  .code = "refund_totals_differ",
                                                  .subject = "refund/3"}));
    auto change = change_for(order, "odoo-main", {}, false);
    CHECK(change.tags_added == std::vector<std::string>{"syncline-held"});
    CHECK(says(change, "odoo-main_reason=refund_totals_differ"));
    CHECK(state_of(order.connections["odoo-main"]) == "confirmed");
    mark_shown(order, "odoo-main", {});
    REQUIRE(take(order.connections["odoo-main"],
                 {.kind = StatementKind::refund_exported, .version = {.updated_ns = 1, .said_ns = 1}, .subject = "refund/3"}));
    CHECK(change_for(order, "odoo-main", {}, false).tags_removed == std::vector<std::string>{"syncline-held"});
}

TEST_CASE("order-status: a risk waits for its own answer, not for the next quotation", "[unit]") {
    ConnectionStatus status;
    const auto risk = [](std::int64_t said) {
        auto statement = held(1, said, "");
        statement.code = "risk_high";
        statement.subject = "risk";
        return statement;
    };
    CHECK(take(status, exported(1, 10)));
    CHECK(take(status, risk(20)));
    CHECK(take(status, exported(2, 30)));
    CHECK(status.others.at("risk").standing == Standing::held);
    CHECK(fields_of("odoo-main", status).at("reason") == "risk_high");
    CHECK(take(status, exported(3, 40, "sale")));
    CHECK(status.others.at("risk").standing == Standing::none);
    CHECK_FALSE(take(status, risk(25)));
}

TEST_CASE("order-status: the target's progress becomes one word, the step furthest on", "[unit]") {
    const auto word = [](const std::string& state, const std::string& invoicing, const std::string& delivery) {
        ConnectionStatus status;
        (void)take(status, progress(1, 1, state, invoicing, delivery));
        return state_of(status);
    };
    CHECK(word("draft", "no", "") == "exported");
    CHECK(word("sent", "no", "") == "exported");
    CHECK(word("sale", "to_invoice", "pending") == "confirmed");
    CHECK(word("sale", "to_invoice", "partial") == "partly_shipped");
    CHECK(word("sale", "invoiced", "partial") == "partly_shipped");
    CHECK(word("sale", "to_invoice", "full") == "shipped");
    CHECK(word("sale", "invoiced", "full") == "invoiced");
    CHECK(word("done", "no", "") == "confirmed");
    CHECK(word("cancel", "invoiced", "full") == "cancelled");
    CHECK(word("on_hold", "", "") == "on_hold");
}

TEST_CASE("order-status: an update of the order forgets nothing of invoices and deliveries", "[unit]") {
    ConnectionStatus status;
    CHECK(take(status, exported(1, 10, "sale")));
    CHECK(take(status, progress(1, 20, "sale", "invoiced", "full")));
    CHECK(take(status, exported(2, 30, "sale")));
    CHECK(state_of(status) == "invoiced");
    CHECK_FALSE(take(status, progress(1, 15, "sale", "to_invoice", "")));
    CHECK(state_of(status) == "invoiced");
}

TEST_CASE("order-status: when nobody knows what is shown, everything is written and no tag of ours that is not wanted stays",
          "[unit]") {
    auto order = shown("odoo-main", {exported(1, 0)});
    const TagNames names{.exported = "in-erp"};
    mark_shown(order, "odoo-main", names);
    const auto change = change_for(order, "odoo-main", names, true);
    CHECK(change.fields.size() == 5);
    CHECK(change.tags_added == std::vector<std::string>{"in-erp"});
    CHECK(change.tags_removed == std::vector<std::string>{"syncline-failed", "syncline-held"});
}

TEST_CASE("order-status: a tag that has another name now is taken away with the next change", "[unit]") {
    auto order = shown("odoo-main", {held(1, 0)});
    REQUIRE(take(order.connections["odoo-main"], held(2, 0, "product:X")));
    const auto change = change_for(order, "odoo-main", {.held = "waiting"}, false);
    CHECK(change.tags_added == std::vector<std::string>{"waiting"});
    CHECK(change.tags_removed == std::vector<std::string>{"syncline-held"});
}

TEST_CASE("order-status: metafield keys stay within 64 characters and apart from each other", "[unit]") {
    CHECK(metafield_key("odoo-main", "state") == "odoo-main_state");
    const std::string longest(62, 'a');
    CHECK(metafield_key(longest + "b", "connection").size() == 64);
    CHECK(metafield_key(longest + "b", "connection") != metafield_key(longest + "c", "connection"));
}
