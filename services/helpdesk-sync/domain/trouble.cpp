#include "domain/trouble.h"

#include <syncline/core/hash.h>
#include <algorithm>
#include <array>
#include <utility>

namespace helpdesk_sync {
namespace {

constexpr std::size_t kIdLength = 24;

constexpr std::array<std::pair<Trouble, std::string_view>, 4> kTroubles{{
    {Trouble::order_held, "order_held"},
    {Trouble::order_failed, "order_failed"},
    {Trouble::refund_held, "refund_held"},
    {Trouble::refund_failed, "refund_failed"},
}};

// What waits for something of its own order ("money:eu/1/7") has its kind in common with others, not the order.
std::string shared_part(const std::string& waits_for, const OrderKey& order) {
    return waits_for.contains(order.text()) ? waits_for.substr(0, waits_for.find(':')) : waits_for;
}

std::optional<Cause> cause_of(const Statement& said) {
    const auto caused = [&said](Trouble trouble) {
        return Cause{.connection = said.connection,
                     .trouble = trouble,
                     .code = said.code,
                     .waits_for = shared_part(said.waits_for, said.order)};
    };
    switch (said.kind) {
        case StatementKind::held:
            return caused(Trouble::order_held);
        case StatementKind::failed:
            return caused(Trouble::order_failed);
        case StatementKind::refund_held:
            return caused(Trouble::refund_held);
        case StatementKind::refund_failed:
            return caused(Trouble::refund_failed);
        case StatementKind::exported:
        case StatementKind::refund_exported:
        case StatementKind::hold_ended:
            break;
    }
    return std::nullopt;
}

// A document that was confirmed or cancelled says that nobody is asked about the order's risk any more, a cancelled one the same
// of its deletion.
std::vector<std::string> subjects_of(const Statement& said) {
    std::vector<std::string> subjects{said.subject};
    if (said.kind == StatementKind::exported) {
        const auto& state = said.document_state;
        if (state == "sale" || state == "done" || state == "cancel") {
            subjects.emplace_back("risk");
        }
        if (state == "cancel") {
            subjects.emplace_back("deletion");
        }
    }
    return subjects;
}

bool failed_for_good(const Standing& standing) {
    return standing.cause &&
           (standing.cause->trouble == Trouble::order_failed || standing.cause->trouble == Trouble::refund_failed);
}

}  // namespace

std::string_view to_string(Trouble trouble) {
    return std::ranges::find_if(kTroubles, [&](const auto& t) { return t.first == trouble; })->second;
}

std::optional<Trouble> trouble_from(std::string_view name) {
    const auto found = std::ranges::find_if(kTroubles, [&](const auto& t) { return t.second == name; });
    return found == kTroubles.end() ? std::nullopt : std::optional(found->first);
}

std::string Cause::id() const {
    std::string text;
    for (const auto part :
         {std::string_view(connection), to_string(trouble), std::string_view(code), std::string_view(waits_for)}) {
        text += std::to_string(part.size()) + ':';
        text += part;
    }
    return core::hex_encode(core::bytes_of(core::sha256(text))).substr(0, kIdLength);
}

std::vector<Cause> Change::touched() const {
    std::vector<Cause> causes;
    if (before && before != now.cause) {
        causes.push_back(*before);
    }
    if (now.cause) {
        causes.push_back(*now.cause);
    }
    return causes;
}

std::vector<Change> take(const Standings& known, const Statement& statement) {
    const auto cause = cause_of(statement);
    std::vector<Change> changes;
    for (const auto& subject : subjects_of(statement)) {
        const auto found = known.find(subject);
        if (found == known.end()) {
            if (cause) {
                changes.push_back({.subject = subject, .now = {.version = statement.version, .cause = cause}, .before = {}});
            }
            continue;
        }
        const auto& before = found->second;
        // The end of a hold says nothing of what was refused for good since.
        const bool ended_otherwise = statement.kind == StatementKind::hold_ended && failed_for_good(before);
        if (statement.version > before.version && before.cause != cause && !ended_otherwise) {
            changes.push_back(
                {.subject = subject, .now = {.version = statement.version, .cause = cause}, .before = before.cause});
        }
    }
    return changes;
}

}  // namespace helpdesk_sync
