#include "adapters/pg_export_ledger.h"

#include <syncline/postgres/testing/database.h>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

// Plays the closing transaction: rows with the same statement travel in one, as arrays.
class ClosingDelivery final : public kit::Delivery {
public:
    explicit ClosingDelivery(syncline::postgres::Pool& pool) : pool_(pool) {}
    const kit::EventHeaders& headers() const override { return headers_; }
    int attempt() const override { return 1; }
    core::Deadline deadline() const override { return core::Deadline(core::system_clock(), 30s); }
    bool timer() const override { return false; }
    bool verify() const override { return false; }
    std::string_view override_code() const override { return {}; }
    core::Result<kit::EffectRecord> effect(const kit::EffectOptions&, const EffectCall&) override { return kit::EffectRecord{}; }
    void publish(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}
    void publish_if_held(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}
    void publish_if_dead(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}
    void write(kit::RowWrite row) override { rows_[std::string(row.sql)].push_back(std::move(row.values)); }

    void close() {
        for (const auto& [sql, rows] : rows_) {
            syncline::postgres::Params params;
            for (std::size_t column = 0; column < rows.front().size(); ++column) {
                std::vector<std::optional<std::string>> values;
                for (const auto& row : rows) {
                    values.push_back(row[column]);
                }
                params.add_array(std::span<const std::optional<std::string>>(values));
            }
            const auto done = pool_.exec(deadline(), sql, params);
            if (!done) {
                FAIL(done.error().code << " " << done.error().message);
            }
        }
        rows_.clear();
    }

private:
    syncline::postgres::Pool& pool_;
    kit::EventHeaders headers_;
    std::map<std::string, std::vector<std::vector<std::optional<std::string>>>> rows_;
};

struct Rig {
    syncline::postgres::testing::Database database;
    PgExportLedger ledger{database.pool(), core::system_clock(), "odoo-main"};
    ClosingDelivery delivery{database.pool()};
    Rig() {
        const auto made = database.pool().run(core::Deadline(core::system_clock(), 30s),
                                              [](syncline::postgres::Transaction& tx) { return tx.exec_script(kLedgerSchema); });
        REQUIRE(made);
    }
};

LedgerEntry an_entry(std::uint64_t id) {
    LedgerEntry entry;
    entry.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(id)};
    entry.state = DocumentState::confirmed;
    entry.version = SnapshotVersion{.updated_ns = 1'760'000'000'000'000'001, .observed_ns = 2, .fetched = true};
    entry.document = "1855";
    entry.document_name = "S00042";
    entry.document_hash = "abc";
    entry.header_hash = "def";
    entry.lines = {{.key = "line_91", .product = "501", .name = "Shirt \"ü\" {1,2}", .taxes = {"120", "121"}, .hash = "h"}};
    entry.rounding = dec("-0.02");
    entry.expected_total = {.amount = dec("123456789.99"), .currency = "EUR"};
    entry.taxes_included = true;
    entry.reference = "#1001";
    entry.financial_status = FinancialStatus::paid;
    entry.placed_at = core::SystemTime{1'760'000'000s};
    entry.exported_at = core::SystemTime{1'760'000'001s};
    entry.mapping_version = "v1";
    return entry;
}

}  // namespace

TEST_CASE("export ledger: an order that nothing is known of is found empty", "[order-export][postgres]") {
    if (!syncline::postgres::testing::Database::available()) {
        SKIP(syncline::postgres::testing::Database::kWhyNot);
    }
    Rig rig;
    const auto entry = rig.ledger.find(an_entry(1).key);
    REQUIRE(entry);
    CHECK(entry->state == DocumentState::none);
    CHECK(!entry->version);
    CHECK(entry->refunds.empty());
}

