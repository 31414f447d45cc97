#include "app/watch_documents.h"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <atomic>
#include <map>

using namespace order_export;
using namespace std::chrono_literals;
using core::ErrorKind;

namespace {

const SnapshotVersion kFirst{.updated_ns = 1};
const SnapshotVersion kSecond{.updated_ns = 2};

class FakeFeeds final : public DocumentFeeds {
public:
    std::map<Feed, std::vector<std::pair<core::SystemTime, TargetId>>> changes;
    std::map<TargetId, DocumentProgress> documents;
    std::map<Feed, core::SystemTime> asked_since;
    bool away = false;
    std::function<void()> while_reading = [] {
    };

    core::Result<FeedChanges> changed(Feed feed, core::SystemTime since, const core::Deadline&) override {
        if (away) {
            return core::fail(ErrorKind::transient, "away", "away");
        }
        asked_since[feed] = since;
        FeedChanges found;
        for (const auto& [time, id] : changes[feed]) {
            if (time >= since) {
                found.documents.push_back(id);
                found.newest = found.newest ? std::max(*found.newest, time) : time;
            }
        }
        return found;
    }
    core::Result<std::vector<DocumentNow>> read(std::span<const TargetId> ids, const core::Deadline&) override {
        std::vector<DocumentNow> found;
        for (const auto& id : ids) {
            if (documents.contains(id)) {
                found.push_back({.id = id, .name = "S" + id, .progress = documents.at(id)});
            }
        }
        while_reading();
        return found;
    }
};

class FakeMemory final : public DocumentMemory {
public:
    std::map<TargetId, KnownDocument> ledger;
    std::map<Feed, core::SystemTime> positions;
    std::vector<std::string> told;
    bool announcing_fails = false;
    std::atomic<int> leases = 0;
    std::atomic<int> holds_looked_at = 0;
    std::atomic<bool> leased = true;

    bool lease(std::chrono::milliseconds) override {
        ++leases;
        return leased;
    }
    void release() override {}
    core::Result<std::optional<core::SystemTime>> position(Feed feed) override {
        return positions.contains(feed) ? std::optional(positions.at(feed)) : std::optional<core::SystemTime>{};
    }
    core::Result<void> keep_position(Feed feed, core::SystemTime newest) override {
        positions[feed] = newest;
        return {};
    }
    core::Result<std::vector<KnownDocument>> known(std::span<const TargetId> ids) override {
        std::vector<KnownDocument> found;
        for (const auto& id : ids) {
            if (ledger.contains(id)) {
                found.push_back(ledger.at(id));
            }
        }
        return found;
    }
    core::Result<void> announce(std::span<const Announcement> announcements, core::SystemTime) override {
        if (announcing_fails) {
            return core::fail(ErrorKind::transient, "postgres_unavailable", "away");
        }
        for (const auto& [document, now] : announcements) {
            told.push_back(now.id + " " + now.progress.state + " " + now.progress.invoicing + " " + now.progress.delivery);
            ledger.at(now.id).announced = AnnouncedProgress{.progress = now.progress, .version = document.version};
        }
        return {};
    }
    core::Result<std::size_t> end_holds(std::chrono::milliseconds) override {
        ++holds_looked_at;
        return 0;
    }
};

struct Rig {
    core::ManualClock clock;
    FakeFeeds feeds;
    FakeMemory memory;
    WatchDocuments watch{feeds, memory, clock, {}};

    void exported(const TargetId& id, DocumentState state, const SnapshotVersion& version = kFirst) {
        auto& document = memory.ledger[id];
        document.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(5001)};
        document.id = id;
        document.state = state;
        document.version = version;
    }
    void changed(Feed feed, const TargetId& id, DocumentProgress progress) {
        feeds.changes[feed].emplace_back(clock.now(), id);
        feeds.documents[id] = std::move(progress);
    }
    std::size_t pass() {
        const auto done = watch.pass();
        REQUIRE(done);
        return *done;
    }
};

}  // namespace

TEST_CASE("documents: what the export has said itself is no news, what somebody did by hand is, once", "[order-export][unit]") {
    Rig rig;
    rig.exported("7", DocumentState::quotation);
    rig.changed(Feed::orders, "7", {.state = "draft", .invoicing = "no", .delivery = ""});
    CHECK(rig.pass() == 0);
    rig.changed(Feed::orders, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = "pending"});
    CHECK(rig.pass() == 1);
    CHECK(rig.pass() == 0);
    rig.changed(Feed::transfers, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = "full"});
    CHECK(rig.pass() == 1);
    rig.changed(Feed::invoices, "7", {.state = "sale", .invoicing = "invoiced", .delivery = "full"});
    CHECK(rig.pass() == 1);
    rig.changed(Feed::orders, "7", {.state = "cancel", .invoicing = "invoiced", .delivery = "full"});
    CHECK(rig.pass() == 1);
    CHECK(rig.pass() == 0);
    CHECK(rig.memory.told == std::vector<std::string>{"7 sale to_invoice pending", "7 sale to_invoice full",
                                                      "7 sale invoiced full", "7 cancel invoiced full"});
}

