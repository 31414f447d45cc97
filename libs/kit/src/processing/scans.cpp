#include "src/processing/scans.h"

#include <syncline/telemetry/log.h>
#include <algorithm>

#include "src/store/admin_rows.h"
#include "src/store/inbox_rows.h"
#include "src/store/intent_rows.h"
#include "src/store/outbox_rows.h"
#include "src/store/parked_rows.h"

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;
using telemetry::log::Level;

constexpr int kDueMax = 500;
constexpr int kReadMax = 200;
constexpr int kGrowthStep = 1000;
constexpr int kGrowthStepsMax = 50;
constexpr int kTriesOfEntryMax = 3;

double seconds_of(const std::optional<core::SystemTime>& time) {
    return time ? std::chrono::duration<double>(time->time_since_epoch()).count() : 0.0;
}

// An event that was settled before and runs once more, as it goes into its key's queue. nullopt: nobody here wants it any more.
std::optional<store::ParkedEvent> queued_again(const Processor::Engine& engine, const TransportRecord& record, store::Mode mode,
                                               core::SystemTime now) {
    auto event = read_event(record, engine.handlers());
    if (event.handler == nullptr || !decode(event, record)) {
        return std::nullopt;
    }
    return store::ParkedEvent{.event = event.row,
                              .family = event.handler->family,
                              .resource = event.resource,
                              .version = event.version,
                              .mode = mode,
                              .waiting = {.kind = core::ErrorKind::not_ready, .code = std::string(store::to_string(mode))},
                              .first_at = now,
                              .last_at = now,
                              .due_at = now,
                              .record = record};
}

}  // namespace

void Scans::start() {
    thread_ = std::thread([this] { run(); });
}

void Scans::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    wake_.notify_one();
}

void Scans::mappings_changed(std::string version) {
    {
        const std::lock_guard lock(mutex_);
        new_version_ = std::move(version);
        woken_ = true;
    }
    wake_.notify_one();
}

void Scans::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Scans::run() {
    auto& clock = engine_.ports().clock;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            clock.wait_until(lock, wake_, clock.steady() + engine_.options().scan_every, [&] { return stopping_ || woken_; });
            woken_ = false;
            if (stopping_) {
                return;
            }
            if (new_version_) {
                mapping_version_ = *std::exchange(new_version_, std::nullopt);
                tried_entries_.clear();
                next_holds_ = {};
            }
        }
        pass(engine_.assignments());
    }
}

bool Scans::due(core::SteadyTime& next, std::chrono::nanoseconds every) {
    const auto now = engine_.ports().clock.steady();
    if (now < next) {
        return false;
    }
    next = now + every;
    return true;
}

void Scans::pass(const std::vector<AssignmentPtr>& mine) {
    operator_pause();
    std::vector<TopicPartition> partitions;
    std::ranges::transform(mine, std::back_inserter(partitions), [](const auto& a) { return a->partition; });
    if (!partitions.empty()) {
        if (due(next_holds_, 10s)) {
            resolved_holds();
        }
        timers(partitions);
        verifications(partitions);
        due_keys(mine, partitions);
    }
    if (due(next_figures_, 15s)) {
        figures();
    }
    if (due(next_growth_, 60s)) {
        growth();
    }
}

void Scans::operator_pause() {
    auto& database = engine_.database();
    const auto paused = store::connection_pause(database.pool(), database.deadline(), engine_.who());
    if (!paused) {
        if (database_is_away(paused.error())) {
            database.available(false);
        }
        return;
    }
    database.available(true);
    engine_.set_operator_pause(paused->has_value());
}

void Scans::timers(const std::vector<TopicPartition>& partitions) {
    auto& database = engine_.database();
    const auto now = engine_.ports().clock.now();
    const auto due = store::due_timers(database.pool(), database.deadline(), engine_.who(), now, partitions,
                                       engine_.handlers().snapshot_types(), kReadMax);
    if (!due || due->empty()) {
        return;
    }
    std::vector<Position> positions;
    std::ranges::transform(*due, std::back_inserter(positions), [](const auto& d) { return d.snapshot; });
    const auto records = engine_.ports().reader.read(positions, core::Deadline(core::system_clock(), 10s));
    std::vector<store::ParkedEvent> events;
    std::vector<store::TimerRow> settled;
    for (std::size_t i = 0; i < due->size(); ++i) {
        if (!records[i]) {
            if (records[i].error().code != "record_gone") {
                continue;  // The next scan tries again.
            }
            telemetry::log::failure(Level::error, "timer_record_gone", records[i].error(),
                                    {{"event_id", (*due)[i].snapshot_event}});
            engine_.meters().records_gone.add();
        } else if (auto event = queued_again(engine_, *records[i], store::Mode::timer, now)) {
            if (event->event.event_id == (*due)[i].snapshot_event) {
                events.push_back(std::move(*event));
            } else {
                // The topic was made anew: what stands at that position is another event, perhaps of another key.
                telemetry::log::error("timer_record_gone", {{"event_id", (*due)[i].snapshot_event}});
                engine_.meters().records_gone.add();
            }
        }
        settled.push_back((*due)[i].timer);
    }
    if (settled.empty()) {
        return;
    }
    const auto moved = database.pool().run(database.deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
        if (auto ok = store::append_events(tx, engine_.who(), now, events); !ok) {
            return ok;
        }
        return store::delete_timers(tx, engine_.who(), settled);
    });
    if (!moved) {
        telemetry::log::failure(Level::warn, "timers_not_moved", moved.error());
    }
}

