#include "src/processing/lanes.h"

#include <algorithm>
#include <utility>

namespace syncline::kit {

Lanes::Lanes(core::Clock& clock, std::function<void()> ready) : clock_(clock), ready_callback_(std::move(ready)) {}

void Lanes::reserve(const store::KeyOf& key) {
    const std::lock_guard lock(mutex_);
    ++lanes_[key].reservations;
}

void Lanes::unreserve(const store::KeyOf& key) {
    const std::lock_guard lock(mutex_);
    const auto lane = lanes_.find(key);
    --lane->second.reservations;
    requeue_or_erase(lane);
}

void Lanes::push(TaskPtr task) {
    {
        const std::lock_guard lock(mutex_);
        const auto lane = lanes_.find(task->key);
        --lane->second.reservations;
        lane->second.tasks.push_back(std::move(task));
        requeue_or_erase(lane);
    }
    ready_callback_();
}

bool Lanes::push_run(const store::KeyOf& key, const AssignmentPtr& home) {
    {
        const std::lock_guard lock(mutex_);
        const auto lane = lanes_.try_emplace(key).first;
        if (lane->second.has_run) {
            return false;
        }
        auto task = std::make_shared<Task>();
        task->kind = Task::Kind::run;
        task->key = key;
        task->home = home;
        lane->second.has_run = true;
        lane->second.parked = true;
        lane->second.tasks.push_back(std::move(task));
        requeue_or_erase(lane);
    }
    ready_callback_();
    return true;
}

std::vector<store::KeyOf> Lanes::keys_with_run() const {
    const std::lock_guard lock(mutex_);
    std::vector<store::KeyOf> keys;
    for (const auto& [key, lane] : lanes_) {
        if (lane.has_run) {
            keys.push_back(key);
        }
    }
    return keys;
}

bool Lanes::may_take() const {
    return !closed_ && !running_alone_ && (!trials_only_ || trial_allowed_);
}

TaskPtr Lanes::take() {
    const std::lock_guard lock(mutex_);
    if (!may_take()) {
        return nullptr;
    }
    auto* queue = &ready_;
    if (!ready_alone_.empty()) {
        if (!running_.empty()) {
            return nullptr;
        }
        queue = &ready_alone_;
    }
    if (queue->empty()) {
        return nullptr;
    }
    auto chosen = queue->begin();
    if (trials_only_) {
        const auto other = std::ranges::find_if(*queue, [&](const auto& key) { return key != last_trial_; });
        chosen = other == queue->end() ? chosen : other;
        last_trial_ = *chosen;
        trial_allowed_ = false;
    }
    auto& lane = lanes_.find(*chosen)->second;
    queue->erase(chosen);
    lane.queued = false;
    lane.running = true;
    auto task = lane.tasks.front();
    task->trial = trials_only_;
    task->lane_parked = lane.parked.value_or(task->key_parked);
    task->lane_knows_event = task->kind == Task::Kind::record && lane.settled.contains(task->event.row.event_id);
    running_alone_ = task->alone;
    running_.emplace(task.get(), task->home);
    return task;
}

void Lanes::finish(const TaskPtr& task, const News& news) {
    {
        const std::lock_guard lock(mutex_);
        running_.erase(task.get());
        running_alone_ = running_alone_ && !task->alone;
        const auto lane = lanes_.find(task->key);
        lane->second.running = false;
        lane->second.tasks.pop_front();
        if (task->kind == Task::Kind::run) {
            lane->second.has_run = false;
        }
        if (news.parked) {
            lane->second.parked = news.parked;
        }
        if (news.settled) {
            lane->second.settled.insert(*news.settled);
        }
        requeue_or_erase(lane);
    }
    idle_.notify_all();
    ready_callback_();
}

bool Lanes::retry(const TaskPtr& task, core::SteadyTime when, const std::string& waits_on) {
    bool kept = true;
    {
        const std::lock_guard lock(mutex_);
        running_.erase(task.get());
        running_alone_ = running_alone_ && !task->alone;
        const auto found = lanes_.find(task->key);
        auto& lane = found->second;
        lane.running = false;
        kept = !task->home->stopping;
        if (!kept) {
            lane.tasks.pop_front();
            if (task->kind == Task::Kind::run) {
                lane.has_run = false;
            }
            requeue_or_erase(found);
        } else if (when <= clock_.steady()) {
            enqueue(found, true);
        } else {
            lane.delayed = true;
            lane.delay_id = next_delay_id_++;
            delayed_.emplace(std::pair(when, lane.delay_id), task->key);
            lane.waits_on = waits_on;
            if (!waits_on.empty()) {
                waiting_on_[waits_on].insert(task->key);
            }
        }
    }
    idle_.notify_all();
    ready_callback_();
    return kept;
}

void Lanes::wake(const std::string& waits_on) {
    {
        const std::lock_guard lock(mutex_);
        const auto waiting = waiting_on_.find(waits_on);
        if (waiting == waiting_on_.end()) {
            return;
        }
        for (const auto& key : waiting->second) {
            const auto lane = lanes_.find(key);
            if (lane != lanes_.end() && lane->second.delayed && lane->second.waits_on == waits_on) {
                lane->second.delayed = false;
                std::erase_if(delayed_, [&](const auto& entry) { return entry.first.second == lane->second.delay_id; });
                enqueue(lane, false);
            }
        }
        waiting_on_.erase(waiting);
    }
    ready_callback_();
}

core::SteadyTime Lanes::tick() {
    bool moved = false;
    core::SteadyTime next = core::SteadyTime::max();
    {
        const std::lock_guard lock(mutex_);
        const auto now = clock_.steady();
        while (!delayed_.empty() && delayed_.begin()->first.first <= now) {
            const auto key = delayed_.begin()->second;
            const auto id = delayed_.begin()->first.second;
            delayed_.erase(delayed_.begin());
            const auto lane = lanes_.find(key);
            if (lane == lanes_.end() || !lane->second.delayed || lane->second.delay_id != id) {
                continue;
            }
            lane->second.delayed = false;
            if (!lane->second.waits_on.empty()) {
                const auto waiting = waiting_on_.find(lane->second.waits_on);
                if (waiting != waiting_on_.end() && waiting->second.erase(key) > 0 && waiting->second.empty()) {
                    waiting_on_.erase(waiting);
                }
                lane->second.waits_on.clear();
            }
            enqueue(lane, false);
            moved = true;
        }
        if (!delayed_.empty()) {
            next = delayed_.begin()->first.first;
        }
    }
    if (moved) {
        ready_callback_();
    }
    return next;
}

void Lanes::close(bool closed) {
    {
        const std::lock_guard lock(mutex_);
        closed_ = closed;
    }
    ready_callback_();
}

void Lanes::trials_only(bool only) {
    {
        const std::lock_guard lock(mutex_);
        trials_only_ = only;
        trial_allowed_ = false;
    }
    ready_callback_();
}

bool Lanes::allow_trial() {
    {
        const std::lock_guard lock(mutex_);
        const bool any = std::ranges::any_of(lanes_, [](const auto& entry) { return !entry.second.tasks.empty(); });
        if (!any) {
            return false;
        }
        trial_allowed_ = true;
    }
    ready_callback_();
    return true;
}

std::vector<TaskPtr> Lanes::drop(const std::function<bool(const Assignment&)>& of) {
    std::vector<TaskPtr> dropped;
    const std::lock_guard lock(mutex_);
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
        auto& tasks = lane->second.tasks;
        const auto keep = lane->second.running ? 1 : 0;
        for (auto task = tasks.begin() + keep; task != tasks.end();) {
            if (of(*(*task)->home)) {
                if ((*task)->kind == Task::Kind::run) {
                    lane->second.has_run = false;
                }
                dropped.push_back(std::move(*task));
                task = tasks.erase(task);
            } else {
                ++task;
            }
        }
        const bool empty = tasks.empty();
        const auto key = lane->first;
        if (empty && (lane->second.queued || lane->second.delayed)) {
            std::erase(ready_, key);
            std::erase(ready_alone_, key);
            std::erase_if(delayed_, [&](const auto& entry) { return entry.second == key; });
            lane->second.queued = lane->second.delayed = false;
        }
        lane = empty && !lane->second.running && lane->second.reservations == 0 ? lanes_.erase(lane) : std::next(lane);
    }
    return dropped;
}

