// A help desk that keeps tickets, loses answers after it has written, closes and forgets tickets.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/ports.h"

namespace helpdesk_sync::testing {

class FakeDesk final : public HelpDesk {
public:
    struct Entry {
        std::string external_id;
        std::string subject;
        std::string opening;
        std::string status = "new";
        std::int64_t followup_of = 0;
        std::vector<std::string> comments;
    };

    [[nodiscard]] core::Result<std::int64_t> find(const std::string& external_id, const core::Deadline&) override {
        const std::lock_guard lock(mutex_);
        if (away) {
            return gone_away();
        }
        for (const auto& [id, ticket] : tickets_) {
            if (ticket.external_id == external_id) {
                return id;
            }
        }
        return 0;
    }
    [[nodiscard]] core::Result<std::int64_t> create(const NewTicket& ticket, const core::Deadline& deadline) override {
        const auto present = find(ticket.external_id, deadline);
        if (!present || *present != 0) {
            return present;
        }
        const std::lock_guard lock(mutex_);
        tickets_[++last_] = {.external_id = ticket.external_id,
                             .subject = ticket.subject,
                             .opening = ticket.comment,
                             .followup_of = ticket.followup_of,
                             .comments = {}};
        if (lost()) {
            return core::fail(core::ErrorKind::unknown_outcome, "timeout", "no answer");
        }
        return last_;
    }
    [[nodiscard]] core::Result<void> comment(std::int64_t id, const std::string& text, const std::string& mark,
                                             const std::string& status, const core::Deadline&) override {
        const std::lock_guard lock(mutex_);
        if (away) {
            return gone_away();
        }
        const auto found = tickets_.find(id);
        if (found == tickets_.end()) {
            return core::fail(core::ErrorKind::rejected, "ticket_gone", "deleted");
        }
        auto& ticket = found->second;
        if (!ticket.comments.empty() && ticket.comments.back().ends_with(mark)) {
            return {};
        }
        if (ticket.status == "closed") {
            return core::fail(core::ErrorKind::rejected, "ticket_closed", "closed");
        }
        ticket.comments.push_back(text);
        ticket.status = status.empty() ? ticket.status : status;
        if (lost()) {
            return core::fail(core::ErrorKind::unknown_outcome, "timeout", "no answer");
        }
        return {};
    }

    [[nodiscard]] std::vector<Entry> tickets() const {
        const std::lock_guard lock(mutex_);
        std::vector<Entry> all;
        for (const auto& [id, ticket] : tickets_) {
            all.push_back(ticket);
        }
        return all;
    }
    void close(std::int64_t id) {
        const std::lock_guard lock(mutex_);
        tickets_.at(id).status = "closed";
    }
    void erase(std::int64_t id) {
        const std::lock_guard lock(mutex_);
        tickets_.erase(id);
    }
    std::atomic<bool> away = false;
    std::atomic<int> lost_answers = 0;  // So many writes are carried out and told of to nobody.

private:
    static std::unexpected<core::Error> gone_away() { return core::fail(core::ErrorKind::transient, "unavailable", "away"); }
    bool lost() {
        if (lost_answers == 0) {
            return false;
        }
        --lost_answers;
        return true;
    }

    mutable std::mutex mutex_;
    std::map<std::int64_t, Entry> tickets_;
    std::int64_t last_ = 0;
};

}  // namespace helpdesk_sync::testing