void Scans::verifications(const std::vector<TopicPartition>& partitions) {
    auto& database = engine_.database();
    const auto now = engine_.ports().clock.now();
    const auto due = store::due_verifications(database.pool(), database.deadline(), engine_.who(), now, partitions, kReadMax);
    if (!due || due->empty()) {
        return;
    }
    std::vector<Position> positions;
    std::ranges::transform(*due, std::back_inserter(positions), [](const auto& d) { return d.position; });
    const auto records = engine_.ports().reader.read(positions, core::Deadline(core::system_clock(), 10s));
    std::vector<store::ParkedEvent> events;
    std::vector<std::string> cleared;
    for (std::size_t i = 0; i < due->size(); ++i) {
        if (!records[i]) {
            if (records[i].error().code != "record_gone") {
                continue;
            }
            telemetry::log::failure(Level::error, "verify_record_gone", records[i].error(),
                                    {{"external_key", (*due)[i].external_key}});
            engine_.meters().records_gone.add();
        } else if (auto event = queued_again(engine_, *records[i], store::Mode::verify, now)) {
            // A document and a record it shares may name the same event: it runs once.
            const bool twice =
                std::ranges::any_of(events, [&](const auto& e) { return e.event.event_id == event->event.event_id; });
            if (!twice) {
                events.push_back(std::move(*event));
            }
            engine_.meters().verifications.add();
        }
        cleared.push_back((*due)[i].external_key);
    }
    if (cleared.empty()) {
        return;
    }
    const auto moved = database.pool().run(database.deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
        if (auto ok = store::append_events(tx, engine_.who(), now, events); !ok) {
            return ok;
        }
        return store::clear_verifications(tx, engine_.who(), now, cleared);
    });
    if (!moved) {
        telemetry::log::failure(Level::warn, "verifications_not_moved", moved.error());
    }
}

void Scans::due_keys(const std::vector<AssignmentPtr>& mine, const std::vector<TopicPartition>& partitions) {
    auto& database = engine_.database();
    const auto running = engine_.lanes().keys_with_run();
    if (running.size() >= kDueMax) {
        return;
    }
    const auto due = store::due_keys(database.pool(), database.deadline(), engine_.who(), engine_.ports().clock.now(), partitions,
                                     running, kDueMax);
    if (!due) {
        telemetry::log::failure(Level::warn, "due_keys_not_read", due.error());
        return;
    }
    for (const auto& key : *due) {
        const auto home = std::ranges::find_if(mine, [&](const auto& assignment) {
            return assignment->partition.topic == key.at.topic && assignment->partition.partition == key.partition;
        });
        if (home != mine.end() && !(*home)->stopping) {
            engine_.lanes().push_run(key.at, *home);
        }
    }
}

void Scans::resolved_holds() {
    if (!engine_.resolves()) {
        return;
    }
    auto& database = engine_.database();
    if (!mapping_version_.empty()) {
        if (const auto noted = store::note_mapping_version(database.pool(), database.deadline(), engine_.who(), mapping_version_,
                                                           engine_.ports().clock.now());
            !noted) {
            telemetry::log::failure(Level::warn, "mapping_version_not_noted", noted.error());
        }
    }
    const auto awaited = store::awaited_entries(database.pool(), database.deadline(), engine_.who());
    if (!awaited) {
        return;
    }
    std::vector<std::string> resolved;
    for (const auto& entry : *awaited) {
        // An entry that resolves here while the handler still misses it must not become a loop.
        if (engine_.resolves()(entry) && tried_entries_[entry]++ < kTriesOfEntryMax) {
            resolved.push_back(entry);
        }
    }
    if (resolved.empty()) {
        return;
    }
    const auto made = database.pool().run(database.deadline(), [&](postgres::Transaction& tx) {
        return store::make_due(tx, engine_.who(), engine_.ports().clock.now(), resolved);
    });
    if (!made) {
        telemetry::log::failure(Level::warn, "holds_not_made_due", made.error());
        next_holds_ = {};
        return;
    }
    telemetry::log::info("holds_resolved",
                         {{"entries", resolved.size()}, {"events", *made}, {"mapping_version", mapping_version_}});
}

void Scans::figures() {
    auto& database = engine_.database();
    auto& meters = engine_.meters();
    if (const auto parked = store::parked_figures(database.pool(), database.deadline(), engine_.who())) {
        meters.parked_keys.set(static_cast<double>(parked->parked));
        meters.held_keys.set(static_cast<double>(parked->held));
        meters.oldest_parked.set(seconds_of(parked->oldest_parked));
        meters.oldest_held.set(seconds_of(parked->oldest_held));
    }
    if (const auto outbox = store::outbox_figures(database.pool(), database.deadline())) {
        meters.outbox_unsent.set(static_cast<double>(outbox->unsent));
        meters.outbox_oldest.set(seconds_of(outbox->oldest));
    }
}

void Scans::growth() {
    auto& database = engine_.database();
    const auto before = engine_.ports().clock.now() - engine_.options().inbox_retention;
    for (int step = 0; step < kGrowthStepsMax; ++step) {
        const auto deleted = store::delete_settled(database.pool(), database.deadline(), engine_.who(), before, kGrowthStep);
        if (!deleted) {
            telemetry::log::failure(Level::warn, "growth_not_controlled", deleted.error());
            return;
        }
        engine_.meters().inbox_deleted.add(static_cast<double>(*deleted));
        if (*deleted < kGrowthStep) {
            return;
        }
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return;
        }
    }
}

}  // namespace syncline::kit
