// From a task of a lane to its fate: decode → (behind a parked key?) → handler → fate → closing transaction → lane.
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <set>

#include "src/processing/engine.h"
#include "src/store/parked_rows.h"

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;

// Write-ahead of the mark: so many records of a partition are handed out for one row change.
constexpr std::int64_t kMarkAhead = 8;
constexpr int kAloneTriesMax = 3;

core::Error process_died() {
    return {
        .kind = ErrorKind::bug, .code = "process_died", .message = "the process ended three times while this record was handled"};
}

std::string_view short_name(const HandlerSpec* handler) {
    if (handler == nullptr) {
        return "none";
    }
    const std::string_view type = handler->type;
    return type.substr(type.rfind('.') + 1);
}

// What PostgreSQL refuses of a service's own rows is that service's bug, whatever PostgreSQL calls it.
core::Error as_bug(const core::Error& error) {
    return {.kind = ErrorKind::bug, .code = "closing_" + error.code, .message = error.message, .where = error.where};
}

}  // namespace

bool Processor::Engine::work() {
    const auto task = lanes_.take();
    if (task == nullptr) {
        return false;
    }
    if (task->home->stopping) {
        drop(task);
    } else if (task->kind == Task::Kind::run) {
        handle_queue(task);
    } else {
        handle_record(task);
    }
    return true;
}

void Processor::Engine::drop(const TaskPtr& task) {
    if (task->trial) {
        circuit_.undecided();
        wake_ticker();
    }
    account(*task, false);
    lanes_.finish(task, {});
}

void Processor::Engine::give_back(const TaskPtr& task, std::chrono::milliseconds delay, const std::string& waits_on) {
    const auto when = delay.count() == 0 ? core::SteadyTime{} : ports_.clock.steady() + delay;
    if (!lanes_.retry(task, when, waits_on)) {
        account(*task, false);
    }
    wake_ticker();
}

void Processor::Engine::count(const HandlerSpec* handler, std::string_view outcome, std::string_view code,
                              const EventHeaders* headers) {
    meters_.events.with({short_name(handler), outcome, code}).add();
    if (headers != nullptr && headers->received_at != core::SystemTime{}) {
        meters_.age_seconds.with({short_name(handler)})
            .observe(std::chrono::duration<double>(ports_.clock.now() - headers->received_at).count());
    }
}

SettleContext Processor::Engine::settle_context() const {
    return {.group = who_.group,
            .now = ports_.clock.now(),
            .longest_request = target_ ? target_->longest_request : TargetSpec{}.longest_request};
}

RunContext Processor::Engine::run_context() {
    return {.clock = ports_.clock,
            .intents = *intents_,
            .service = options_.service,
            .call_deadline = options_.call_deadline,
            .lease_margin = options_.lease_margin,
            .longest_request = target_ ? target_->longest_request : TargetSpec{}.longest_request};
}

Fate Processor::Engine::fate_of(const core::Error& error, const RunResult& result, int attempts, int bug_tries,
                                std::optional<core::SystemTime> first_failed_at) const {
    const auto now = ports_.clock.now();
    using std::chrono::milliseconds;
    return decide_fate(error, {.attempts = attempts,
                               .bug_tries = bug_tries,
                               .age = std::chrono::duration_cast<milliseconds>(now - first_failed_at.value_or(now)),
                               .has_target = target_.has_value(),
                               .circuit_open = circuit_.open(),
                               .creates_once = result.creates_once,
                               .lease_busy = result.lease_busy && error.code == "intent_busy",
                               .lease_left = std::chrono::duration_cast<milliseconds>(result.busy_until - now),
                               .longest_request = target_ ? target_->longest_request : TargetSpec{}.longest_request,
                               .parked_limit = options_.parked_limit});
}

void Processor::Engine::report(const TaskPtr& task, const RunResult& result) {
    if (!target_) {
        return;
    }
    const auto* error = std::get_if<Outcome::Failed>(&result.outcome.value());
    const bool away = error != nullptr && (error->kind == ErrorKind::transient || error->kind == ErrorKind::throttled ||
                                           error->kind == ErrorKind::unauthorized || error->kind == ErrorKind::unknown_outcome);
    if (away) {
        circuit_.failed(task->key.key, *error);
        wake_ticker();
    } else if (result.target_answered) {
        circuit_.answered();
    } else if (task->trial) {
        circuit_.undecided();
        wake_ticker();
    }
}

