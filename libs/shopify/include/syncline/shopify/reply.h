// What Shopify answers, as values: one table turns every kind of answer into a Reply or an Error of the closed list.
//
// Three layers can say no: the HTTP status, top-level `errors` (with HTTP 200, possibly beside partial data) and `userErrors`
// inside the payload. Error messages carry codes and field paths, never Shopify's texts: those may quote what was sent.
//
//   throttled        THROTTLED and HTTP 429, with retry_after: nothing was carried out.
//   unauthorized     401, 402, 403, 404, 423, ACCESS_DENIED, SHOP_INACTIVE: the shop is closed to us.
//   transient        a query that met 5xx or no JSON: the target is not there.
//   unknown_outcome  a mutation that met 5xx, no JSON or INTERNAL_SERVER_ERROR.
//   conflict         a query that met INTERNAL_SERVER_ERROR; IDEMPOTENCY_CONCURRENT_REQUEST, IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED
//                    and a stale compare (the code tells which).
//   rejected         any other userError.
//   bug              what only our own fault can cause: a document or variables that do not fit the schema, MAX_COST_EXCEEDED,
//                    IDEMPOTENCY_KEY_PARAMETER_MISMATCH.
//
// Pure functions and values; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <syncline/shopify/operation.h>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace syncline::shopify {

// Of `extensions.cost`. Points are Shopify's own unit, with fractions.
struct Throttle {
    double maximum = 0;       // Size of the bucket.
    double available = 0;     // In it when the answer left.
    double restore_rate = 0;  // Points a second.
};
struct Cost {
    double requested = 0;
    std::optional<double> actual;  // Absent when nothing was carried out.
    std::optional<Throttle> throttle;
};

struct UserError {
    std::string code;                // Lower case ("invalid_location"); "user_error" where Shopify gives none.
    std::vector<std::string> field;  // {"input", "quantities", "3", "quantity"}; empty when it names none.
};

// The data of one answer. Cheap to copy; Values live as long as any copy.
class Reply {
public:
    Reply(std::shared_ptr<const json::Document> document, json::Value data, std::vector<UserError> user_errors,
          std::size_t denied)
        : document_(std::move(document)), data_(data), user_errors_(std::move(user_errors)), denied_(denied) {}
    // An object.
    [[nodiscard]] json::Value data() const { return data_; }
    // Of all payloads. Only Admin::call_with_user_errors gives a Reply that has any.
    [[nodiscard]] const std::vector<UserError>& user_errors() const { return user_errors_; }
    // Fields that came as null because the app may not read them; only for operations that allow it.
    [[nodiscard]] std::size_t denied() const { return denied_; }
    // When the request left, by the wall clock: what the answer says held then or later.
    [[nodiscard]] core::SystemTime sent_at() const { return sent_at_; }
    void set_sent_at(core::SystemTime at) { sent_at_ = at; }

private:
    std::shared_ptr<const json::Document> document_;
    json::Value data_;
    std::vector<UserError> user_errors_;
    std::size_t denied_;
    core::SystemTime sent_at_{};
};

struct Answer {
    core::Result<Reply> reply;
    std::optional<Cost> cost;  // Also of refused calls.
};

[[nodiscard]] Answer read_answer(http::Response&& response, const Operation& operation);

// The first of them as an Error, by the table above; the message lists up to five as "field: code".
[[nodiscard]] core::Error error_of(const std::vector<UserError>& errors);

}  // namespace syncline::shopify