TEST_CASE("export ledger: what was recorded is found again, by connection and shop", "[order-export][postgres]") {
    if (!syncline::postgres::testing::Database::available()) {
        SKIP(syncline::postgres::testing::Database::kWhyNot);
    }
    Rig rig;
    for (std::uint64_t id = 1; id <= 3; ++id) {
        rig.ledger.record(rig.delivery, an_entry(id));
    }
    rig.ledger.record(rig.delivery, an_entry(1).key,
                      {.id = core::RefundId(77), .state = "exported", .document = "9", .document_name = "RINV/1", .code = {}});
    rig.ledger.record(
        rig.delivery, an_entry(1).key,
        {.id = core::RefundId(78), .state = "waiting", .document = {}, .document_name = {}, .code = "refund_money_pending"});
    rig.ledger.record_money(rig.delivery, an_entry(1).key, 900, MoneyState::success);
    rig.delivery.close();
    const auto found = rig.ledger.find(an_entry(1).key);
    REQUIRE(found);
    const auto wanted = an_entry(1);
    CHECK(found->state == wanted.state);
    CHECK(found->version == wanted.version);
    CHECK(found->document == wanted.document);
    REQUIRE(found->lines.size() == 1);
    CHECK(found->lines[0].name == wanted.lines[0].name);
    CHECK(found->lines[0].taxes == wanted.lines[0].taxes);
    CHECK(found->rounding == wanted.rounding);
    CHECK(found->expected_total == wanted.expected_total);
    CHECK(found->placed_at == wanted.placed_at);
    CHECK(found->exported_at == wanted.exported_at);
    REQUIRE(found->refunds.size() == 2);
    CHECK(found->refund(core::RefundId(78))->code == "refund_money_pending");
    CHECK(found->money.at(900) == MoneyState::success);
    auto other_shop = an_entry(1).key;
    other_shop.shop = core::ShopAlias("us");
    CHECK(rig.ledger.find(other_shop)->state == DocumentState::none);
    PgExportLedger other(rig.database.pool(), core::system_clock(), "odoo-two");
    CHECK(other.find(an_entry(1).key)->state == DocumentState::none);
}

TEST_CASE("export ledger: recording again replaces, and a settled transaction does not become pending",
          "[order-export][postgres]") {
    if (!syncline::postgres::testing::Database::available()) {
        SKIP(syncline::postgres::testing::Database::kWhyNot);
    }
    Rig rig;
    auto entry = an_entry(1);
    rig.ledger.record(rig.delivery, entry);
    rig.ledger.record_money(rig.delivery, entry.key, 900, MoneyState::success);
    rig.delivery.close();
    entry.state = DocumentState::cancelled;
    entry.version.reset();
    rig.ledger.record(rig.delivery, entry);
    rig.ledger.record_money(rig.delivery, entry.key, 900, MoneyState::pending);
    rig.delivery.close();
    const auto found = rig.ledger.find(entry.key);
    CHECK(found->state == DocumentState::cancelled);
    CHECK(!found->version);
    CHECK(found->money.at(900) == MoneyState::success);
}

TEST_CASE("export ledger: the worst risk counts, an older assessment does not, acceptance stays", "[order-export][postgres]") {
    if (!syncline::postgres::testing::Database::available()) {
        SKIP(syncline::postgres::testing::Database::kWhyNot);
    }
    Rig rig;
    const auto key = an_entry(1).key;
    const auto at = [](int second) {
        return core::SystemTime{std::chrono::seconds{second}};
    };
    REQUIRE(rig.ledger.remember_risk(key, "", RiskLevel::low, at(10), false));
    REQUIRE(rig.ledger.remember_risk(key, "app", RiskLevel::medium, at(10), false));
    CHECK(rig.ledger.find(key)->risk == RiskLevel::medium);
    REQUIRE(rig.ledger.remember_risk(key, "", RiskLevel::high, at(5), false));
    CHECK(rig.ledger.find(key)->risk == RiskLevel::medium);
    REQUIRE(rig.ledger.remember_risk(key, "app", RiskLevel::high, at(11), true));
    CHECK(rig.ledger.find(key)->risk == RiskLevel::high);
    REQUIRE(rig.ledger.remember_risk(key, "app", RiskLevel::low, at(12), false));
    CHECK(rig.ledger.find(key)->risk == RiskLevel::low);
    CHECK(rig.ledger.find(key)->accepted_risk);
}