core::Result<store::ClosingAnswer> Processor::Engine::settle(const TaskPtr& task, store::Closing closing) {
    closing.epoch = task->home->epoch;
    const bool publishes = !closing.outbox.empty();
    auto answer = closing_->settle({.closing = std::move(closing), .home = task->home});
    if (answer && answer->verdict == store::Verdict::closed && publishes) {
        relay_->wake();
    }
    if (answer && answer->verdict == store::Verdict::not_owner) {
        // The group has moved on without us; the revocation will come.
        task->home->stopping = true;
        task->home->abandoned = true;
    }
    return answer;
}

bool Processor::Engine::raise_mark(const TaskPtr& task) {
    const auto end = task->record.position.offset + 1;
    {
        const std::lock_guard lock(task->home->mutex);
        if (end <= task->home->recorded_end) {
            return true;
        }
    }
    const store::Mark mark{.partition = task->home->partition, .epoch = task->home->epoch, .end = end + kMarkAhead};
    if (!marks_->submit({mark, task->home})) {
        return false;
    }
    const std::lock_guard lock(task->home->mutex);
    task->home->recorded_end = std::max(task->home->recorded_end, mark.end);
    return true;
}

bool Processor::Engine::begin_alone(const TaskPtr& task, int& tries) {
    const auto counted = database_.persist(
        [&] { return task->home->abandoned.load(); }, true,
        [&] { return store::count_poison_try(database_.pool(), database_.deadline(), who_, task->record.position); });
    tries = counted.value_or(0);
    return counted.has_value();
}

void Processor::Engine::handle_record(const TaskPtr& task) {
    if (task->lane_knows_event) {
        if (task->trial) {
            circuit_.undecided();
            wake_ticker();
        }
        meters_.duplicates.add();
        count(task->event.handler, "duplicate", "", nullptr);
        account(*task, true);
        lanes_.finish(task, {});
        return;
    }
    if (!raise_mark(task)) {
        drop(task);
        return;
    }
    const auto context = settle_context();
    auto& event = task->event;
    Subject subject{.event = event,
                    .record = task->record,
                    .attempts = task->attempts + 1,
                    .first_failed_at = task->first_failed_at,
                    .alone = task->alone};
    if (task->alone) {
        int tries = 0;
        if (!begin_alone(task, tries)) {
            drop(task);
            return;
        }
        if (tries > kAloneTriesMax) {
            finish_record(task, settle_dead(context, subject, {}, process_died()), "dead_letter", "process_died");
            return;
        }
    }
    if (!event.message) {
        if (const auto read = decode(event, task->record); !read) {
            finish_record(task, settle_dead(context, subject, {}, read.error()), "dead_letter", read.error().code);
            return;
        }
    }
    if (task->lane_parked) {
        finish_record(task, settle_append(context, subject), "parked", "behind_parked");
        return;
    }
    auto result = run_handler(run_context(), {.event = event, .home = task->home, .attempt = subject.attempts});
    meters_.handle_seconds.with({short_name(event.handler)}).observe(std::chrono::duration<double>(result.took).count());
    if (result.abandoned) {
        drop(task);
        return;
    }
    report(task, result);
    if (result.outcome.ok()) {
        const auto* skipped = std::get_if<Outcome::Skipped>(&result.outcome.value());
        const std::string code = skipped != nullptr ? skipped->reason : std::string();
        finish_record(task, settle_success(context, subject, std::move(result)), skipped != nullptr ? "skipped" : "done", code);
        return;
    }
    const auto error = std::get<Outcome::Failed>(result.outcome.value());
    const int bug_tries = error.kind == ErrorKind::bug ? task->bug_tries + 1 : 0;
    const auto fate = fate_of(error, result, subject.attempts, bug_tries, task->first_failed_at);
    // Waiting for one's turn is no failure worth a line.
    const auto level = fate.kind == FateKind::wait_for_lease ? telemetry::log::Level::debug : telemetry::log::Level::info;
    telemetry::log::failure(level, "event_failed", error,
                            {{"event_id", event.headers.id}, {"type", event.headers.type}, {"attempt", subject.attempts}});
    switch (fate.kind) {
        case FateKind::park:
            finish_record(task,
                          settle_waiting(context, subject, std::move(result), error, {.delay = fate.delay, .firm = fate.firm}),
                          "parked", error.code);
            return;
        case FateKind::hold:
            finish_record(task, settle_waiting(context, subject, std::move(result), error, {.held = true}), "held", error.code);
            return;
        case FateKind::dead_letter:
            finish_record(task, settle_dead(context, subject, std::move(result), error), "dead_letter", error.code);
            return;
        case FateKind::wait_for_lease:
            break;
        case FateKind::wait_for_circuit:
        case FateKind::retry:
            ++task->attempts;
            task->bug_tries = bug_tries;
            if (!task->first_failed_at) {
                task->first_failed_at = context.now;
            }
            count(event.handler, "retried", error.code, nullptr);
    }
    if (task->alone) {
        // Counted was a start that may kill; this one came back.
        (void)database_.persist(
            [&] { return task->home->abandoned.load(); }, true,
            [&] { return store::take_back_poison_try(database_.pool(), database_.deadline(), who_, task->record.position); });
    }
    if (fate.kind == FateKind::wait_for_lease) {
        // A suspect waits the whole lease of the owner that died: looking every other second, one at a time, would hold up the
        // rest.
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(result.busy_until - ports_.clock.now());
        give_back(task, task->alone ? std::max(fate.delay, left) : fate.delay, result.busy_key);
        return;
    }
    give_back(task, fate.kind == FateKind::wait_for_circuit && circuit_.open() ? 0ms : fate.delay);
}

