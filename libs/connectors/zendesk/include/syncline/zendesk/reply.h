// What Zendesk answers, as values and errors of the closed list. Pure functions; any thread.
//
// Bodies may hold names and addresses: no error text repeats anything of them but words known here.
#pragma once

#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::zendesk {

// What the request was: what a lost answer means depends on it.
enum class Access : std::uint8_t { read, write };

struct Ticket {
    std::int64_t id = 0;
    std::string status;  // new, open, pending, hold, solved or closed.
    friend bool operator==(const Ticket&, const Ticket&) = default;
};

// One page of a ticket's history.
struct AuditPage {
    bool found = false;      // A comment of it ends with the mark.
    std::string next_after;  // Cursor of the next page; empty: this was the last.
};

// The body of an answer of success, else the error. Kinds:
//   unauthorized     401, 403: the token, its role or the plan
//   throttled        429, with Zendesk's Retry-After
//   transient        503, and 408, 500, 502, 504 of a reading call
//   unknown_outcome  408, 500, 502, 504 of a writing call; success whose body cannot be read
//   conflict         409; "idempotency_key_used": the key came with other bytes before
//   rejected         404 "ticket_gone", 422 "ticket_closed" and "record_invalid", 400, 413, 415, any other status
//   needs_decision   422 "duplicate_value": an address belongs to somebody else
[[nodiscard]] core::Result<json::Document> body_of(http::Response response, Access access);

// The member "ticket" of an answer.
[[nodiscard]] core::Result<Ticket> ticket_in(const json::Document& answer);
// The oldest of the member "tickets": an external id is not unique in Zendesk. Nothing when there is none.
[[nodiscard]] core::Result<std::optional<Ticket>> first_ticket_in(const json::Document& answer);
// The id of the member "user".
[[nodiscard]] core::Result<std::int64_t> user_in(const json::Document& answer);
[[nodiscard]] core::Result<AuditPage> audits_in(const json::Document& answer, std::string_view mark);

}  // namespace syncline::zendesk
