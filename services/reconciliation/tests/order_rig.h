// The check of orders on a real PostgreSQL and a broker in memory, with shops that are lists.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <google/protobuf/timestamp.pb.h>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/kit/testing/harness.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/topics.h>
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "adapters/fetched/map_order.h"
#include "adapters/orders/order_events.h"
#include "adapters/orders/pg_order_checks.h"
#include "app/check_orders.h"

namespace reconciliation::testing {

using namespace std::chrono_literals;
using namespace syncline::orders::v1;

inline void set(google::protobuf::Timestamp* to, core::SystemTime at) {
    const auto nanos = core::nanos_since_epoch(at);
    to->set_seconds(nanos / 1'000'000'000);
    to->set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
}

// Shopify: lists by (time of change, id), a page at a time, times in whole seconds.
class FakeShopify final : public ShopOrders {
public:
    struct Entry {
        core::SystemTime updated_at;
        core::SystemTime created_at;
        std::string content;
        std::vector<std::int64_t> refunds;
    };
    std::map<std::string, std::map<std::int64_t, Entry>> shops;
    std::map<std::string, core::Error> refused;      // Shops that answer nothing else.
    std::map<std::int64_t, core::Error> unreadable;  // Orders.
    std::set<std::string> reads_all_orders;
    std::function<core::Result<void>(int page)> before_page;  // Of each listing.
    std::size_t page_size = 3;
    std::vector<std::string> fetches;
    core::Clock* clock = nullptr;

    void place(const std::string& shop, std::int64_t id, core::SystemTime at, const std::string& content = "a") {
        shops[shop][id] = {
            std::chrono::floor<std::chrono::seconds>(at), std::chrono::floor<std::chrono::seconds>(at), content, {}};
    }
    core::Result<OrderPage> changed(const std::string& shop, core::SystemTime from, core::SystemTime to,
                                    const std::optional<std::string>& after, Purpose, const core::Deadline&) override {
        if (const auto found = refused.find(shop); found != refused.end()) {
            return std::unexpected(found->second);
        }
        if (before_page) {
            if (auto done = before_page(after ? 1 : 0); !done) {
                return std::unexpected(done.error());
            }
        }
        std::vector<ListedOrder> all;
        for (const auto& [id, entry] : shops[shop]) {
            if (entry.updated_at >= from && entry.updated_at < to && (!after || cursor(entry.updated_at, id) > *after)) {
                all.push_back({id, entry.updated_at});
            }
        }
        std::ranges::sort(all, {}, [](const auto& order) { return std::pair(order.updated_at, order.order_id); });
        OrderPage page;
        if (all.size() > page_size) {
            all.resize(page_size);
            page.next = cursor(all.back().updated_at, all.back().order_id);
        }
        page.orders = std::move(all);
        return page;
    }
    core::Result<std::optional<OrderAsEvents>> fetch(const std::string& shop, std::int64_t id, Purpose purpose,
                                                     const std::string& occasion, const core::Deadline&) override {
        if (const auto found = refused.find(shop); found != refused.end()) {
            return std::unexpected(found->second);
        }
        if (const auto found = unreadable.find(id); found != unreadable.end()) {
            return std::unexpected(found->second);
        }
        fetches.push_back(shop + "/" + std::to_string(id));
        const auto found = shops[shop].find(id);
        if (found == shops[shop].end()) {
            return std::optional<OrderAsEvents>();
        }
        const auto& entry = found->second;
        auto event = snapshot(shop, id, entry, clock->now());
        event->mutable_order()->set_fetched(true);
        event->set_cause(purpose == Purpose::backfill ? CAUSE_BACKFILLED : CAUSE_RECONCILED);
        OrderAsEvents events{.updated_at = entry.updated_at,
                             .snapshot = {.id = fetched_event_id(*event, occasion),
                                          .key = shop + "/" + std::to_string(id),
                                          .subject = {},
                                          .event = event},
                             .facts = {}};
        for (const auto refund : entry.refunds) {
            auto fact = std::make_shared<RefundRecorded>();
            fact->set_shop(shop);
            fact->mutable_refund()->set_order_id(id);
            fact->mutable_refund()->set_refund_id(refund);
            events.facts.push_back({.kind = "refund",
                                    .id = refund,
                                    .state = {},
                                    .event = {.id = core::uuid_v5(core::kSynclineNamespace, "refund" + std::to_string(refund)),
                                              .key = shop + "/" + std::to_string(id),
                                              .subject = {},
                                              .event = fact}});
        }
        return std::optional(std::move(events));
    }
    core::Result<bool> reads_all(const std::string& shop, const core::Deadline&) override {
        return reads_all_orders.contains(shop);
    }

    static std::shared_ptr<OrderChanged> snapshot(const std::string& shop, std::int64_t id, const Entry& entry,
                                                  core::SystemTime observed) {
        auto event = std::make_shared<OrderChanged>();
        event->mutable_order()->set_shop(shop);
        event->mutable_order()->set_order_id(id);
        set(event->mutable_order()->mutable_source_updated_at(), entry.updated_at);
        set(event->mutable_order()->mutable_created_at(), entry.created_at);
        set(event->mutable_order()->mutable_observed_at(), observed);
        event->mutable_order()->set_content_hash(entry.content);
        return event;
    }

private:
    static std::string cursor(core::SystemTime at, std::int64_t id) {
        auto number = std::to_string(id);
        return core::format_rfc3339_utc(at) + std::string(20 - number.size(), '0') + number;
    }
};

class CountedEvents final : public OrderCheckEvents {
public:
    std::map<std::string, std::int64_t> counts;
    std::vector<std::string> failures;
    void scanned(const std::string&, const GapState&) override {}
    void found(const std::string& shop, FetchReason reason, std::int64_t orders) override {
        counts[shop + " found " + std::string(to_string(reason))] += orders;
    }
    void fetched(const std::string& shop, std::string_view outcome) override { ++counts[shop + " " + std::string(outcome)]; }
    void published(const std::string& shop, FetchReason, std::int64_t events) override { counts[shop + " published"] += events; }
    void failed(const std::string& shop, std::string_view what, const core::Error& error) override {
        failures.push_back(shop + " " + std::string(what) + " " + error.code);
    }
    void subscriptions(const std::string& shop, std::int64_t missing) override { counts[shop + " missing"] = missing; }
    void repaired(const std::string& shop, std::string_view what) override { ++counts[shop + " " + std::string(what)]; }
};

struct OrderRig {
    ReceivedOrders received;
    syncline::kit::testing::Harness harness{
        {.migrations = {std::string(kReceivedOrdersSchema), std::string(kOrderChecksSchema)},
         .batches = {{.topic = std::string(syncline::topics::orders),
                      .consumer_group = "reconciliation.main.v1",
                      .types = ReceivedOrders::types(),
                      .apply = [this](std::span<const kit::BatchRecord> records, postgres::Transaction& tx) {
                          return received.apply(records, tx);
                      }}}}};
    FakeShopify shopify;
    CountedEvents events;
    CheckOptions options;
    PgOrderChecks checks{harness.database().pool(),
                         received,
                         [this](const core::Deadline&) -> core::Result<std::map<std::int32_t, std::int64_t>> {
                             std::map<std::int32_t, std::int64_t> next;
                             for (const auto& record : harness.published("orders.v1")) {
                                 next[record.position.partition] =
                                     std::max(next[record.position.partition], record.position.offset + 1);
                             }
                             return next;
                         },
                         harness.clock(),
                         1min,
                         300ms};

    OrderRig() { shopify.clock = &harness.clock(); }
    [[nodiscard]] core::SystemTime now() { return harness.clock().now(); }

    // As ingress would send it.
    void webhook(const std::string& shop, std::int64_t id) {
        const auto event = FakeShopify::snapshot(shop, id, shopify.shops[shop].at(id), now());
        harness.publish("orders.v1", shop + "/" + std::to_string(id), *event);
    }
    void settle() {
        // The relay looks for rows of our own once a second, of the clock that stands still.
        for (int second = 0; second < 20 && harness.count("SELECT count(*) FROM outbox") > 0; ++second) {
            harness.clock().advance(1s);
            static_cast<void>(harness.eventually([this] { return harness.count("SELECT count(*) FROM outbox") == 0; }, 500ms));
        }
        REQUIRE(harness.settle());
        REQUIRE(harness.eventually([this] { return checks.ledger_current().value_or(false); }));
    }
    [[nodiscard]] CheckOrders check() { return {shopify, checks, events, harness.clock(), options}; }
    // One pass of the service.
    void pass(const std::string& shop) {
        auto fresh = check();
        const auto scanned = fresh.scan(shop, [] { return true; });
        INFO((scanned ? std::string() : scanned.error().message));
        REQUIRE(scanned);
        REQUIRE(*scanned == ScanEnd::whole);
        look_up(shop);
    }
    void look_up(const std::string& shop) {
        auto fresh = check();
        for (auto more = core::Result<bool>(true); more && *more;) {
            more = fresh.look_up(shop, [] { return true; });
            INFO((more ? std::string() : more.error().message));
            REQUIRE(more);
        }
        settle();
    }
    // ce_ids of what was sent with that key, fetched snapshots alone.
    [[nodiscard]] std::vector<std::string> fetched_ids(const std::string& key) {
        std::vector<std::string> ids;
        for (const auto& record : harness.published("orders.v1")) {
            OrderChanged event;
            if (record.key == key &&
                syncline::kit::header_value(record.headers, "ce_type") == "syncline.orders.v1.OrderChanged" &&
                event.ParseFromString(record.value) && event.order().fetched()) {
                ids.emplace_back(syncline::kit::header_value(record.headers, "ce_id"));
            }
        }
        return ids;
    }
    [[nodiscard]] std::int64_t sent(const std::string& key, std::string_view type) {
        return std::ranges::count_if(harness.published("orders.v1"), [&](const auto& record) {
            return record.key == key && syncline::kit::header_value(record.headers, "ce_type") == type;
        });
    }
};

}  // namespace reconciliation::testing