void Processor::Engine::finish_record(const TaskPtr& task, store::Closing closing, std::string_view outcome,
                                      std::string_view code) {
    const bool queued = closing.append.has_value();
    const bool wakes = closing.append_wakes;
    const bool dead = closing.dead.has_value();
    const std::string error_class = dead ? closing.dead->error_class : std::string();
    const std::string code_text(code);
    const auto answer = settle(task, std::move(closing));
    if (!answer) {
        if (task->home->abandoned) {
            drop(task);
            return;
        }
        telemetry::log::failure(telemetry::log::Level::error, "closing_refused", answer.error(),
                                {{"event_id", task->event.headers.id}});
        ++task->attempts;
        ++task->bug_tries;
        if (task->bug_tries >= kBugTriesMax && !dead && !database_is_away(answer.error())) {
            const Subject subject{.event = task->event,
                                  .record = task->record,
                                  .attempts = task->attempts,
                                  .first_failed_at = task->first_failed_at,
                                  .alone = task->alone};
            finish_record(task, settle_dead(settle_context(), subject, {}, as_bug(answer.error())), "dead_letter",
                          as_bug(answer.error()).code);
            return;
        }
        give_back(task, 1s);
        return;
    }
    switch (answer->verdict) {
        case store::Verdict::not_owner:
            drop(task);
            return;
        case store::Verdict::fence_lost:
            // Another took the document over while we were at it: what we sent may arrive late, and what we know is old.
            telemetry::log::warn("intent_lost", {{"event_id", task->event.headers.id}});
            ++task->attempts;
            give_back(task, 1s);
            return;
        case store::Verdict::duplicate:
            meters_.duplicates.add();
            count(task->event.handler, "duplicate", "", nullptr);
            break;
        case store::Verdict::closed:
            if (answer->superseded) {
                count(task->event.handler, "skipped", "superseded", &task->event.headers);
            } else {
                count(task->event.handler, outcome, code_text, &task->event.headers);
            }
            if (dead) {
                meters_.dead_letters.with({error_class, code_text}).add();
            }
    }
    if (task->trial) {
        // If the handler ran it has reported; if not, another has to try.
        circuit_.undecided();
        wake_ticker();
    }
    account(*task, true);
    const auto home = task->home;
    const auto key = task->key;
    lanes_.finish(task,
                  {.parked = queued ? std::optional(answer->key_parked) : std::nullopt, .settled = task->event.row.event_id});
    if (wakes && answer->key_parked && !home->stopping) {
        lanes_.push_run(key, home);
    }
}

