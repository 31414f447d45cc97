// From polled records to lanes: what was settled before goes no further, what belongs behind a parked key is told so.
#include <syncline/telemetry/log.h>
#include <algorithm>

#include "src/processing/engine.h"
#include "src/processing/scans.h"
#include "src/store/inbox_rows.h"

namespace syncline::kit {
namespace {

constexpr std::size_t kAdmittedAtOnce = 200;

}  // namespace

bool Processor::Engine::intake_ended(const AssignmentPtr& home) const {
    return home->stopping || home->abandoned;
}

void Processor::Engine::run_intake() {
    while (true) {
        std::vector<AssignmentPtr> claims;
        std::vector<TaskPtr> tasks;
        {
            std::unique_lock lock(intake_mutex_);
            intake_wake_.wait(lock, [&] { return intake_stopping_ || !claims_.empty() || !intake_.empty(); });
            if (intake_stopping_) {
                return;
            }
            claims.assign(claims_.begin(), claims_.end());
            claims_.clear();
            // A partition is claimed before its records: they came after its assignment.
            while (claims.empty() && !intake_.empty() && tasks.size() < kAdmittedAtOnce) {
                tasks.push_back(std::move(intake_.front()));
                intake_.pop_front();
            }
        }
        if (!claims.empty()) {
            claim(std::move(claims));
        } else {
            admit(std::move(tasks));
        }
    }
}

void Processor::Engine::claim(std::vector<AssignmentPtr> assignments) {
    const auto ended = [this](const auto& a) {
        return intake_ended(a);
    };
    const auto give_up = [&] {
        return std::ranges::all_of(assignments, ended);
    };
    std::vector<TopicPartition> partitions;
    core::Result<std::vector<store::Claim>> claimed;
    do {
        // What was taken away while it waited may have come back since: only the newer of the two is claimed. And a claim that
        // waited for the database must not take a partition from the instance that has it by then.
        std::erase_if(assignments, ended);
        if (assignments.empty()) {
            return;
        }
        partitions.clear();
        std::ranges::transform(assignments, std::back_inserter(partitions), [](const auto& a) { return a->partition; });
        claimed = database_.persist(give_up, true, [&] {
            return store::claim_partitions(database_.pool(), database_.deadline(), who_, ports_.clock.now(), partitions,
                                           [&] { return std::ranges::none_of(assignments, ended); });
        });
    } while (!claimed && claimed.error().code == store::kPartitionsMoved);
    if (!claimed) {
        if (give_up()) {
            return;
        }
        telemetry::log::failure(telemetry::log::Level::error, "partitions_not_claimed", claimed.error());
        if (!database_is_away(claimed.error())) {
            const std::lock_guard lock(mutex_);
            fatal_ = claimed.error();
        }
        return;
    }
    for (std::size_t i = 0; i < assignments.size(); ++i) {
        const auto& claim = (*claimed)[i];
        if (claim.suspect_end) {
            telemetry::log::warn("unclean_stop_before", {{"topic", partitions[i].topic},
                                                         {"partition", partitions[i].partition},
                                                         {"alone_below_offset", *claim.suspect_end}});
            assignments[i]->suspect_end = *claim.suspect_end;
        }
        assignments[i]->epoch = claim.epoch;
    }
    scans_->wake();
}

void Processor::Engine::admit(std::vector<TaskPtr> tasks) {
    std::vector<TaskPtr> candidates;
    for (auto& task : tasks) {
        if (intake_ended(task->home) || task->home->epoch == 0) {
            account(*task, false);
            continue;
        }
        task->event = read_event(task->record, handlers_);
        task->key = task->event.row.at;
        if (task->event.handler == nullptr) {
            count(nullptr, "skipped", "unknown_type", nullptr);
            account(*task, true);
            continue;
        }
        task->alone = task->record.position.offset < task->home->suspect_end;
        candidates.push_back(std::move(task));
    }
    if (candidates.empty()) {
        return;
    }
    std::vector<store::Candidate> asked;
    for (const auto& task : candidates) {
        asked.push_back({task->event.row.event_id, task->key});
        lanes_.reserve(task->key);
    }
    const auto give_up = [&] {
        return std::ranges::all_of(candidates, [this](const auto& t) { return intake_ended(t->home); });
    };
    const auto admissions =
        database_.persist(give_up, true, [&] { return store::admit(database_.pool(), database_.deadline(), who_, asked); });
    if (!admissions && !give_up()) {
        // A statement that PostgreSQL refuses is our fault and would be refused for ever: restarting is all that is left.
        telemetry::log::failure(telemetry::log::Level::error, "admission_refused", admissions.error());
        const std::lock_guard lock(mutex_);
        fatal_ = admissions.error();
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        auto& task = candidates[i];
        if (!admissions || intake_ended(task->home)) {
            lanes_.unreserve(task->key);
            account(*task, false);
        } else if ((*admissions)[i].known) {
            lanes_.unreserve(task->key);
            meters_.duplicates.add();
            count(task->event.handler, "duplicate", "", nullptr);
            account(*task, true);
        } else {
            task->key_parked = (*admissions)[i].key_parked;
            lanes_.push(std::move(task));
        }
    }
}

}  // namespace syncline::kit
