// The help desk as Zendesk has it. A ticket is looked for by its external id before it is created, for Zendesk forgets
// idempotency keys after about two hours; the same key and bytes make it once within them.
#pragma once

#include <syncline/zendesk/client.h>
#include <atomic>
#include <string>

#include "app/ports.h"

namespace helpdesk_sync {

class ZendeskDesk final : public HelpDesk {
public:
    // `client` must outlive it. `form` is what every ticket has.
    ZendeskDesk(syncline::zendesk::Client& client, syncline::zendesk::Requester requester, syncline::zendesk::NewTicket form)
        : client_(client), requester_(std::move(requester)), form_(std::move(form)) {}

    [[nodiscard]] core::Result<std::int64_t> find(const std::string& external_id, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<std::int64_t> create(const NewTicket& ticket, const core::Deadline& deadline) override;
    [[nodiscard]] core::Result<void> comment(std::int64_t ticket, const std::string& text, const std::string& mark,
                                             const std::string& status, const core::Deadline& deadline) override;

private:
    syncline::zendesk::Client& client_;
    const syncline::zendesk::Requester requester_;
    const syncline::zendesk::NewTicket form_;
    std::atomic<std::int64_t> requester_id_{0};  // Once it is known.
};

}  // namespace helpdesk_sync