void Processor::Engine::handle_queue(const TaskPtr& task) {
    const std::vector<store::KeyOf> keys{task->key};
    const auto give_up = [&] {
        return task->home->abandoned.load();
    };
    const auto queue = database_.persist(give_up, true, [&] {
        return store::load_queues(database_.pool(), database_.deadline(), who_, ports_.clock.now(), keys);
    });
    if (!queue) {
        drop(task);
        return;
    }
    const auto now = ports_.clock.now();
    std::set<std::string, std::less<>> blocked;  // Resources with a fact that waits.
    bool with_queue = false;
    bool key_parked = true;
    if (queue->empty()) {
        store::Closing closing;
        closing.partition = task->home->partition;
        closing.key = task->key;
        closing.settle = true;
        const auto step = close_parked(task, std::move(closing), {});
        if (step.stop) {
            return;
        }
        key_parked = step.key_parked;
    }
    for (const auto& parked : *queue) {
        if (task->home->stopping) {
            break;
        }
        const bool fact = parked.family == Family::fact;
        if (with_queue) {
            // The snapshot they belong to was given up after its time.
            const auto event = read_event(parked.record, handlers_);
            if (!parked.record.value.empty() && event.handler != nullptr) {
                const Subject subject{.event = event,
                                      .record = parked.record,
                                      .parked = &parked,
                                      .attempts = parked.attempts,
                                      .first_failed_at = parked.first_at};
                const core::Error error{
                    .kind = parked.waiting.kind, .code = "behind_dead", .message = "what it waited behind is a dead letter"};
                count(event.handler, "dead_letter", error.code, &event.headers);
                meters_.dead_letters.with({core::to_string(error.kind), error.code}).add();
                const auto step = close_parked(task, settle_dead(settle_context(), subject, {}, error), {});
                if (step.stop) {
                    return;
                }
                key_parked = step.key_parked;
                continue;
            }
        }
        if ((fact && blocked.contains(parked.resource)) || !parked.due_at || *parked.due_at > now) {
            if (fact) {
                blocked.insert(parked.resource);
            }
            continue;
        }
        const auto step = handle_parked(task, parked);
        if (step.stop) {
            return;
        }
        key_parked = step.key_parked;
        with_queue = with_queue || step.with_queue;
        if (step.waits && fact) {
            blocked.insert(parked.resource);
        }
    }
    if (task->trial) {
        circuit_.undecided();
        wake_ticker();
    }
    lanes_.finish(task, {.parked = key_parked, .settled = std::nullopt});
}

