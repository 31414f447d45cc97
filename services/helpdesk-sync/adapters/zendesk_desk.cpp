#include "adapters/zendesk_desk.h"

#include <syncline/core/hash.h>

namespace helpdesk_sync {

namespace zendesk = syncline::zendesk;

core::Result<std::int64_t> ZendeskDesk::find(const std::string& external_id, const core::Deadline& deadline) {
    auto found = client_.find(external_id, deadline);
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    return *found ? (*found)->id : 0;
}

core::Result<std::int64_t> ZendeskDesk::create(const NewTicket& ticket, const core::Deadline& deadline) {
    auto present = find(ticket.external_id, deadline);
    if (!present || *present != 0) {
        return present;
    }
    if (requester_id_ == 0) {
        auto user = client_.requester(requester_, deadline);
        if (!user) {
            return user;
        }
        requester_id_ = *user;
    }
    auto full = form_;
    full.external_id = ticket.external_id;
    full.subject = ticket.subject;
    full.comment = ticket.comment;
    full.followup_of = ticket.followup_of;
    full.requester_id = requester_id_;
    const auto key = "syncline-" + core::hex_encode(core::bytes_of(core::sha256(ticket.external_id)));
    auto created = client_.create(full, key, deadline);
    if (!created) {
        return std::unexpected(std::move(created.error()));
    }
    return created->id;
}

core::Result<void> ZendeskDesk::comment(std::int64_t ticket, const std::string& text, const std::string& mark,
                                        const std::string& status, const core::Deadline& deadline) {
    // Zendesk appends a comment as often as it is sent: the answer to an earlier try may have been lost.
    auto present = client_.has_comment(ticket, mark, deadline);
    if (!present) {
        return std::unexpected(std::move(present.error()));
    }
    if (*present) {
        return {};
    }
    auto done = client_.update(ticket, {.comment = text, .status = status}, deadline);
    return done ? core::Result<void>() : std::unexpected(std::move(done.error()));
}

}  // namespace helpdesk_sync
