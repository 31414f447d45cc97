#include "domain/status.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <algorithm>
#include <array>
#include <iterator>

namespace order_status {
namespace {

constexpr std::size_t kKeyMax = 64;
constexpr std::size_t kHashLength = 8;
constexpr std::size_t kReasonMax = 200;
constexpr std::string_view kReason = "reason";
constexpr std::string_view kNoReason = "none";

constexpr std::array<std::pair<Standing, std::string_view>, 4> kStandings{{
    {Standing::none, "none"},
    {Standing::exported, "exported"},
    {Standing::held, "held"},
    {Standing::failed, "failed"},
}};

bool settle(Stand& stand, const Statement& statement, Standing standing) {
    if (statement.version <= stand.version) {
        return false;
    }
    stand.version = statement.version;
    stand.standing = standing;
    stand.reason.clear();
    if (standing == Standing::held || standing == Standing::failed) {
        stand.reason = (statement.waits_for.empty() ? statement.code : statement.waits_for).substr(0, kReasonMax);
    }
    return true;
}

bool take_document(ConnectionStatus& status, const Statement& statement) {
    if (statement.version <= status.document_version) {
        return false;
    }
    status.document_version = statement.version;
    status.document = statement.document;
    return true;
}

Stand& stand_of(ConnectionStatus& status, const std::string& subject) {
    return subject.empty() ? status.order : status.others[subject];
}

// A document that was confirmed or cancelled says that nobody is asked about the order's risk any more, a cancelled one the same
// of its deletion.
bool end_facts(ConnectionStatus& status, const Statement& statement) {
    const auto& state = statement.document.state;
    bool ended = false;
    const auto end = [&](std::string_view subject) {
        const auto found = status.others.find(subject);
        if (found != status.others.end() && found->second.standing == Standing::held) {
            ended = settle(found->second, statement, Standing::none) || ended;
        }
    };
    if (state == "sale" || state == "done" || state == "cancel") {
        end("risk");
    }
    if (state == "cancel") {
        end("deletion");
    }
    return ended;
}

// The first thing that keeps something of the order away from the target.
const Stand* trouble_of(const ConnectionStatus& status) {
    const auto troubled = [](const Stand& stand) {
        return stand.standing == Standing::held || stand.standing == Standing::failed;
    };
    if (troubled(status.order)) {
        return &status.order;
    }
    const auto found = std::ranges::find_if(status.others, [&](const auto& other) { return troubled(other.second); });
    return found == status.others.end() ? nullptr : &found->second;
}

bool has(const ConnectionStatus& status, Standing standing) {
    return status.order.standing == standing ||
           std::ranges::any_of(status.others, [&](const auto& other) { return other.second.standing == standing; });
}

// When the connection last said something of the order, in whole seconds.
core::SystemTime last_said(const ConnectionStatus& status) {
    auto last = std::max({status.order.version.said_ns, status.document_version.said_ns, status.progress_version.said_ns});
    for (const auto& [subject, stand] : status.others) {
        last = std::max(last, stand.version.said_ns);
    }
    return std::chrono::floor<std::chrono::seconds>(core::time_from_nanos(last));
}

}  // namespace

std::string_view to_string(Standing standing) {
    return std::ranges::find_if(kStandings, [&](const auto& s) { return s.first == standing; })->second;
}

Standing standing_from(std::string_view name) {
    const auto found = std::ranges::find_if(kStandings, [&](const auto& s) { return s.second == name; });
    return found == kStandings.end() ? Standing::none : found->first;
}

bool take(ConnectionStatus& status, const Statement& statement) {
    switch (statement.kind) {
        case StatementKind::exported: {
            const bool document = take_document(status, statement);
            const bool facts = end_facts(status, statement);
            return settle(status.order, statement, Standing::exported) || document || facts;
        }
        case StatementKind::held:
            return settle(stand_of(status, statement.subject), statement, Standing::held);
        case StatementKind::failed:
            return settle(status.order, statement, Standing::failed);
        case StatementKind::hold_ended: {
            auto& stand = stand_of(status, statement.subject);
            if (stand.standing == Standing::exported || stand.standing == Standing::failed) {
                return false;  // It ended with what was said of it.
            }
            const bool exported = statement.subject.empty() && !status.document.reference.empty();
            return settle(stand, statement, exported ? Standing::exported : Standing::none);
        }
        case StatementKind::refund_exported:
            return settle(stand_of(status, statement.subject), statement, Standing::exported);
        case StatementKind::refund_held:
            return settle(stand_of(status, statement.subject), statement, Standing::held);
        case StatementKind::document_changed: {
            const bool document = take_document(status, statement);
            if (statement.version <= status.progress_version) {
                return document;
            }
            status.progress_version = statement.version;
            status.invoicing = statement.invoicing;
            status.delivery = statement.delivery;
            return true;
        }
    }
    return false;
}

std::string state_of(const ConnectionStatus& status) {
    if (status.order.standing == Standing::held || status.order.standing == Standing::failed) {
        return std::string(to_string(status.order.standing));
    }
    const auto& state = status.document.state;
    if (status.document.reference.empty() && state.empty()) {
        // A hold that ended without a document: only where it was shown is there something to take back.
        return status.shown.empty() ? "" : "not_exported";
    }
    if (state == "cancel") {
        return "cancelled";
    }
    if (state == "draft" || state == "sent" || state.empty()) {
        return "exported";
    }
    if (state != "sale" && state != "done") {
        return state;
    }
    if (status.delivery == "partial" || status.delivery == "started") {
        return "partly_shipped";
    }
    if (status.invoicing == "invoiced") {
        return "invoiced";
    }
    return status.delivery == "full" ? "shipped" : "confirmed";
}

std::map<std::string, std::string, std::less<>> fields_of(const std::string& connection, const ConnectionStatus& status) {
    std::map<std::string, std::string, std::less<>> fields;
    const auto* const trouble = trouble_of(status);
    const auto state = state_of(status);
    if (state.empty() && trouble == nullptr) {
        return fields;
    }
    fields["connection"] = connection;
    const auto add = [&](std::string_view field, const std::string& value) {
        if (!value.empty()) {
            fields.emplace(field, value);
        }
    };
    add("state", state);
    add("document", status.document.name);
    add("reference", status.document.reference);
    if (trouble != nullptr) {
        add(kReason, trouble->reason);
    } else if (status.shown.contains(kReason)) {
        fields.emplace(kReason, kNoReason);
    }
    return fields;
}

std::set<std::string, std::less<>> tags_of(const OrderStatus& order, const TagNames& names) {
    std::set<std::string, std::less<>> tags;
    for (const auto& [connection, status] : order.connections) {
        if (!status.document.reference.empty()) {
            tags.insert(names.exported);
        }
        if (has(status, Standing::held)) {
            tags.insert(names.held);
        }
        if (has(status, Standing::failed)) {
            tags.insert(names.failed);
        }
    }
    tags.erase(std::string());
    return tags;
}

std::string metafield_key(std::string_view connection, std::string_view field) {
    std::string name(connection);
    if (const auto room = kKeyMax - field.size() - 1; name.size() > room) {
        name = name.substr(0, room - kHashLength - 1) + "-" +
               core::hex_encode(core::bytes_of(core::sha256(connection))).substr(0, kHashLength);
    }
    return name + "_" + std::string(field);
}

Change change_for(const OrderStatus& order, const std::string& connection, const TagNames& names, bool everything) {
    Change change;
    for (const auto& [name, status] : order.connections) {
        if (!everything && name != connection) {
            continue;
        }
        const auto before = change.fields.size();
        for (const auto& [field, value] : fields_of(name, status)) {
            const auto shown = status.shown.find(field);
            if (everything || shown == status.shown.end() || shown->second != value) {
                change.fields.push_back({.key = metafield_key(name, field), .value = value});
            }
        }
        // The time is that of a change: alone it is none, or each answer to our own write would be one.
        if (change.fields.size() > before) {
            change.fields.push_back(
                {.key = metafield_key(name, "changed_at"), .value = core::format_rfc3339_utc(last_said(status)), .time = true});
        }
    }
    const auto wanted = tags_of(order, names);
    auto standing = order.tags;
    if (everything) {
        std::ranges::copy(wanted, std::back_inserter(change.tags_added));
        standing.insert({names.exported, names.held, names.failed});
        standing.erase(std::string());
    } else {
        std::ranges::set_difference(wanted, standing, std::back_inserter(change.tags_added));
    }
    std::ranges::set_difference(standing, wanted, std::back_inserter(change.tags_removed));
    return change;
}

void mark_shown(OrderStatus& order, const std::string& connection, const TagNames& names) {
    ++order.revision;
    auto& status = order.connections[connection];
    for (auto& [field, value] : fields_of(connection, status)) {
        status.shown.insert_or_assign(field, std::move(value));
    }
    order.tags = tags_of(order, names);
}

}  // namespace order_status
