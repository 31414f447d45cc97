// What Odoo answers, as values: one table turns every observed answer into a result or an Error of DESIGN's closed list.
//
// Status alone decides nothing: a stopped PostgreSQL behind Odoo is a 404 with an HTML body, an application error over JSON-RPC
// is a 200, a refused `load` is a 200 with ids:false, and a method that returns None has no result at all. Error messages carry
// the name of Odoo's exception and never its text: the text quotes names, addresses and VAT numbers. Odoo's own log has it.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::odoo {

// The result of one call. Cheap to copy; Values live as long as any copy.
class Answer {
public:
    Answer() = default;  // None.
    Answer(std::shared_ptr<const json::Document> document, json::Value value) : document_(std::move(document)), value_(value) {}
    // nullopt: the method returned None, which is success.
    [[nodiscard]] const std::optional<json::Value>& value() const { return value_; }
    // Same document, another place in it.
    [[nodiscard]] Answer at(json::Value value) const { return Answer(document_, value); }

private:
    std::shared_ptr<const json::Document> document_;
    std::optional<json::Value> value_;
};

// JSON-2: a bare value with 2xx, else {name, message, …} or a bare text.
[[nodiscard]] core::Result<Answer> read_json2(http::Response&& response);
// JSON-RPC: an envelope with result, error or neither.
[[nodiscard]] core::Result<Answer> read_jsonrpc(http::Response&& response);

// The table: exception name, its text (read for a few fixed phrases, never kept) and the HTTP status (200 for JSON-RPC).
[[nodiscard]] core::Error error_of(std::string_view exception, std::string_view text, int status);

// Whether a text of `load`'s messages or of an exception says that another transaction was in the way.
[[nodiscard]] bool says_serialization(std::string_view text);

// What `load` says of one record.
struct LoadMessage {
    bool error = true;         // Else a warning, which changes nothing.
    std::int64_t record = -1;  // 0-based record of the call; -1 if it names none.
    std::string field;         // Column; may be empty.
    std::string text_hash;     // Equal texts have equal hashes; the text itself is not kept.
    std::string code;  // By the fixed phrases: "unknown_reference", "invalid_vat", "serialization_failure", … or "load_refused".
};

struct LoadReply {
    std::optional<std::vector<std::int64_t>> ids;  // In the order of the records; nullopt: nothing was created or changed.
    std::vector<LoadMessage> messages;             // Odoo lists at most ten.
};

// {"ids":[…]|false,"messages":[…]}. An answer that is neither is kind conflict, code "reply_unexpected".
[[nodiscard]] core::Result<LoadReply> read_load(const Answer& answer);

// What a refused load means for its records.
struct LoadVerdict {
    // Another transaction was in the way: nothing is known about any record, send all again.
    bool send_again = false;
    // Records that are certainly refused, with the first message of each.
    struct Refused {
        std::size_t record = 0;
        std::string code;
        std::string field;
    };
    std::vector<Refused> refused;
};

// Applies the rules seen on a running server (odoo.md §7.1): any "could not serialize" makes the whole answer transient; after a
// UserError the first message is a copy with record 0, so record 0 is innocent if its text is also another record's.
[[nodiscard]] LoadVerdict judge(const LoadReply& reply, std::size_t records);

// An amount that Odoo sent as a float ("1.8499999999999996"), read from its text and rounded once to `places`.
[[nodiscard]] core::Result<core::Decimal> amount(const json::Value& value, int places);

// A many2one: [id, "name"], or nullopt for false.
struct Reference {
    std::int64_t id = 0;
    std::string name;
    friend bool operator==(const Reference&, const Reference&) = default;
};
[[nodiscard]] core::Result<std::optional<Reference>> reference(const json::Value& value);

// A text field; every empty field is `false`, which reads as "".
[[nodiscard]] std::string text(const std::optional<json::Value>& value);
// A list of ids; false reads as empty.
[[nodiscard]] std::vector<std::int64_t> ids(const std::optional<json::Value>& value);
[[nodiscard]] bool truth(const std::optional<json::Value>& value);

}  // namespace syncline::odoo
