#include "src/workload.h"

#include <syncline/json/document.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace json = syncline::json;
using loadgen::Webhook;
using loadgen::Workload;
using loadgen::WorkloadOptions;

namespace {

WorkloadOptions options() {
    WorkloadOptions options;
    options.orders = 120;
    options.shops = {loadgen::shop_of("eu", "eu.example.com"), loadgen::shop_of("us", "us.example.com")};
    options.shares.set(loadgen::Kind::large, 0);
    options.duplicates_per_million = 50'000;
    options.reordered_per_million = 50'000;
    options.poison = 4;
    return options;
}

std::vector<Webhook> all(const WorkloadOptions& options) {
    Workload workload(options);
    std::vector<Webhook> webhooks;
    while (auto webhook = workload.next()) {
        webhooks.push_back(std::move(*webhook));
    }
    return webhooks;
}

std::string text_of(const std::vector<Webhook>& webhooks) {
    std::string text;
    for (const auto& webhook : webhooks) {
        text += loadgen::to_line(webhook) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("kinds: words that are no kinds or have no weight are refused", "[loadgen][unit]") {
    for (const std::string_view text : {"", "nonsense", "plain=x", "plain=-1", "plain=0", "plain=1,,", "everything,nonsense=1"}) {
        INFO(text);
        CHECK_FALSE(loadgen::Shares::parse(text).has_value());
    }
    const auto shares = loadgen::Shares::parse("everything,large=0,plain=7").value();
    CHECK(shares.weight(loadgen::Kind::large) == 0);
    CHECK(shares.weight(loadgen::Kind::plain) == 7);
    CHECK(shares.weight(loadgen::Kind::tip) > 0);
    for (std::size_t i = 0; i < loadgen::kKinds; ++i) {
        const auto kind = static_cast<loadgen::Kind>(i);
        CHECK(loadgen::Shares::parse(loadgen::to_string(kind)).value().weight(kind) == 1);
    }
}

TEST_CASE("workload: another seed gives other bytes, the same seed the same", "[loadgen][unit]") {
    auto other = options();
    other.seed = 2;
    const auto once = text_of(all(options()));
    CHECK(once == text_of(all(options())));
    CHECK(once != text_of(all(other)));
}

TEST_CASE("workload: deliveries come in the order of their times and none is missing", "[loadgen][unit]") {
    const auto webhooks = all(options());
    CHECK(std::ranges::is_sorted(webhooks, {}, &Webhook::at));
    std::size_t expected = options().poison;
    for (std::uint64_t order = 0; order < options().orders; ++order) {
        expected += loadgen::story_of(options(), order).webhooks.size();
    }
    const auto duplicates = static_cast<std::size_t>(std::ranges::count_if(webhooks, &Webhook::duplicate));
    CHECK(webhooks.size() == expected + duplicates);
    CHECK(duplicates > expected / 100);
    std::map<std::string, std::string> bodies;
    for (const auto& webhook : webhooks) {
        const auto [known, fresh] = bodies.emplace(webhook.webhook_id, webhook.body);
        CHECK((fresh || known->second == webhook.body));
    }
    CHECK(bodies.size() == expected);
}

TEST_CASE("workload: without disorder an order's webhooks come as they were triggered", "[loadgen][unit]") {
    auto calm = options();
    calm.duplicates_per_million = 0;
    calm.reordered_per_million = 0;
    std::map<std::string, std::string> last;
    for (const auto& webhook : all(calm)) {
        auto& before = last[webhook.key];
        CHECK(before < webhook.triggered_at);
        before = webhook.triggered_at;
    }
}

TEST_CASE("workload: runs with other first orders share no order", "[loadgen][unit]") {
    auto first = options();
    auto second = options();
    first.orders = second.orders = 20;
    second.first_order = 10;
    std::set<std::string> keys;
    for (const auto& webhook : all(first)) {
        keys.insert(webhook.key);
    }
    for (const auto& webhook : all(second)) {
        CHECK_FALSE(keys.contains(webhook.key));
    }
}

TEST_CASE("workload: poison is no order in any of its forms", "[loadgen][unit]") {
    for (std::uint64_t number = 0; number < options().poison; ++number) {
        const auto document = json::Document::parse(loadgen::poison_of(options(), number).body);
        if (document) {
            const auto root = document->root();
            CHECK((!root.is_object() || !root.uint64_of("id").has_value() || !root.get("line_items")->is_array()));
        }
    }
}

TEST_CASE("webhook: a line is read back to the same delivery, broken bodies included", "[loadgen][unit]") {
    CHECK_FALSE(loadgen::from_line("").has_value());
    CHECK_FALSE(loadgen::from_line("{}").has_value());
    CHECK_FALSE(loadgen::from_line("{\"at_ms\":\"1\"}").has_value());
    for (const auto& webhook : {loadgen::poison_of(options(), 0), loadgen::story_of(options(), 3).webhooks.front()}) {
        const auto again = loadgen::from_line(loadgen::to_line(webhook)).value();
        CHECK(again.body == webhook.body);
        CHECK(again.at == webhook.at);
        CHECK(again.webhook_id == webhook.webhook_id);
        CHECK(loadgen::to_line(again) == loadgen::to_line(webhook));
    }
}

TEST_CASE("curve: arrivals ascend, fill the duration and follow the weight of each hour", "[loadgen][unit]") {
    using namespace std::chrono_literals;
    for (const auto shape : {loadgen::Shape::constant, loadgen::Shape::black_friday}) {
        const loadgen::Curve curve(shape, 10'000, 24'000ms);
        std::vector<int> hours(24, 0);
        auto before = -1ns;
        for (std::uint64_t i = 0; i < 10'000; ++i) {
            const auto at = curve.arrival(i);
            REQUIRE(at > before);
            REQUIRE(at < 24'000ms);
            before = at;
            ++hours[static_cast<std::size_t>(at / 1'000ms)];
        }
        CHECK(hours[20] > (shape == loadgen::Shape::constant ? 400 : 700));
        CHECK(hours[4] < (shape == loadgen::Shape::constant ? 420 : 100));
    }
}

TEST_CASE("expectations: the summary counts what the lines say", "[loadgen][unit]") {
    std::map<std::string, std::int64_t> fates;
    std::size_t lines = 0;
    std::string last;
    loadgen::write_expectations(options(), [&](const std::string& line) {
        last = line;
        const auto document = json::Document::parse(line).value();
        if (document.root().get("summary")) {
            return;
        }
        ++lines;
        const auto root = document.root();
        ++fates[std::string(root.string_of("fate").value())];
        // The lines of the document add up to its total.
        auto total = syncline::core::Decimal{};
        for (const auto entry : root.required("lines")->elements()) {
            total = (total + entry.decimal_of("net").value()).value();
            total = root.boolean_of("taxes_included").value() ? total : (total + entry.decimal_of("tax").value()).value();
        }
        INFO(line);
        CHECK(total == root.decimal_of("total").value());
    });
    CHECK(lines == options().orders);
    const auto document = json::Document::parse(last).value();
    const auto summary = document.root().required("summary").value();
    CHECK(summary.int64_of("orders").value() == static_cast<std::int64_t>(options().orders));
    CHECK(summary.int64_of("deliveries").value() == static_cast<std::int64_t>(all(options()).size()));
    for (const auto& [fate, count] : fates) {
        CHECK(summary.required("fates")->int64_of(fate).value() == count);
    }
}
