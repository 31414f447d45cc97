// What the check of orders needs from outside, by need: the shops, a memory of what was received and of what is to be fetched,
// inventory-sync's reservations.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/order_gaps.h"
#include "domain/subscription_plan.h"

namespace google::protobuf {
class MessageLite;
}

namespace reconciliation {

// Why orders are read: what goes first when points are short, and the cause on the event.
enum class Purpose : std::uint8_t { gap, backfill };

struct OrderPage {
    std::vector<ListedOrder> orders;  // Oldest change first.
    std::optional<std::string> next;
};

// An event for orders.v1.
struct LeavingEvent {
    std::string id;  // ce_id: says what it is, the same each time.
    std::string key;
    std::string subject;
    std::shared_ptr<const google::protobuf::MessageLite> event;
    core::SystemTime time = {};  // When what it tells became known; unset: now.
};
// A refund, or a movement of its money, as an event of its own.
struct Fact {
    std::string kind;
    std::int64_t id = 0;
    std::string state;
    LeavingEvent event;
};
// An order as it stands in Shopify, ready to leave. `snapshot.event` is an OrderChanged.
struct OrderAsEvents {
    core::SystemTime updated_at;
    LeavingEvent snapshot;
    std::vector<Fact> facts;
};

// Any thread; every call blocks to its deadline at most. Errors: those of libs/shopify.
class ShopOrders {
public:
    virtual ~ShopOrders() = default;
    [[nodiscard]] virtual core::Result<OrderPage> changed(const std::string& shop, core::SystemTime from, core::SystemTime to,
                                                          const std::optional<std::string>& after, Purpose purpose,
                                                          const core::Deadline& deadline) = 0;
    // The whole order; nullopt: Shopify has no such order, or none that the app may read. `occasion`: see fetched_event_id.
    [[nodiscard]] virtual core::Result<std::optional<OrderAsEvents>> fetch(const std::string& shop, std::int64_t order_id,
                                                                           Purpose purpose, const std::string& occasion,
                                                                           const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<bool> reads_all(const std::string& shop, const core::Deadline& deadline) = 0;
};

class ShopSubscriptions {
public:
    virtual ~ShopSubscriptions() = default;
    [[nodiscard]] virtual core::Result<std::vector<Subscription>> list(const std::string& shop,
                                                                       const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> create(const std::string& shop, const Subscription& wanted,
                                                    const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> update(const std::string& shop, const Subscription& wanted,
                                                    const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> remove(const std::string& shop, const Subscription& present,
                                                    const core::Deadline& deadline) = 0;
};

// An order that is to be fetched. It stays until that is done, whatever happens to the process.
struct Lookup {
    std::int64_t order_id = 0;
    std::string run;  // Of an operator; empty: of the check itself.
    Purpose purpose = Purpose::gap;
    FetchReason reason = FetchReason::missing;
    std::optional<core::SystemTime> listed_at;  // missing, outdated: the change that never came.
    int tries = 0;
};

struct GapState {
    std::optional<core::SystemTime> watermark;      // Shopify's clock.
    std::optional<core::SystemTime> covered_until;  // Our clock: GapScan::covered of the last whole scan.
    std::optional<core::SystemTime> passed_at;      // When that scan ended.
    std::optional<core::SystemTime> cleared_until;  // Told to inventory-sync.
    std::optional<core::SystemTime> published_at;   // When the check last published something.
    std::int64_t lookups = 0;                       // Open ones.
};

// What an operator asked for: every order of the window is looked at (reconcile), or fetched and sent again (backfill).
struct OrderRun {
    std::string id;
    std::string shop;
    Purpose purpose = Purpose::gap;
    bool dry_run = false;
    core::SystemTime since;
    core::SystemTime until;
    core::SystemTime position;         // All changes before it are listed.
    std::optional<std::string> after;  // Cursor of the next page, of a listing that began at `position`.
    int pages = 0;                     // Of that listing.
    bool listed = false;               // To the end.
    std::int64_t open = 0;             // Its lookups.
};
struct RunStep {
    std::vector<Lookup> found = {};
    std::int64_t listed = 0;
    core::SystemTime position;
    std::optional<std::string> after = {};
    int pages = 0;
    bool end = false;
};

enum class LookupEnd : std::uint8_t { published, came, gone };

// Any thread of any instance; every member is one transaction.
class OrderChecks {
public:
    virtual ~OrderChecks() = default;
    // Whether every record that orders.v1 had when this was asked has been read into the ledger.
    [[nodiscard]] virtual core::Result<bool> ledger_current() = 0;
    [[nodiscard]] virtual core::Result<std::map<std::int64_t, ReceivedOrder>> received(const std::string& shop,
                                                                                       const std::vector<std::int64_t>& ids) = 0;
    [[nodiscard]] virtual core::Result<std::vector<std::pair<std::int64_t, ReceivedOrder>>> waiting(const std::string& shop,
                                                                                                    core::SystemTime before,
                                                                                                    int most) = 0;
    [[nodiscard]] virtual core::Result<GapState> state(const std::string& shop) = 0;
    // What a page showed and the watermark behind it, together. The orders that were not noted before.
    [[nodiscard]] virtual core::Result<std::vector<std::int64_t>> note_page(const std::string& shop,
                                                                            const std::vector<Lookup>& found,
                                                                            const std::optional<core::SystemTime>& watermark) = 0;
    [[nodiscard]] virtual core::Result<void> note_pass(const std::string& shop, core::SystemTime covered) = 0;
    // The check's own first, then those of runs; each in the order in which it came.
    [[nodiscard]] virtual core::Result<std::vector<Lookup>> due(const std::string& shop, int most) = 0;
    // Events into the outbox, the ledger's row, and the end of the lookup. Facts that came before are left out, unless for a
    // backfill. How many events leave.
    [[nodiscard]] virtual core::Result<std::int64_t> publish(const std::string& shop, const Lookup& lookup,
                                                             const OrderAsEvents& order) = 0;
    // OrderDeleted, confirmed, and the end of the lookup.
    [[nodiscard]] virtual core::Result<void> publish_gone(const std::string& shop, const Lookup& lookup) = 0;
    [[nodiscard]] virtual core::Result<void> settle(const std::string& shop, const Lookup& lookup, LookupEnd end) = 0;
    // Later. One of a run that fails for the fifth time is the check's own from then on, so that the run ends.
    [[nodiscard]] virtual core::Result<void> postpone(const std::string& shop, const Lookup& lookup, core::SystemTime until,
                                                      const std::string& code) = 0;
    // When inventory-sync may be told: everything found up to the last scan has left the outbox. The time up to which.
    [[nodiscard]] virtual core::Result<std::optional<core::SystemTime>> clearable(const std::string& shop) = 0;
    [[nodiscard]] virtual core::Result<void> note_cleared(const std::string& shop, core::SystemTime until) = 0;
    // The oldest run of the shop that is not at its end.
    [[nodiscard]] virtual core::Result<std::optional<OrderRun>> open_run(const std::string& shop) = 0;
    [[nodiscard]] virtual core::Result<void> note_step(const OrderRun& run, const RunStep& step) = 0;
    [[nodiscard]] virtual core::Result<void> end_run(const OrderRun& run, const std::optional<core::Error>& error) = 0;
    // Rows that no scan will ask for any more, in a small step.
    [[nodiscard]] virtual core::Result<void> tidy() = 0;
};

class Reservations {
public:
    virtual ~Reservations() = default;
    // Falls of stock that were noticed before then are explained by orders, or by nothing.
    [[nodiscard]] virtual core::Result<void> clear_pending(const std::string& shop, core::SystemTime until,
                                                           const core::Deadline& deadline) = 0;
};

// What happened, for metrics and logs. Any thread; never blocks.
class OrderCheckEvents {
public:
    virtual ~OrderCheckEvents() = default;
    virtual void scanned(const std::string& shop, const GapState& state) = 0;
    virtual void found(const std::string& shop, FetchReason reason, std::int64_t orders) = 0;
    virtual void fetched(const std::string& shop, std::string_view outcome) = 0;
    virtual void published(const std::string& shop, FetchReason reason, std::int64_t events) = 0;
    virtual void failed(const std::string& shop, std::string_view what, const core::Error& error) = 0;
    virtual void subscriptions(const std::string& shop, std::int64_t missing) = 0;
    virtual void repaired(const std::string& shop, std::string_view what) = 0;
};

}  // namespace reconciliation
