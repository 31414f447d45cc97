// Zendesk's Support API, as far as tickets of our own need it: one requester, tickets by our key, comments that are added once.
//
// One attempt a call under the caller's deadline; nothing is retried here. Lives as long as the service, any thread; each call
// blocks until the answer or the deadline. Errors are those of reply.h and of http::Client.
//
//   zendesk::Client desk(http, account, clock, metrics);
//   const auto user = desk.requester({.external_id = "syncline.main", .name = "Syncline", .email = "…"}, deadline);
//   const auto ticket = desk.create({.external_id = "syncline.….1", …, .requester_id = *user}, "syncline-…", deadline);
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/zendesk/reply.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::telemetry {
class Metrics;
}

namespace syncline::zendesk {

struct Account {
    std::string url;                         // https://<subdomain>.zendesk.com, without a path.
    std::string email;                       // Of the agent the token belongs to.
    std::function<std::string()> api_token;  // Asked for each call: tokens are rotated.
};

struct Requester {
    std::string external_id;
    std::string name;
    std::string email;
};

struct NewTicket {
    std::string external_id;
    std::string subject;
    std::string comment;   // Not public.
    std::string priority;  // low, normal, high or urgent.
    std::vector<std::string> tags;
    std::int64_t group_id = 0;  // 0: Zendesk's own rules choose.
    std::int64_t requester_id = 0;
    std::int64_t followup_of = 0;  // A closed ticket that this one continues; 0: none.
};

struct TicketUpdate {
    std::string comment;  // Not public.
    std::string status;   // "solved", "open"; empty: as it is.
};

class Client {
public:
    // `client`, `clock` and `metrics` must outlive it. Declares syncline_zendesk_* metrics.
    Client(http::Client& client, Account account, const core::Clock& clock, telemetry::Metrics& metrics);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Whether Zendesk answers and takes the token.
    [[nodiscard]] core::Result<void> probe(const core::Deadline& deadline);
    // Makes or changes the user with that external id; no mail is sent. Repeating it changes nothing.
    [[nodiscard]] core::Result<std::int64_t> requester(const Requester& user, const core::Deadline& deadline);
    // The oldest ticket with that external id; Zendesk lists it as soon as it is created.
    [[nodiscard]] core::Result<std::optional<Ticket>> find(std::string_view external_id, const core::Deadline& deadline);
    // Creates at most once by `key` (at most 255 characters) for about two hours, if the ticket is the same to the byte.
    [[nodiscard]] core::Result<Ticket> create(const NewTicket& ticket, std::string_view key, const core::Deadline& deadline);
    // Whether a comment of the ticket ends with that text. Reads the history page by page.
    [[nodiscard]] core::Result<bool> has_comment(std::int64_t id, std::string_view mark, const core::Deadline& deadline);
    // Adds the comment and sets the status at once. Carried out again it comments again: ask has_comment() first.
    [[nodiscard]] core::Result<Ticket> update(std::int64_t id, const TicketUpdate& change, const core::Deadline& deadline);

private:
    struct State;
    [[nodiscard]] core::Result<json::Document> call(std::string_view name, http::Request request, Access access,
                                                    const core::Deadline& deadline);
    std::unique_ptr<State> state_;
};

}  // namespace syncline::zendesk
