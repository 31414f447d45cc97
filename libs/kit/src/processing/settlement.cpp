#include "src/processing/settlement.h"

#include <syncline/core/hash.h>
#include <algorithm>
#include <utility>

namespace syncline::kit {
namespace {

store::Closing begin(const Subject& subject) {
    store::Closing closing;
    const auto& at = subject.event.row.at;
    closing.partition = {at.topic, subject.event.row.position.partition};
    closing.key = at;
    if (subject.alone) {
        closing.poison = subject.event.row.position;
    }
    return closing;
}

// Timers, verifications and redrives are runs of events that were settled before: their inbox row stays as it is, unless they
// die.
void set_inbox(store::Closing& closing, const Subject& subject, store::InboxState state, std::string reason) {
    if (subject.mode() == store::Mode::normal || state == store::InboxState::dead) {
        closing.inbox = store::InboxWrite{
            .event = subject.event.row, .state = state, .reason = std::move(reason), .known = subject.parked != nullptr};
    }
}

void release_all(store::Closing& closing, const SettleContext& context, const std::vector<TakenIntent>& intents) {
    for (const auto& intent : intents) {
        closing.releases.push_back({.external_key = intent.external_key,
                                    .lease_until = intent.unknown ? context.now + context.longest_request : core::SystemTime{}});
    }
}

store::ParkedEvent parked_event(const Subject& subject) {
    if (subject.parked != nullptr) {
        return *subject.parked;
    }
    return {.event = subject.event.row,
            .family = subject.event.handler->family,
            .resource = subject.event.resource,
            .version = subject.event.version,
            .record = subject.record};
}

}  // namespace

store::Closing settle_success(const SettleContext& context, const Subject& subject, RunResult&& result) {
    auto closing = begin(subject);
    const auto& outcome = result.outcome.value();
    const auto* skipped = std::get_if<Outcome::Skipped>(&outcome);
    const auto* until = std::get_if<Outcome::DoneUntil>(&outcome);
    set_inbox(closing, subject, skipped != nullptr ? store::InboxState::skipped : store::InboxState::done,
              skipped != nullptr ? skipped->reason
              : until != nullptr ? until->reason
                                 : std::string());
    for (auto& intent : result.intents) {
        if (intent.succeeded) {
            closing.intents.push_back({.external_key = std::move(intent.external_key),
                                       .version = intent.version,
                                       .record = std::move(intent.record),
                                       .position = subject.event.row.position});
        } else {
            release_all(closing, context, {intent});
        }
    }
    closing.rows = std::move(result.rows);
    closing.outbox = std::move(result.published);
    if (subject.parked != nullptr) {
        closing.remove = subject.parked->seq;
    }
    const auto family = subject.event.handler->family;
    closing.clears_timers = family == Family::snapshot && skipped == nullptr;
    if (until != nullptr) {
        closing.timer =
            store::TimerRow{.event = subject.event.row, .family = family, .reason = until->reason, .due_at = until->at};
    }
    return closing;
}

store::Closing settle_skip(const SettleContext& /*context*/, const Subject& subject, std::string reason) {
    auto closing = begin(subject);
    set_inbox(closing, subject, store::InboxState::skipped, std::move(reason));
    if (subject.parked != nullptr) {
        closing.remove = subject.parked->seq;
    }
    return closing;
}

store::Closing settle_waiting(const SettleContext& context, const Subject& subject, RunResult&& result, const core::Error& error,
                              const Wait& wait) {
    auto closing = begin(subject);
    set_inbox(closing, subject, wait.held ? store::InboxState::held : store::InboxState::parked, error.code);
    release_all(closing, context, result.intents);
    auto event = parked_event(subject);
    const auto before = std::exchange(event.waiting, {.held = wait.held,
                                                      .kind = error.kind,
                                                      .code = error.code,
                                                      .reason = error.message,
                                                      .waits_for = error.waits_for,
                                                      .figures = error.figures});
    event.attempts = subject.attempts;
    event.first_at = subject.first_failed_at.value_or(context.now);
    event.last_at = context.now;
    event.due_at = wait.held ? std::nullopt : std::optional(context.now + wait.delay);
    event.not_before = wait.firm ? event.due_at : std::nullopt;
    // A hold announces itself once for each reason, not at every look.
    if (wait.held && (subject.parked == nullptr || before != event.waiting)) {
        closing.outbox = std::move(result.published_if_held);
    }
    (subject.parked == nullptr ? closing.append : closing.change) = std::move(event);
    return closing;
}

store::Closing settle_dead(const SettleContext& context, const Subject& subject, RunResult&& result, const core::Error& error) {
    auto closing = begin(subject);
    set_inbox(closing, subject, store::InboxState::dead, error.code);
    release_all(closing, context, result.intents);
    const auto first = subject.first_failed_at.value_or(context.now);
    store::DeadLetter letter{
        .id = core::uuid_v5(core::kSynclineNamespace, "dead|" + context.group + '|' + subject.event.row.event_id),
        .event = subject.event.row,
        .family = subject.event.handler == nullptr ? Family::fact : subject.event.handler->family,
        .resource = subject.event.resource,
        .version = subject.event.version,
        .error_class = std::string(core::to_string(error.kind)),
        .code = error.code,
        .reason = error.message,
        .attempts = subject.attempts,
        .first_at = first,
        .last_at = context.now,
        .record = subject.record};
    closing.outbox = std::move(result.published_if_dead);
    closing.outbox.push_back(dead_letter_row(letter, context.group, context.now));
    closing.dead = std::move(letter);
    if (subject.parked != nullptr) {
        closing.remove = subject.parked->seq;
    }
    return closing;
}

store::Closing settle_append(const SettleContext& context, const Subject& subject) {
    auto closing = begin(subject);
    set_inbox(closing, subject, store::InboxState::parked, "behind_parked");
    auto event = parked_event(subject);
    event.waiting = {.kind = core::ErrorKind::not_ready, .code = "behind_parked", .reason = "an earlier event of the key waits"};
    event.attempts = 0;
    event.first_at = event.last_at = context.now;
    event.due_at = context.now;
    closing.append = std::move(event);
    closing.append_wakes = true;
    return closing;
}

}  // namespace syncline::kit
