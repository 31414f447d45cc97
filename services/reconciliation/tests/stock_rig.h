// Runs of the comparison of stock on a real PostgreSQL, over sides that are lists, with a clock of their own.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <syncline/kit/processor.h>
#include <syncline/postgres/testing/database.h>
#include <syncline/reconciliation/v1/events.pb.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/pg_stock_reports.h"
#include "adapters/pg_stock_runs.h"
#include "app/run_stock.h"
#include "tests/rows.h"

namespace reconciliation::testing {

using namespace std::chrono_literals;
using syncline::postgres::Params;
using syncline::reconciliation::v1::StockDivergenceDetected;

inline core::Error error_of(core::ErrorKind kind, std::string code) {
    return {.kind = kind, .code = std::move(code), .message = "as the test wants it"};
}

class ListSnapshot final : public ShopSnapshot {
public:
    ListSnapshot(std::vector<OwnedRow> rows, core::SystemTime begun_at) : rows_(std::move(rows)), begun_at_(begun_at) {}
    core::Result<std::unique_ptr<StockRows>> open(const std::vector<std::string>&) override {
        return std::make_unique<ListRows>(rows_);
    }
    [[nodiscard]] std::uint64_t levels() const override {
        return static_cast<std::uint64_t>(std::ranges::count_if(rows_, [](const auto& row) { return !row.location.empty(); }));
    }
    [[nodiscard]] core::SystemTime begun_at() const override { return begun_at_; }

private:
    std::vector<OwnedRow> rows_;
    core::SystemTime begun_at_;
};

// A side ends with its error after its rows, as a truncated file does.
class CutRows final : public StockRows {
public:
    CutRows(std::vector<OwnedRow> rows, std::optional<core::Error> error) : rows_(std::move(rows)), error_(std::move(error)) {}
    core::Result<const StockRow*> next() override {
        auto row = rows_.next();
        if (row && *row == nullptr && error_) {
            return std::unexpected(*error_);
        }
        return row;
    }

private:
    ListRows rows_;
    std::optional<core::Error> error_;
};

struct FakeSides final : StockSides {
    core::Clock* clock = nullptr;
    std::map<std::string, std::vector<OwnedRow>> shopify_rows;                       // By shop.
    std::map<std::string, std::map<std::string, std::vector<OwnedRow>>> other_rows;  // By shop and side.
    std::map<std::string, core::Error> shopify_fails;                                // Taken when struck.
    std::map<std::string, core::Error> other_fails;                                  // At once; by side, stays.
    std::map<std::string, core::Error> other_ends;                                   // After its rows; by side, stays.
    std::vector<std::string> bulks;                                                  // "new" or the id that was gone on with.
    std::function<void()> while_comparing;

    [[nodiscard]] bool serves(const std::string& shop) const override { return shopify_rows.contains(shop); }
    core::Result<std::unique_ptr<ShopSnapshot>> shopify(const StockRun& run,
                                                        const std::function<core::Result<void>(const std::string&)>& begun,
                                                        const StillOurs&) override {
        bulks.push_back(run.bulk_id.empty() ? "new" : run.bulk_id);
        if (run.bulk_id.empty()) {
            if (auto kept = begun("bulk-" + std::to_string(bulks.size())); !kept) {
                return std::unexpected(kept.error());
            }
        }
        if (const auto found = shopify_fails.find(run.shop); found != shopify_fails.end()) {
            const auto error = found->second;
            shopify_fails.erase(found);
            return std::unexpected(error);
        }
        return std::make_unique<ListSnapshot>(shopify_rows.at(run.shop), clock->now());
    }
    [[nodiscard]] std::vector<std::string> others(const std::string& shop) const override {
        std::vector<std::string> sides{std::string(kOwnSide)};
        for (const auto& [side, rows] : other_rows.at(shop)) {
            if (side != kOwnSide) {
                sides.push_back(side);
            }
        }
        return sides;
    }
    core::Result<OtherSnapshot> other(const StockRun& run, const std::string& side, ShopSnapshot&, const StillOurs&) override {
        if (while_comparing) {
            while_comparing();
        }
        if (const auto found = other_fails.find(side); found != other_fails.end()) {
            return std::unexpected(found->second);
        }
        const auto& rows = other_rows.at(run.shop).at(side);
        const auto ends = other_ends.find(side);
        OtherSnapshot snapshot;
        snapshot.rows = std::make_unique<CutRows>(rows, ends == other_ends.end() ? std::nullopt : std::optional(ends->second));
        snapshot.count = rows.size();
        snapshot.same_key = SameKey::several_items;
        return snapshot;
    }
};

struct SeenEvents final : StockEvents {
    std::vector<std::string> said;
    void compared(const StockRun& run, const ComparisonResult& result) override {
        said.push_back(run.shop + " " + result.side + " " + (result.error ? result.error->code : "compared"));
    }
    void ended(const StockRun& run, RunState state, const core::Error* error) override {
        said.push_back(run.shop + " " + std::string(to_string(state)) + " " + (error == nullptr ? "" : error->code));
    }
    void failed(std::string_view what, const std::string& shop, const core::Error& error) override {
        said.push_back(shop + " " + std::string(what) + " " + error.code);
    }
};

inline RunStockOptions quiet_options() {
    return {.nightly = "", .healing = HealingMode::correct, .brake = {.percent_max = 50, .zero_max = 5}};
}

struct StockRig {
    syncline::postgres::testing::Database database;
    core::ManualClock clock;
    FakeSides sides;
    SeenEvents events;
    PgStockRuns runs{database.pool(), clock, "instance-1"};
    PgStockReports reports{database.pool(), clock};
    RunStock stock;

