// What a merchant is told of an order: what each connection has said of it, what Shopify shows of that, what has to change.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/ids.h>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace order_status {

namespace core = syncline::core;

struct OrderKey {
    core::ShopAlias shop;
    core::OrderId id;
    [[nodiscard]] std::string text() const { return shop.value() + "/" + id.text(); }
    friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

// Which of two statements of one connection about one order is newer: the version of the snapshot it came from, then its own
// time.
struct StatementVersion {
    std::int64_t updated_ns = 0;
    std::int64_t observed_ns = 0;
    std::int64_t said_ns = 0;
    friend auto operator<=>(const StatementVersion&, const StatementVersion&) = default;
};

struct TargetDocument {
    std::string reference;  // The target's id.
    std::string name;       // "S00042"
    std::string state;      // As the target calls it: draft, sent, sale, done, cancel.
    friend bool operator==(const TargetDocument&, const TargetDocument&) = default;
};

enum class StatementKind : std::uint8_t { exported, held, failed, hold_ended, refund_exported, refund_held, document_changed };

// One event of exports.v1.
struct Statement {
    StatementKind kind = StatementKind::exported;
    StatementVersion version;
    TargetDocument document;  // exported, document_changed
    std::string invoicing;    // document_changed
    std::string delivery;     // document_changed
    std::string code;         // held, failed, refund_held
    std::string waits_for;    // held, refund_held; may be empty
    // What it is about: "" the order's export, "risk", "deletion", "refund/<id>". held, hold_ended, refund_*.
    std::string subject;
};

enum class Standing : std::uint8_t { none, exported, held, failed };
[[nodiscard]] std::string_view to_string(Standing standing);
[[nodiscard]] Standing standing_from(std::string_view name);

// How the export of an order, or something else about it, stands with a connection.
struct Stand {
    StatementVersion version;
    Standing standing = Standing::none;
    std::string reason;  // held, failed: what it waits for, else the code.
    friend bool operator==(const Stand&, const Stand&) = default;
};

// Everything one connection has said of one order, and what Shopify shows of it.
struct ConnectionStatus {
    Stand order;
    std::map<std::string, Stand, std::less<>> others;  // By subject.
    StatementVersion document_version;
    TargetDocument document;
    StatementVersion progress_version;
    std::string invoicing;
    std::string delivery;
    std::map<std::string, std::string, std::less<>> shown;  // Field → value, without the time.
};

// An order with all connections that have spoken of it.
struct OrderStatus {
    OrderKey key;
    std::int64_t revision = 0;  // Grows with each write to Shopify.
    std::map<std::string, ConnectionStatus, std::less<>> connections;
    std::set<std::string, std::less<>> tags;  // Those we have put there.
};

// Takes the statement in. False: something newer was said of the same thing, nothing changed.
[[nodiscard]] bool take(ConnectionStatus& status, const Statement& statement);

// One word a merchant can filter by: held, failed, exported, confirmed, partly_shipped, shipped, invoiced, cancelled, or the
// target's own word for a state that is none of these. Empty when there is nothing to tell.
[[nodiscard]] std::string state_of(const ConnectionStatus& status);
// What Shopify should show of a connection, by field: connection, document, reason, reference, state. Fields without a value are
// left out; reason is "none" where it was shown before, for a metafield cannot be empty.
[[nodiscard]] std::map<std::string, std::string, std::less<>> fields_of(const std::string& connection,
                                                                        const ConnectionStatus& status);

struct TagNames {
    std::string exported;  // Empty: no such tag.
    std::string held = "syncline-held";
    std::string failed = "syncline-failed";
};
[[nodiscard]] std::set<std::string, std::less<>> tags_of(const OrderStatus& order, const TagNames& names);

// "odoo-main_state": at most 64 characters, a long connection's end gives way to a hash of its name.
[[nodiscard]] std::string metafield_key(std::string_view connection, std::string_view field);

struct FieldChange {
    std::string key;
    std::string value;
    bool time = false;  // A date_time, else a single_line_text_field.
    friend bool operator==(const FieldChange&, const FieldChange&) = default;
};
struct Change {
    std::vector<FieldChange> fields;
    std::vector<std::string> tags_added;
    std::vector<std::string> tags_removed;
    [[nodiscard]] bool empty() const { return fields.empty() && tags_added.empty() && tags_removed.empty(); }
};
// What has to be written after `connection` has spoken: only what differs from what is shown, and the time with it. With
// `everything`, what is shown counts as unknown: all fields of all connections and all tags, those of `names` that are not wanted
// included.
[[nodiscard]] Change change_for(const OrderStatus& order, const std::string& connection, const TagNames& names, bool everything);
// The order as it is shown once that change is written: one revision further.
void mark_shown(OrderStatus& order, const std::string& connection, const TagNames& names);

}  // namespace order_status
