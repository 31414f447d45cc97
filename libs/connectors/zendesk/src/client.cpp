#include "syncline/zendesk/client.h"

#include <syncline/core/fault.h>
#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/metrics.h>
#include <utility>

namespace syncline::zendesk {
namespace {

using core::ErrorKind;
using core::Result;

constexpr std::string_view kUserAgent = "syncline/1";
constexpr int kAuditPagesMax = 50;  // 5,000 changes of one ticket.
constexpr std::size_t kPageBytesMax = std::size_t{8} << 20U;

// Our own keys are plain, but a query must not depend on that.
std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                           c == '_' || c == '~';
        out += plain ? std::string(1, c) : "%" + core::hex_encode(std::string_view(&c, 1));
    }
    return out;
}

json::Writer begin(std::string_view root) {
    json::Writer body;
    body.begin_object().key(root).begin_object();
    return body;
}

std::string end(json::Writer body) {
    body.end_object().end_object();
    return std::move(body).take();
}

void add_comment(json::Writer& body, std::string_view text) {
    body.key("comment").begin_object().member("body", text).member("public", false).end_object();
}

}  // namespace

struct Client::State {
    http::Client& client;
    const Account account;
    const core::Clock& clock;
    telemetry::CounterFamily calls;
    telemetry::HistogramFamily seconds;
    telemetry::Gauge left;
};

Client::Client(http::Client& client, Account account, const core::Clock& clock, telemetry::Metrics& metrics)
    : state_(std::make_unique<State>(
          client, std::move(account), clock,
          metrics.counter("syncline_zendesk_calls_total", "Calls to Zendesk by what they were and how they ended.",
                          {"call", "outcome"}),
          metrics.histogram("syncline_zendesk_call_seconds", "Time of one call to Zendesk.", {"call"},
                            telemetry::duration_buckets()),
          metrics.gauge("syncline_zendesk_calls_left", "Calls that Zendesk allows in the running minute, by its last answer."))) {
}

Client::~Client() = default;

Result<json::Document> Client::call(std::string_view name, http::Request request, Access access, const core::Deadline& deadline) {
    const auto& account = state_->account;
    request.url = account.url + "/api/v2" + request.url;
    request.headers.add("authorization", "Basic " + core::base64_encode(account.email + "/token:" + account.api_token()));
    request.headers.add("accept", "application/json");
    request.headers.add("user-agent", kUserAgent);
    request.content_type = request.body.empty() ? "" : "application/json";
    request.reply_bytes_max = kPageBytesMax;
    const auto started = state_->clock.steady();
    auto response = state_->client.send(request, deadline);
    if (access == Access::write) {
        SYNCLINE_FAULT_POINT("answer_lost");
    }
    state_->seconds.with({name}).observe(std::chrono::duration<double>(state_->clock.steady() - started).count());
    if (!response && response.error().code == "reply_too_large") {
        response.error().kind = access == Access::write ? ErrorKind::unknown_outcome : ErrorKind::rejected;
    }
    if (response) {
        if (const auto left = core::parse_int<std::int64_t>(response->headers.get("x-rate-limit-remaining"))) {
            state_->left.set(static_cast<double>(*left));
        }
    }
    auto answer =
        response ? body_of(std::move(*response), access) : Result<json::Document>(std::unexpected(std::move(response.error())));
    state_->calls.with({name, answer ? std::string_view("ok") : std::string_view(answer.error().code)}).add();
    return answer;
}

Result<void> Client::probe(const core::Deadline& deadline) {
    // The cheapest question that needs the right to read tickets; a key of ours that no ticket has.
    const auto found = find("syncline.probe", deadline);
    return found ? Result<void>() : std::unexpected(found.error());
}

Result<std::int64_t> Client::requester(const Requester& user, const core::Deadline& deadline) {
    auto body = begin("user");
    body.member("external_id", user.external_id).member("name", user.name).member("email", user.email);
    body.member("skip_verify_email", true);
    const auto answer =
        call("create_or_update_user", {.method = "POST", .url = "/users/create_or_update", .body = end(std::move(body))},
             Access::write, deadline);
    return answer ? user_in(*answer) : std::unexpected(answer.error());
}

Result<std::optional<Ticket>> Client::find(std::string_view external_id, const core::Deadline& deadline) {
    const auto answer = call("find_ticket", {.url = "/tickets?external_id=" + encoded(external_id)}, Access::read, deadline);
    return answer ? first_ticket_in(*answer) : std::unexpected(answer.error());
}

Result<Ticket> Client::create(const NewTicket& ticket, std::string_view key, const core::Deadline& deadline) {
    auto body = begin("ticket");
    body.member("subject", ticket.subject).member("external_id", ticket.external_id).member("priority", ticket.priority);
    body.member("requester_id", ticket.requester_id);
    if (ticket.group_id != 0) {
        body.member("group_id", ticket.group_id);
    }
    if (ticket.followup_of != 0) {
        body.member("via_followup_source_id", ticket.followup_of);
    }
    body.key("tags").begin_array();
    for (const auto& tag : ticket.tags) {
        body.string(tag);
    }
    body.end_array();
    add_comment(body, ticket.comment);
    http::Request request{.method = "POST", .url = "/tickets", .body = end(std::move(body))};
    request.headers.add("idempotency-key", key);
    const auto answer = call("create_ticket", std::move(request), Access::write, deadline);
    return answer ? ticket_in(*answer) : std::unexpected(answer.error());
}

Result<bool> Client::has_comment(std::int64_t id, std::string_view mark, const core::Deadline& deadline) {
    const auto path = "/tickets/" + std::to_string(id) + "/audits?page%5Bsize%5D=100";
    std::string after;
    for (int pages = 0; pages < kAuditPagesMax; ++pages) {
        const auto answer = call("list_audits", {.url = after.empty() ? path : path + "&page%5Bafter%5D=" + encoded(after)},
                                 Access::read, deadline);
        auto page = answer ? audits_in(*answer, mark) : Result<AuditPage>(std::unexpected(answer.error()));
        if (!page || page->found || page->next_after.empty()) {
            return page ? Result<bool>(page->found) : std::unexpected(std::move(page.error()));
        }
        after = std::move(page->next_after);
    }
    return core::fail(ErrorKind::rejected, "history_too_long", "the ticket has more changes than are read",
                      "close the ticket: a new one is made for what still waits");
}

Result<Ticket> Client::update(std::int64_t id, const TicketUpdate& change, const core::Deadline& deadline) {
    auto body = begin("ticket");
    if (!change.status.empty()) {
        body.member("status", change.status);
    }
    add_comment(body, change.comment);
    const auto answer =
        call("update_ticket", {.method = "PUT", .url = "/tickets/" + std::to_string(id), .body = end(std::move(body))},
             Access::write, deadline);
    return answer ? ticket_in(*answer) : std::unexpected(answer.error());
}

}  // namespace syncline::zendesk
