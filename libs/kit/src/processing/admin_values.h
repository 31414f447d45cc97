// What the admin routes of the kit have in common: orders of operators in, rows as JSON out.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/json/writer.h>
#include <syncline/kit/admin.h>
#include <string>
#include <string_view>

#include "src/store/admin_rows.h"
#include "src/store/dead_letter_rows.h"

namespace syncline::kit {

inline constexpr int kAdminLimitMax = 1000;

// What an operator sends with a verb.
struct Order {
    std::string reason;
    std::string replay_id;
    std::string code;
    std::string event_id;
    bool dry_run = false;
};
[[nodiscard]] core::Result<Order> read_order(const AdminRequest& request);
// Kind rejected unless it says why or is a dry run.
[[nodiscard]] core::Result<Order> read_order_with_reason(const AdminRequest& request);
[[nodiscard]] int limit_of(const AdminRequest& request);

[[nodiscard]] std::string time_text(core::SystemTime time);
void write_event(json::Writer& out, const store::EventRow& event);
// `group`: whose letter it is.
void write_dead_letter(json::Writer& out, const store::StoredDeadLetter& stored, std::string_view group);
[[nodiscard]] AdminReply unknown(std::string_view what);
[[nodiscard]] bool looks_like_uuid(std::string_view text);

// `id` empty: made up.
[[nodiscard]] store::AdminAction admin_action(core::SystemTime now, std::string_view verb, const std::string& subject,
                                              const std::string& actor, const std::string& reason, const std::string& id);

}  // namespace syncline::kit
