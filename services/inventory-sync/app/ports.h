// What the use cases of inventory-sync need from outside, by need: a memory of what is to be sent, and the shops.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/belief.h"
#include "domain/order_book.h"
#include "domain/rules.h"
#include "domain/targets.h"

namespace inventory_sync {

// The rules in force; null before the first mapping was read.
struct CurrentRules {
    std::shared_ptr<const Rules> rules;
    std::string version;
};
using RulesSource = std::function<CurrentRules()>;

struct PairId {
    std::int64_t item = 0;
    std::int64_t location = 0;
    friend auto operator<=>(const PairId&, const PairId&) = default;
};

struct Write {
    PairId pair;
    std::int64_t quantity = 0;
    std::int64_t change_from = 0;
};

// A write on its way: the bytes that were first sent under its key, and whose pairs they are.
struct Batch {
    std::int64_t id = 0;
    std::string shop;
    std::string body;  // With the key; only these bytes are sent again.
    core::SystemTime formed_at{};
    int tries = 0;  // This one included.
    std::vector<PairId> pairs;
    std::vector<std::int64_t> quantities;
    std::vector<core::SystemTime> since;  // When the oldest change in each was received.
};

// A pair whose value in Shopify is to be read.
struct Look {
    PairId pair;
    QuantityName name = QuantityName::available;
    // What Shopify has committed beyond known_open counts: a first look at a level net of the source's own.
    bool counts_committed = false;
    std::int64_t known_open = 0;  // Open units of this shop's orders at the pair.
    Belief belief;
};
struct Seen {
    Look look;
    bool stocked = false;
    Belief belief;  // Afterwards.
};

enum class ProblemKind : std::uint8_t { stale, refused };
struct PairProblem {
    std::size_t index = 0;
    ProblemKind kind = ProblemKind::refused;
    std::string code;
};

// Keeps pairs and batches. Any thread of any instance; every member is one transaction.
class SendStore {
public:
    virtual ~SendStore() = default;
    // A batch that is on its way and due; it is the caller's until `claimed_until`.
    [[nodiscard]] virtual core::Result<std::optional<Batch>> due_batch(const std::string& shop,
                                                                       core::SystemTime claimed_until) = 0;
    // A new batch of at most `most` pairs, the most urgent first, or the oldest; of suspected pairs first. `form` makes the body.
    using Form = std::function<core::Result<std::string>(QuantityName, const std::vector<Write>&)>;
    [[nodiscard]] virtual core::Result<std::optional<Batch>> form_batch(const std::string& shop, std::size_t most, bool by_age,
                                                                        core::SystemTime claimed_until, const Form& form) = 0;
    [[nodiscard]] virtual core::Result<void> applied(const Batch& batch) = 0;
    // Nothing of it was done. Stale pairs will be looked at, refused ones are held; without problems one of them is bad and the
    // batch is halved until it is found.
    [[nodiscard]] virtual core::Result<void> refused(const Batch& batch, const std::vector<PairProblem>& problems) = 0;
    // Its key is spent, or too old to be remembered: all its pairs are looked at and sent anew.
    [[nodiscard]] virtual core::Result<void> dropped(const Batch& batch) = 0;
    // Certainly nothing of it was done: its pairs are free, so that what goes next is what is true then.
    [[nodiscard]] virtual core::Result<void> released(const Batch& batch) = 0;
    // The same bytes again at that time.
    [[nodiscard]] virtual core::Result<void> postponed(const Batch& batch, core::SystemTime until) = 0;
    // Nothing of it will be done: its pairs are held.
    [[nodiscard]] virtual core::Result<void> given_up(const Batch& batch, const std::string& code) = 0;

    [[nodiscard]] virtual core::Result<std::vector<Look>> looks(const std::string& shop, std::size_t most) = 0;
    // Counts only where no order was heard of since the look was taken out. Returns how many pairs fell without a known cause.
    [[nodiscard]] virtual core::Result<std::int64_t> looked(const std::string& shop, const std::vector<Seen>& seen) = 0;
};

enum class SendFate : std::uint8_t {
    applied,
    refused,    // As a whole.
    not_done,   // Certainly: throttled, no connection, no access.
    again,      // Nothing is known.
    form_anew,  // The key is spent.
    give_up,
};
struct Sent {
    SendFate fate = SendFate::applied;
    std::vector<PairProblem> problems;         // refused: may be empty, then Shopify does not say which.
    std::chrono::milliseconds retry_after{0};  // not_done, again
    std::string code;                          // All but applied and refused.
};
// What happened, for metrics and logs. Any thread; never blocks.
class SendEvents {
public:
    virtual ~SendEvents() = default;
    virtual void sent(const Batch& batch, const Sent& sent, core::SystemTime now) = 0;
    virtual void fell(const std::string& shop, std::int64_t pairs) = 0;  // Without a known cause.
    virtual void failed(std::string_view what, const core::Error& error) = 0;
};

struct ShopLevel {
    bool stocked = false;
    std::int64_t quantity = 0;   // Of the name that was asked for.
    std::int64_t committed = 0;  // Where it was asked for.
};
struct FoundItem {
    std::int64_t item = 0;
    std::string sku;
    bool tracked = false;
};

struct ShopLocation {
    std::int64_t location = 0;
    std::string name;
    bool active = false;
};

// The stock of the shops. Any thread; blocks to the deadline at most.
class ShopStock {
public:
    virtual ~ShopStock() = default;
    [[nodiscard]] virtual core::Result<std::string> form(const std::string& shop, QuantityName name,
                                                         const std::vector<Write>& writes) = 0;
    [[nodiscard]] virtual Sent send(const std::string& shop, const std::string& body, const core::Deadline& deadline) = 0;
    // Of each pair what its look needs, in the order of the looks.
    [[nodiscard]] virtual core::Result<std::vector<ShopLevel>> read(const std::string& shop, const std::vector<Look>& looks,
                                                                    const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<std::vector<FoundItem>> find_items(const std::string& shop,
                                                                          const std::vector<std::string>& skus,
                                                                          const core::Deadline& deadline) = 0;
    // All of the shop's locations, those that are not active too.
    [[nodiscard]] virtual core::Result<std::vector<ShopLocation>> locations(const std::string& shop,
                                                                            const core::Deadline& deadline) = 0;
    // Open units by line and location; nullopt: the order does not exist.
    [[nodiscard]] virtual core::Result<std::optional<std::vector<PlacedLine>>> places(const std::string& shop, std::int64_t order,
                                                                                      const core::Deadline& deadline) = 0;
};

}  // namespace inventory_sync
