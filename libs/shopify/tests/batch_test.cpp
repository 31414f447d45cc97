#include <syncline/shopify/stock.h>
#include <catch2/catch_test_macros.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

QuantityChange change(std::uint64_t item, std::int64_t quantity, std::optional<std::int64_t> from) {
    return {.item = InventoryItemId(item), .location = LocationId(7), .quantity = quantity, .change_from = from};
}

IdempotentBatch batch_of(std::vector<QuantityChange> changes) {
    return form_set_quantities(QuantityName::on_hand, changes, "gid://syncline/Stock/eu").value();
}

http::testing::StubAnswer user_errors(const std::string& errors) {
    return data_answer(R"({"inventorySetQuantities":{"userErrors":[)" + errors + "]}}");
}
std::string user_error(const std::string& code, const std::string& field = "null") {
    return R"({"code":")" + code + R"(","field":)" + field + R"(,"message":"x"})";
}

core::Result<SetOutcome> send(Rig& rig, const IdempotentBatch& batch) {
    return set_quantities(rig.admin(), batch, Priority::stock_and_orders, rig.deadline);
}

}  // namespace

TEST_CASE("batch: what cannot be one call is a bug before anything is sent", "[shopify][unit]") {
    const auto code_of = [](std::vector<QuantityChange> changes) {
        const auto formed = form_set_quantities(QuantityName::available, changes, "gid://syncline/Stock/eu");
        return formed ? std::string() : formed.error().code;
    };
    CHECK(code_of({}) == "batch_empty");
    std::vector<QuantityChange> many;
    for (std::uint64_t i = 0; i < kQuantitiesMax; ++i) {
        many.push_back(change(i + 1, 1, 0));
    }
    CHECK(code_of(many).empty());
    many.push_back(change(9999, 1, 0));
    CHECK(code_of(many) == "batch_too_large");
    CHECK(code_of({change(1, 1, 0), change(1, 2, 0)}) == "duplicate_pair");
    CHECK(code_of({change(1, 1'000'000'001, 0)}) == "quantity_out_of_range");
}

TEST_CASE("batch: equal values formed again are another batch with another key", "[shopify][unit]") {
    // 5, 3, 5 within a minute: the second 5 must not be taken for the first.
    const auto first = batch_of({change(1, 5, 3)});
    const auto again = batch_of({change(1, 5, 3)});
    CHECK(first.key() != again.key());
    CHECK(first.key().size() == 36);
    CHECK(first.variables().json.find(first.key()) != std::string::npos);
}

TEST_CASE("batch: changeFromQuantity is always there, as a number or null", "[shopify][unit]") {
    const auto batch = batch_of({change(1, 5, 3), change(2, 0, std::nullopt)});
    const auto& json = batch.variables().json;
    CHECK(json.find(R"("quantity":5,"changeFromQuantity":3)") != std::string::npos);
    CHECK(json.find(R"("quantity":0,"changeFromQuantity":null)") != std::string::npos);
    CHECK(json.find(R"("name":"on_hand","reason":"correction","referenceDocumentUri":"gid://syncline/Stock/eu")") !=
          std::string::npos);
    CHECK(batch.variables().items == 2);
}

TEST_CASE("batch: a stored batch that was changed in any byte is refused", "[shopify][unit]") {
    const auto text = batch_of({change(1, 5, 3)}).serialise();
    REQUIRE(IdempotentBatch::parse(text));
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto broken = text;
        broken[at] = broken[at] == '1' ? '2' : '1';
        CHECK_FALSE(IdempotentBatch::parse(broken));
    }
    CHECK(IdempotentBatch::parse("").error().code == "batch_malformed");
    CHECK(IdempotentBatch::parse("{}").error().code == "batch_malformed");
    CHECK_FALSE(IdempotentBatch::parse(text.substr(0, text.size() / 2)));
}

TEST_CASE("batch: a stored batch sends the very same bytes after a restart", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return http::testing::StubAnswer{.reply = {}, .lose = true}; });
    const auto formed = batch_of({change(1, 5, 3), change(2, 7, std::nullopt)});
    const auto lost = send(rig, formed);
    REQUIRE_FALSE(lost);
    CHECK(lost.error().kind == ErrorKind::unknown_outcome);
    CHECK(fate_of(lost.error()) == BatchFate::send_again);
    const auto restored = IdempotentBatch::parse(formed.serialise());
    REQUIRE(restored);
    rig.stub.answer_with([](const http::IncomingRequest&) { return user_errors(""); });
    const auto outcome = send(rig, *restored);
    REQUIRE(outcome);
    CHECK(outcome->applied);
    const auto seen = rig.stub.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].body == seen[1].body);
}

