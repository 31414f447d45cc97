// What keeps orders and refunds away from a target, and which of it is one cause.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/ids.h>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helpdesk_sync {

namespace core = syncline::core;

struct OrderKey {
    core::ShopAlias shop;
    core::OrderId id;
    [[nodiscard]] std::string text() const { return shop.value() + "/" + id.text(); }
    friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

enum class Trouble : std::uint8_t { order_held, order_failed, refund_held, refund_failed };
[[nodiscard]] std::string_view to_string(Trouble trouble);
[[nodiscard]] std::optional<Trouble> trouble_from(std::string_view name);

// What many orders may have in common: one ticket.
struct Cause {
    std::string connection;
    Trouble trouble = Trouble::order_held;
    std::string code;       // "tax_unmapped"
    std::string waits_for;  // "tax:FR/20.0/incl"; empty when it waits for a person.
    // Short, the same for equal causes alone, plain enough for keys of other systems.
    [[nodiscard]] std::string id() const;
    friend auto operator<=>(const Cause&, const Cause&) = default;
};

// Which of two statements of one connection about one order is newer.
struct StatementVersion {
    std::int64_t updated_ns = 0;
    std::int64_t observed_ns = 0;
    std::int64_t said_ns = 0;
    friend auto operator<=>(const StatementVersion&, const StatementVersion&) = default;
};

enum class StatementKind : std::uint8_t { exported, held, failed, refund_exported, refund_held, refund_failed, hold_ended };

// One event of exports.v1.
struct Statement {
    StatementKind kind = StatementKind::exported;
    OrderKey order;
    std::string connection;
    StatementVersion version;
    std::string subject;         // "" the order's export, "risk", "deletion", "refund/<id>".
    std::string code;            // held, failed, refund_held, refund_failed
    std::string waits_for;       // held, refund_held; may be empty
    std::string document_state;  // exported: as the target calls it.
};

// How one subject of an order stands with a connection.
struct Standing {
    StatementVersion version;
    std::optional<Cause> cause;  // Nothing: it arrived, or nothing of it waits any more.
    friend bool operator==(const Standing&, const Standing&) = default;
};
using Standings = std::map<std::string, Standing, std::less<>>;  // By subject.

struct Change {
    std::string subject;
    Standing now;
    std::optional<Cause> before;
    // The causes whose tickets have news.
    [[nodiscard]] std::vector<Cause> touched() const;
    friend bool operator==(const Change&, const Change&) = default;
};

// What the statement changes of what is known. Nothing for an older one, for one that says the same again, and for an arrival of
// what never was in trouble.
[[nodiscard]] std::vector<Change> take(const Standings& known, const Statement& statement);

}  // namespace helpdesk_sync