    explicit StockRig(RunStockOptions options = quiet_options())
        : stock(sides, runs, events, clock, std::move(options), [](const std::string&) { return "Europe/Berlin"; }) {
        sides.clock = &clock;
        const auto migrated =
            database.pool().run(core::Deadline(core::system_clock(), 60s), [](syncline::postgres::Transaction& tx) {
                for (const auto& migration : syncline::kit::Processor::migrations()) {
                    if (auto done = tx.exec_script(migration.sql); !done) {
                        return done;
                    }
                }
                return tx.exec_script(kStockRunsSchema);
            });
        REQUIRE(migrated);
    }

    // `pairs` pairs that agree, at one location, from an hour ago.
    void agree(const std::string& shop, int pairs) {
        std::vector<OwnedRow> shopify;
        std::vector<OwnedRow> own;
        for (int i = 0; i < pairs; ++i) {
            const auto sku = "SKU-" + std::to_string(1000 + i);
            shopify.push_back({sku, "", "0", 0, 100 + i});
            shopify.push_back({sku, "9", "10", long_ago(), 100 + i});
            own.push_back({sku, "9", "10", long_ago(), 100 + i});
        }
        sides.shopify_rows[shop] = std::move(shopify);
        sides.other_rows[shop][std::string(kOwnSide)] = std::move(own);
    }
    [[nodiscard]] std::int64_t long_ago() const { return core::nanos_since_epoch(clock.now() - 1h); }
    // Shopify shows that of pair `number`.
    void shopify_shows(const std::string& shop, std::size_t number, const std::string& quantity) {
        sides.shopify_rows.at(shop).at(number * 2 + 1).quantity = quantity;
    }

    std::string ask(const std::string& shop, bool accept_size = false) {
        StockRun run{.id = core::uuid_v4(), .shop = shop, .kind = RunKind::asked};
        run.accept_size = accept_size;
        REQUIRE(runs.plan(run, "somebody", "because").value());
        return run.id;
    }
    void step(const std::string& shop) {
        static_cast<void>(stock.step(shop, [] { return true; }));
    }
    std::string state(const std::string& run) {
        return database.value("SELECT state FROM stock_runs WHERE id = $1::uuid", Params{}.add(run));
    }
    // What the outbox holds of a run, in the order in which it was written.
    std::vector<StockDivergenceDetected> sent(const std::string& run) {
        std::vector<StockDivergenceDetected> found;
        for (const auto row : database.exec("SELECT payload FROM outbox ORDER BY seq")) {
            StockDivergenceDetected event;
            REQUIRE(event.ParseFromString(row.bytes(0)));
            if (event.run_id() == run) {
                found.push_back(std::move(event));
            }
        }
        return found;
    }
};

}  // namespace reconciliation::testing