TEST_CASE("documents: a quotation that was mailed and an order that was locked are no news", "[order-export][unit]") {
    Rig rig;
    rig.exported("7", DocumentState::quotation);
    rig.exported("8", DocumentState::confirmed);
    rig.changed(Feed::orders, "7", {.state = "sent", .invoicing = "no", .delivery = ""});
    rig.changed(Feed::orders, "8", {.state = "done", .invoicing = "to_invoice", .delivery = "pending"});
    CHECK(rig.pass() == 0);
}

TEST_CASE("documents: those of others are not read further", "[order-export][unit]") {
    Rig rig;
    rig.changed(Feed::orders, "99", {.state = "cancel", .invoicing = "no", .delivery = ""});
    CHECK(rig.pass() == 0);
    CHECK(rig.memory.told.empty());
}

TEST_CASE("documents: an export that ended while the target was read does not hide what was done by hand before it",
          "[order-export][unit]") {
    Rig rig;
    rig.exported("7", DocumentState::quotation);
    rig.changed(Feed::orders, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = "pending"});
    CHECK(rig.pass() == 1);
    // The export of a newer snapshot says draft, as it read before somebody confirmed.
    rig.exported("7", DocumentState::quotation, kSecond);
    rig.changed(Feed::orders, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = "pending"});
    CHECK(rig.pass() == 1);
    CHECK(rig.pass() == 0);
    // One that says the same needs no addition.
    rig.exported("7", DocumentState::confirmed, {.updated_ns = 3});
    CHECK(rig.pass() == 0);
    // And one that confirms in between has said so itself.
    Rig between;
    between.exported("7", DocumentState::quotation);
    between.changed(Feed::orders, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = "pending"});
    between.feeds.while_reading = [&] {
        between.exported("7", DocumentState::confirmed, kSecond);
    };
    CHECK(between.pass() == 0);
}

TEST_CASE("documents: each look goes back before the last, by the target's clock, and what failed is looked at again",
          "[order-export][unit]") {
    Rig rig;
    rig.exported("7", DocumentState::quotation);
    CHECK(rig.pass() == 0);
    CHECK(rig.feeds.asked_since.at(Feed::orders) == rig.clock.now() - 24h);
    const auto stamp = rig.clock.now();
    rig.changed(Feed::orders, "7", {.state = "sale", .invoicing = "to_invoice", .delivery = ""});
    rig.memory.announcing_fails = true;
    CHECK(rig.watch.pass().error().kind == ErrorKind::transient);
    CHECK(rig.memory.positions.empty());
    rig.memory.announcing_fails = false;
    rig.clock.advance(48h);
    rig.memory.positions[Feed::orders] = stamp;
    CHECK(rig.pass() == 1);
    CHECK(rig.feeds.asked_since.at(Feed::orders) == stamp - 3min);
    // A change that was stamped before the last look and seen after it.
    rig.exported("8", DocumentState::quotation);
    rig.feeds.changes[Feed::orders].emplace_back(stamp - 2min, "8");
    rig.feeds.documents["8"] = {.state = "cancel", .invoicing = "no", .delivery = ""};
    CHECK(rig.pass() == 1);
}

TEST_CASE("documents: a target that is away is asked again, and a document that is gone says nothing", "[order-export][unit]") {
    Rig rig;
    rig.exported("7", DocumentState::quotation);
    rig.feeds.changes[Feed::orders].emplace_back(rig.clock.now(), "7");
    CHECK(rig.pass() == 0);
    rig.feeds.away = true;
    CHECK_FALSE(rig.watch.pass());
}

TEST_CASE("documents: the watch polls by its interval, only with the lease, and not at all when it is off",
          "[order-export][unit]") {
    const auto calls_after = [](WatchOptions options, bool leased) {
        core::ManualClock clock;
        FakeFeeds feeds;
        FakeMemory memory;
        memory.leased = leased;
        WatchDocuments watch(feeds, memory, clock, options);
        DocumentWatch thread(watch, memory, clock, options, [](std::string_view, const core::Error&) {});
        thread.start();
        for (int i = 0; i < 2'000 && memory.leases < 5; ++i) {
            clock.advance(31s);
            std::this_thread::yield();
            core::system_clock().sleep_for(1ms);
        }
        thread.stop();
        CHECK(memory.leases >= 5);
        return std::pair(!feeds.asked_since.empty(), memory.holds_looked_at > 0);
    };
    CHECK(calls_after({}, true) == std::pair(true, true));
    CHECK(calls_after({}, false) == std::pair(false, false));
    CHECK(calls_after({.poll = 0ms}, true) == std::pair(false, true));
}