Processor::Engine::QueueStep Processor::Engine::handle_parked(const TaskPtr& task, const store::ParkedEvent& parked) {
    const auto give_up = [&] {
        return task->home->abandoned.load();
    };
    const auto started =
        database_.persist(give_up, true, [&] { return store::count_start(database_.pool(), database_.deadline(), parked.seq); });
    if (!started) {
        drop(task);
        return {.stop = true};
    }
    const auto context = settle_context();
    auto event = read_event(parked.record, handlers_);
    event.row = parked.event;
    const bool failed_before = parked.attempts > 0;
    Subject subject{.event = event,
                    .record = parked.record,
                    .parked = &parked,
                    .attempts = parked.attempts + 1,
                    .first_failed_at = failed_before ? std::optional(parked.first_at) : std::nullopt};
    const auto end = [&](store::Closing closing, std::string_view outcome, std::string_view code, QueueStep step) {
        count(event.handler, outcome, code, &event.headers);
        if (closing.dead) {
            meters_.dead_letters.with({closing.dead->error_class, code}).add();
        }
        return close_parked(task, std::move(closing), step);
    };
    if (event.handler == nullptr) {
        return end(settle_skip(context, subject, "unknown_type"), "skipped", "unknown_type", {});
    }
    if (*started > kAloneTriesMax) {
        return end(settle_dead(context, subject, {}, process_died()), "dead_letter", "process_died", {});
    }
    if (const auto read = decode(event, parked.record); !read) {
        return end(settle_dead(context, subject, {}, read.error()), "dead_letter", read.error().code, {});
    }
    RunResult result;
    for (int resends = 1;; ++resends) {
        const std::string run_name =
            parked.mode == store::Mode::normal
                ? std::string()
                : std::string(store::to_string(parked.mode)) + '/' + std::to_string(parked.first_at.time_since_epoch().count());
        result = run_handler(run_context(), {.event = event,
                                             .home = task->home,
                                             .mode = parked.mode,
                                             .attempt = subject.attempts,
                                             .override_code = parked.override_code,
                                             .run_name = run_name});
        meters_.handle_seconds.with({short_name(event.handler)}).observe(std::chrono::duration<double>(result.took).count());
        if (result.abandoned) {
            drop(task);
            return {.stop = true};
        }
        report(task, result);
        const auto* error = std::get_if<Outcome::Failed>(&result.outcome.value());
        const bool send_again = error != nullptr && error->kind == ErrorKind::unknown_outcome && result.creates_once;
        if (!send_again || resends >= kResendsMax || task->home->stopping) {
            break;
        }
    }
    if (result.outcome.ok()) {
        const auto* skipped = std::get_if<Outcome::Skipped>(&result.outcome.value());
        const std::string code = skipped != nullptr ? skipped->reason : std::string();
        return end(settle_success(context, subject, std::move(result)), skipped != nullptr ? "skipped" : "done", code, {});
    }
    const auto error = std::get<Outcome::Failed>(result.outcome.value());
    const int bug_tries = error.kind != ErrorKind::bug ? 0 : parked.waiting.kind == ErrorKind::bug ? subject.attempts : 1;
    const auto fate = fate_of(error, result, subject.attempts, bug_tries, subject.first_failed_at);
    switch (fate.kind) {
        case FateKind::hold:
            return end(settle_waiting(context, subject, std::move(result), error, {.held = true}), "held", error.code,
                       {.waits = true});
        case FateKind::dead_letter: {
            const bool after_its_time = error.kind == ErrorKind::conflict || error.kind == ErrorKind::not_ready ||
                                        error.kind == ErrorKind::unknown_outcome;
            return end(settle_dead(context, subject, std::move(result), error), "dead_letter", error.code,
                       {.with_queue = after_its_time && parked.family == Family::snapshot});
        }
        case FateKind::park:
        case FateKind::retry:
            return end(settle_waiting(context, subject, std::move(result), error,
                                      {.delay = std::max<std::chrono::milliseconds>(fate.delay, 1s), .firm = fate.firm}),
                       "parked", error.code, {.waits = true});
        case FateKind::wait_for_circuit:
            if (!circuit_.open()) {
                return end(settle_waiting(context, subject, std::move(result), error, {.delay = parked_delay(subject.attempts)}),
                           "parked", error.code, {.waits = true});
            }
            break;
        case FateKind::wait_for_lease:
            break;
    }
    // The whole run waits at the head of its lane; what it has settled so far stays settled.
    (void)database_.persist(give_up, true,
                            [&] { return store::take_back_start(database_.pool(), database_.deadline(), parked.seq); });
    const bool lease = fate.kind == FateKind::wait_for_lease;
    give_back(task, lease ? fate.delay : 0ms, lease ? result.busy_key : std::string());
    return {.stop = true};
}

Processor::Engine::QueueStep Processor::Engine::close_parked(const TaskPtr& task, store::Closing closing, QueueStep step) {
    closing.settle = true;
    auto answer = settle(task, std::move(closing));
    if (answer && answer->verdict == store::Verdict::closed) {
        step.key_parked = answer->key_parked;
        return step;
    }
    if (answer && answer->verdict == store::Verdict::not_owner) {
        drop(task);
    } else if (!answer && task->home->abandoned) {
        drop(task);
    } else {
        if (!answer) {
            telemetry::log::failure(telemetry::log::Level::error, "closing_refused", answer.error(),
                                    {{"topic", task->key.topic}});
        }
        give_back(task, 5s);
    }
    step.stop = true;
    return step;
}

}  // namespace syncline::kit
