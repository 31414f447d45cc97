#include "src/stock.h"

#include <syncline/core/decimal.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace core = syncline::core;
namespace json = syncline::json;
using loadgen::StockOptions;
using loadgen::StockWorkload;
using loadgen::Webhook;

namespace {

StockOptions options() {
    StockOptions options;
    options.seed = 7;
    options.sources = {"wms-north", "till"};
    options.locations = 2;
    options.skus = 20;
    options.changes = 2'000;
    options.batch = 25;
    options.duplicates_per_million = 100'000;
    options.reordered_per_million = 200'000;
    return options;
}

std::vector<Webhook> all(StockWorkload& workload) {
    std::vector<Webhook> bodies;
    while (auto body = workload.next()) {
        bodies.push_back(std::move(*body));
    }
    return bodies;
}

std::string text_of(const std::vector<Webhook>& bodies) {
    std::string text;
    for (const auto& body : bodies) {
        text += loadgen::to_line(body) + "\n";
    }
    return text;
}

// One position as a consumer keeps it: the newest report, and the adjustments by their ids.
struct Kept {
    core::SystemTime reported_at{};
    core::Decimal level;
    std::map<std::string, std::pair<core::SystemTime, core::Decimal>> adjustments;

    [[nodiscard]] core::Decimal now() const {
        auto total = level;
        for (const auto& [id, change] : adjustments) {
            if (change.first > reported_at) {
                total = (total + change.second).value();
            }
        }
        return total;
    }
};

using Model = std::map<std::string, Kept>;  // "source/location/sku"

void apply(Model& model, const Webhook& body) {
    const auto document = json::Document::parse(body.body);
    REQUIRE(document);
    const auto root = document->root();
    const auto position = [&](json::Value record) -> Kept& {
        return model[body.shop + "/" + std::string(record.string_of("location").value()) + "/" +
                     std::string(record.string_of("sku").value())];
    };
    const auto at = [](json::Value record) {
        return core::parse_rfc3339(record.string_of("observed_at").value()).value();
    };
    const auto reports = root.required("reports").value().elements();
    for (const auto record : reports) {
        auto& kept = position(record);
        if (at(record) > kept.reported_at) {
            kept.reported_at = at(record);
            kept.level = record.decimal_of("quantity").value();
        }
    }
    const auto adjustments = root.required("adjustments").value().elements();
    for (const auto record : adjustments) {
        position(record).adjustments[std::string(record.string_of("id").value())] = {at(record),
                                                                                     record.decimal_of("delta").value()};
    }
}

}  // namespace

TEST_CASE("stock: equal options give equal bytes, another seed gives others", "[loadgen][unit]") {
    StockWorkload one(options());
    StockWorkload two(options());
    auto other_options = options();
    other_options.seed = 8;
    StockWorkload other(other_options);
    const auto text = text_of(all(one));
    CHECK(text == text_of(all(two)));
    CHECK(text != text_of(all(other)));
}

TEST_CASE("stock: applied in any order and any number of times, bodies end at the levels that are expected", "[loadgen][unit]") {
    StockWorkload workload(options());
    auto bodies = all(workload);
    Model as_sent;
    for (const auto& body : bodies) {
        apply(as_sent, body);
    }
    Model backwards;
    std::ranges::reverse(bodies);
    for (const auto& body : bodies) {
        apply(backwards, body);
        apply(backwards, body);
    }
    CHECK(as_sent.size() == 80);
    const auto setup = options();
    for (std::size_t source = 0; source < setup.sources.size(); ++source) {
        for (std::uint64_t location = 0; location < setup.locations; ++location) {
            for (std::uint64_t sku = 0; sku < setup.skus; ++sku) {
                const auto name = setup.sources[source] + "/" + loadgen::location_name(location) + "/" + loadgen::sku_name(sku);
                INFO(name);
                const auto expected = workload.level_of(source, location, sku);
                CHECK(as_sent.at(name).now().to_string() == expected);
                CHECK(backwards.at(name).now().to_string() == expected);
                CHECK(core::Decimal::parse(expected).value().sign() >= 0);
            }
        }
    }
}

TEST_CASE("stock: bodies come by time, of one source each, and hold no more records than a batch", "[loadgen][unit]") {
    StockWorkload workload(options());
    const auto bodies = all(workload);
    auto last = std::chrono::milliseconds(0);
    std::set<std::string> ids;
    std::size_t records = 0;
    std::size_t duplicates = 0;
    bool overtaken = false;
    std::string newest;
    for (const auto& body : bodies) {
        CHECK(body.at >= last);
        last = body.at;
        CHECK(body.topic == loadgen::kStockTopic);
        const auto document = json::Document::parse(body.body);
        REQUIRE(document);
        const auto count = document->root().get("reports")->size() + document->root().get("adjustments")->size();
        CHECK(count > 0);
        CHECK(count <= 25);
        duplicates += body.duplicate ? 1U : 0U;
        if (ids.insert(body.webhook_id).second) {
            records += count;
        }
    }
    CHECK(records == 2'080);
    CHECK(duplicates > 0);
    CHECK(ids.size() == bodies.size() - duplicates);
    for (std::size_t i = 1; i < bodies.size(); ++i) {
        const auto number = [&](const Webhook& body) {
            return std::stoul(body.key.substr(body.key.rfind('/') + 1));
        };
        overtaken = overtaken || (!bodies[i].duplicate && number(bodies[i]) < number(bodies[i - 1]));
    }
    CHECK(overtaken);
}

TEST_CASE("stock: no two records of a position have one time, and none is later than its sending", "[loadgen][unit]") {
    auto dense = options();
    dense.duration = std::chrono::milliseconds(50);
    StockWorkload workload(dense);
    std::set<std::string> seen;
    while (const auto body = workload.next()) {
        if (body->duplicate) {
            continue;
        }
        const auto document = json::Document::parse(body->body);
        REQUIRE(document);
        for (const auto* list : {"reports", "adjustments"}) {
            const auto records = document->root().required(list).value().elements();
            for (const auto record : records) {
                const auto when = std::string(record.string_of("observed_at").value());
                CHECK(seen.insert(body->shop + "/" + std::string(record.string_of("location").value()) + "/" +
                                  std::string(record.string_of("sku").value()) + "@" + when)
                          .second);
                CHECK(core::parse_rfc3339(when).value() <= dense.start + body->at);
            }
        }
    }
}

TEST_CASE("stock: what is expected is one line a position and a summary", "[loadgen][unit]") {
    std::vector<std::string> lines;
    loadgen::write_stock_expectations(options(), [&](const std::string& line) { lines.push_back(line); });
    REQUIRE(lines.size() == 81);
    CHECK(lines.front().starts_with(R"({"source":"wms-north","location":"HAL-1","sku":"SKU-0001","quantity":")"));
    const auto summary = json::Document::parse(lines.back());
    REQUIRE(summary);
    CHECK(summary->root().get("summary")->int64_of("records") == 2'080);
    CHECK(summary->root().get("summary")->int64_of("positions") == 80);
}