bool Lanes::wait_idle(const std::function<bool(const Assignment&)>& of, core::Deadline deadline) {
    std::unique_lock lock(mutex_);
    return core::system_clock().wait_until(lock, idle_, deadline.at(), [&] {
        return std::ranges::none_of(running_, [&](const auto& entry) { return of(*entry.second); });
    });
}

std::size_t Lanes::ready() const {
    const std::lock_guard lock(mutex_);
    if (!may_take()) {
        return 0;
    }
    if (!ready_alone_.empty()) {
        return running_.empty() ? 1 : 0;
    }
    return trials_only_ ? std::min<std::size_t>(1, ready_.size()) : ready_.size();
}

std::size_t Lanes::running() const {
    const std::lock_guard lock(mutex_);
    return running_.size();
}

void Lanes::enqueue(LaneMap::iterator lane, bool front) {
    auto& queue = lane->second.tasks.front()->alone ? ready_alone_ : ready_;
    lane->second.queued = true;
    if (front) {
        queue.push_front(lane->first);
    } else {
        queue.push_back(lane->first);
    }
}

void Lanes::requeue_or_erase(LaneMap::iterator lane) {
    auto& state = lane->second;
    if (state.running || state.queued || state.delayed) {
        return;
    }
    if (!state.tasks.empty()) {
        enqueue(lane, false);
    } else if (state.reservations == 0) {
        lanes_.erase(lane);
    }
}

}  // namespace syncline::kit
