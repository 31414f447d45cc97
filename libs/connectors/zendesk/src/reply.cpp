#include "syncline/zendesk/reply.h"

#include <syncline/core/parse.h>
#include <algorithm>
#include <utility>

namespace syncline::zendesk {
namespace {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

constexpr json::Limits kLimits{.depth_max = 32, .bytes_max = 8UL * 1024 * 1024, .reject_duplicate_keys = false};
constexpr std::int64_t kPatienceMax = 600;  // Seconds; the longest window of Zendesk's limits is ten minutes.

std::chrono::seconds retry_after(const http::Response& response, std::int64_t otherwise) {
    const auto seconds = core::parse_int<std::int64_t>(response.headers.get("retry-after"));
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds.value_or(otherwise), 0, kPatienceMax));
}

// The word in "error": a text, or the title in an object. Other shapes and plain text have none.
std::string error_word(const std::optional<json::Document>& body) {
    if (!body || !body->root().is_object()) {
        return {};
    }
    const auto error = body->root().get_present("error");
    if (!error) {
        return {};
    }
    const auto word = error->is_object() ? error->string_of("title") : error->string();
    return std::string(word.value_or(std::string_view()));
}

// Whether a detail of a validation error says so, in its "error" or its "description".
bool detail_says(const std::optional<json::Document>& body, std::string_view words) {
    const auto details = body && body->root().is_object() ? body->root().get_present("details") : std::nullopt;
    if (!details) {
        return false;
    }
    const auto said = [words](const json::Value& detail, std::string_view member) {
        return detail.string_of(member).value_or(std::string_view()).find(words) != std::string_view::npos;
    };
    for (const auto field : details->members()) {
        for (const auto detail : field.value.elements()) {
            if (said(detail, "error") || said(detail, "description")) {
                return true;
            }
        }
    }
    return false;
}

Error make(ErrorKind kind, std::string code, std::string message, std::string hint = {}) {
    return {.kind = kind, .code = std::move(code), .message = std::move(message), .hint = std::move(hint)};
}

Error patience(ErrorKind kind, std::string code, std::string message, std::chrono::seconds wait) {
    auto error = make(kind, std::move(code), std::move(message));
    error.retry_after = wait;
    return error;
}

Error no_answer(Access access, int status) {
    return make(access == Access::write ? ErrorKind::unknown_outcome : ErrorKind::transient, "http_" + std::to_string(status),
                "Zendesk, or a proxy before it, gave no answer of its own");
}

Error refused(int status, const std::optional<json::Document>& body) {
    const auto word = error_word(body);
    switch (status) {
        case 400:
            return word == "IdempotentRequestError"
                       ? make(ErrorKind::conflict, "idempotency_key_used", "the idempotency key came with other bytes before")
                       : make(ErrorKind::rejected, "bad_request", "Zendesk cannot read the request");
        case 404:
            return make(ErrorKind::rejected, "ticket_gone", "Zendesk does not know the record: deleted, or never there");
        case 409:
            return make(ErrorKind::conflict, "concurrent_change", "somebody else changes the record at this moment");
        case 422:
            if (detail_says(body, "closed prevents ticket update")) {
                return make(ErrorKind::rejected, "ticket_closed", "the ticket is closed and cannot be changed any more");
            }
            if (detail_says(body, "DuplicateValue")) {
                return make(ErrorKind::needs_decision, "duplicate_value", "a value belongs to another record already",
                            "check requester.email and requester.external_id in Zendesk");
            }
            return make(ErrorKind::rejected, "record_invalid", "Zendesk refuses a value of the record",
                        "check group, tags and required fields of the ticket form");
        default:
            return make(ErrorKind::rejected, "http_" + std::to_string(status), "Zendesk refuses the request");
    }
}

Result<Ticket> ticket_from(const json::Value& value) {
    const auto id = value.int64_of("id");
    if (!id || *id <= 0) {
        return fail(ErrorKind::unknown_outcome, "reply_unreadable", "an answer of Zendesk holds no ticket");
    }
    return Ticket{.id = *id, .status = std::string(value.string_of("status").value_or(std::string_view()))};
}

}  // namespace

Result<json::Document> body_of(http::Response response, Access access) {
    const auto status = response.status;
    if (status == 401 || status == 403) {
        return fail(ErrorKind::unauthorized, status == 401 ? "token_refused" : "rights_missing",
                    "Zendesk refuses the API token, its role or its scope",
                    "put a new token into the token file; it is re-read. The user needs the role agent or admin");
    }
    if (status == 429) {
        return std::unexpected(
            patience(ErrorKind::throttled, "throttled", "a limit of the Zendesk account is used up", retry_after(response, 60)));
    }
    if (status == 503) {
        return std::unexpected(
            patience(ErrorKind::transient, "unavailable", "Zendesk is not available", retry_after(response, 0)));
    }
    if (status == 408 || status == 500 || status == 502 || status == 504) {
        return std::unexpected(no_answer(access, status));
    }
    auto parsed = json::Document::parse(std::move(response.body), kLimits);
    if (status < 200 || status > 299) {
        return std::unexpected(refused(status, parsed ? std::optional(std::move(*parsed)) : std::nullopt));
    }
    if (!parsed || !parsed->root().is_object()) {
        return fail(access == Access::write ? ErrorKind::unknown_outcome : ErrorKind::transient, "reply_unreadable",
                    "Zendesk says success, but its answer cannot be read");
    }
    return std::move(*parsed);
}

Result<Ticket> ticket_in(const json::Document& answer) {
    const auto ticket = answer.root().get_present("ticket");
    if (!ticket) {
        return fail(ErrorKind::unknown_outcome, "reply_unreadable", "an answer of Zendesk holds no ticket");
    }
    return ticket_from(*ticket);
}

Result<std::optional<Ticket>> first_ticket_in(const json::Document& answer) {
    const auto tickets = answer.root().get_present("tickets");
    if (!tickets || !tickets->is_array()) {
        return fail(ErrorKind::transient, "reply_unreadable", "an answer of Zendesk holds no list of tickets");
    }
    std::optional<Ticket> first;
    for (const auto value : tickets->elements()) {
        auto ticket = ticket_from(value);
        if (!ticket) {
            return std::unexpected(std::move(ticket.error()));
        }
        if (!first || ticket->id < first->id) {
            first = std::move(*ticket);
        }
    }
    return first;
}

Result<std::int64_t> user_in(const json::Document& answer) {
    const auto user = answer.root().get_present("user");
    const auto id = user ? user->int64_of("id") : Result<std::int64_t>(0);
    if (!id || *id <= 0) {
        return fail(ErrorKind::unknown_outcome, "reply_unreadable", "an answer of Zendesk holds no user");
    }
    return *id;
}

Result<AuditPage> audits_in(const json::Document& answer, std::string_view mark) {
    const auto audits = answer.root().get_present("audits");
    if (!audits || !audits->is_array()) {
        return fail(ErrorKind::transient, "reply_unreadable", "an answer of Zendesk holds no audits");
    }
    AuditPage page;
    for (const auto audit : audits->elements()) {
        const auto events = audit.get_present("events");
        if (!events) {
            continue;
        }
        for (const auto event : events->elements()) {
            page.found = page.found || event.string_of("body").value_or(std::string_view()).ends_with(mark);
        }
    }
    const auto meta = answer.root().get_present("meta");
    if (meta && meta->boolean_of("has_more").value_or(false)) {
        page.next_after = std::string(meta->string_of("after_cursor").value_or(std::string_view()));
    }
    return page;
}

}  // namespace syncline::zendesk
