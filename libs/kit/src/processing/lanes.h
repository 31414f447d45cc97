// One lane for each key that has work: tasks of a key run one after another, keys side by side. Memory only.
//
//   reserve(key) → push(task) … take() → finish(task, …) | retry(task, when) …
//
// A lane lives while it has tasks or reservations and remembers what its tasks have settled meanwhile, so that an event that
// came twice in one burst, or behind one that parked the key, is seen although the database said otherwise at admission.
// What may be taken depends on three switches: closed (drain, pause), trials only (the circuit is open), and tasks that run
// alone: while such a task is ready nothing else is begun, and it begins when nothing runs.
// Any thread; nothing blocks but wait_idle().
#pragma once

#include <syncline/core/clock.h>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "src/processing/task.h"

namespace syncline::kit {

class Lanes {
public:
    // `ready` is called, without locks, whenever take() may find something.
    Lanes(core::Clock& clock, std::function<void()> ready);

    void reserve(const store::KeyOf& key);
    void unreserve(const store::KeyOf& key);
    // Uses up one reservation of its key.
    void push(TaskPtr task);
    // A run of the key's queue, unless one is waiting already.
    bool push_run(const store::KeyOf& key, const AssignmentPtr& home);
    [[nodiscard]] std::vector<store::KeyOf> keys_with_run() const;

    // The next task that may run now, or nullptr.
    [[nodiscard]] TaskPtr take();

    struct News {
        std::optional<bool> parked;          // The key is (not) parked after this task.
        std::optional<std::string> settled;  // Event id that is in the inbox now.
    };
    void finish(const TaskPtr& task, const News& news);
    // Keeps its place at the head of the lane. `waits_on`: an external key whose end makes it ready sooner.
    // False: its assignment is gone and the task with it.
    bool retry(const TaskPtr& task, core::SteadyTime when, const std::string& waits_on = {});
    void wake(const std::string& waits_on);

    // Moves what has waited long enough. Returns when to come again.
    core::SteadyTime tick();

    void close(bool closed);      // Nothing is taken.
    void trials_only(bool only);  // Only after allow_trial().
    // One task may be taken, of another key than the trial before where there is one. False if there is no task at all.
    bool allow_trial();

    // Takes what waits for these assignments out of the lanes (not what runs).
    [[nodiscard]] std::vector<TaskPtr> drop(const std::function<bool(const Assignment&)>& of);
    // Until no task of these assignments runs. False at the deadline (of the machine's clock).
    bool wait_idle(const std::function<bool(const Assignment&)>& of, core::Deadline deadline);

    [[nodiscard]] std::size_t ready() const;
    [[nodiscard]] std::size_t running() const;

private:
    struct Lane {
        std::deque<TaskPtr> tasks;
        int reservations = 0;
        bool running = false;
        bool queued = false;  // In ready_ or ready_alone_.
        bool delayed = false;
        std::uint64_t delay_id = 0;
        bool has_run = false;
        std::optional<bool> parked;
        std::set<std::string, std::less<>> settled;
        std::string waits_on;
    };
    using LaneMap = std::map<store::KeyOf, Lane>;

    void enqueue(LaneMap::iterator lane, bool front);
    void requeue_or_erase(LaneMap::iterator lane);
    [[nodiscard]] bool may_take() const;

    core::Clock& clock_;
    const std::function<void()> ready_callback_;
    mutable std::mutex mutex_;
    std::condition_variable idle_;
    LaneMap lanes_;
    std::deque<store::KeyOf> ready_;
    std::deque<store::KeyOf> ready_alone_;
    std::map<std::pair<core::SteadyTime, std::uint64_t>, store::KeyOf> delayed_;
    std::map<std::string, std::set<store::KeyOf>> waiting_on_;
    std::map<const Task*, AssignmentPtr> running_;
    std::uint64_t next_delay_id_ = 1;
    bool running_alone_ = false;
    bool closed_ = false;
    bool trials_only_ = false;
    bool trial_allowed_ = false;
    store::KeyOf last_trial_;
};

}  // namespace syncline::kit