TEST_CASE("batch: a stale or bad pair is told by its index", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return user_errors(user_error("CHANGE_FROM_QUANTITY_STALE", R"(["input","quantities","1","changeFromQuantity"])") + "," +
                           user_error("INVALID_INVENTORY_ITEM", R"(["input","quantities","0","inventoryItemId"])") + "," +
                           user_error("SOMETHING_NEW", R"(["input","quantities","2"])") + "," +
                           user_error("INVALID_LOCATION", R"(["input","quantities","900","locationId"])"));
    });
    const auto outcome = send(rig, batch_of({change(1, 1, 0), change(2, 1, 0), change(3, 1, 0)}));
    REQUIRE(outcome);
    CHECK_FALSE(outcome->applied);
    CHECK_FALSE(outcome->form_anew);
    REQUIRE(outcome->pairs.size() == 3);
    CHECK(outcome->pairs[0].index == 1);
    CHECK(outcome->pairs[0].kind == PairProblemKind::stale);
    CHECK(outcome->pairs[1].index == 0);
    CHECK(outcome->pairs[1].kind == PairProblemKind::unknown);
    CHECK(outcome->pairs[2].kind == PairProblemKind::other);
    CHECK(outcome->pairs[2].code == "something_new");
}

TEST_CASE("batch: a failure that names no pair is neither applied nor blamed on one", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return user_errors(user_error("INVALID_LOCATION")); });
    const auto outcome = send(rig, batch_of({change(1, 1, 0), change(2, 1, 0)}));
    REQUIRE(outcome);
    CHECK_FALSE(outcome->applied);
    CHECK(outcome->pairs.empty());
}

TEST_CASE("batch: Shopify's verdicts on a key decide its fate", "[shopify][http]") {
    std::mutex mutex;
    std::string code;
    Rig rig([&](const http::IncomingRequest&) {
        const std::lock_guard lock(mutex);
        return user_errors(user_error(code));
    });
    const auto verdict = [&](const std::string& next) {
        {
            const std::lock_guard lock(mutex);
            code = next;
        }
        return send(rig, batch_of({change(1, 1, 0)}));
    };
    const auto spent = verdict("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED");
    REQUIRE(spent);
    CHECK(spent->form_anew);
    CHECK_FALSE(spent->applied);
    const auto running = verdict("IDEMPOTENCY_CONCURRENT_REQUEST");
    REQUIRE_FALSE(running);
    CHECK(running.error().kind == ErrorKind::conflict);
    CHECK(fate_of(running.error()) == BatchFate::send_again);
    const auto mismatch = verdict("IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
    REQUIRE_FALSE(mismatch);
    CHECK(mismatch.error().kind == ErrorKind::bug);
    CHECK(fate_of(mismatch.error()) == BatchFate::give_up);
    const auto ours = verdict("INVALID_REASON");
    REQUIRE_FALSE(ours);
    CHECK(ours.error().kind == ErrorKind::bug);
}

TEST_CASE("batch: a batch of another operation is refused", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return user_errors(""); });
    const auto activation = form_activate(InventoryItemId(1), LocationId(2), 0);
    CHECK(send(rig, activation).error().code == "wrong_batch");
    CHECK(activate(rig.admin(), batch_of({change(1, 1, 0)}), Priority::rest, rig.deadline).error().code == "wrong_batch");
    CHECK(rig.stub.requests().empty());
}
