// What has to be looked for: parked keys and timers that are due, documents to verify, an operator's pause, holds whose entry
// resolves by now, figures, and inbox rows whose time is over. Only for keys of this process's partitions.
//
// Owns one thread from start() to stop(); it blocks on the database and on the reader, never longer than their deadlines.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/transport.h>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/processing/engine.h"
#include "src/processing/task.h"

namespace syncline::kit {

class Scans {
public:
    explicit Scans(Processor::Engine& engine) : engine_(engine) {}
    ~Scans() { stop(); }
    Scans(const Scans&) = delete;
    Scans& operator=(const Scans&) = delete;

    void start();
    // Look now.
    void wake();
    void mappings_changed(std::string version);
    void stop();

private:
    void run();
    void pass(const std::vector<AssignmentPtr>& mine);
    void operator_pause();
    void timers(const std::vector<TopicPartition>& partitions);
    void verifications(const std::vector<TopicPartition>& partitions);
    void due_keys(const std::vector<AssignmentPtr>& mine, const std::vector<TopicPartition>& partitions);
    void resolved_holds();
    void figures();
    void growth();
    [[nodiscard]] bool due(core::SteadyTime& next, std::chrono::nanoseconds every);

    Processor::Engine& engine_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = false;
    bool stopping_ = false;
    std::optional<std::string> new_version_;

    // The scan thread only:
    std::string mapping_version_;
    std::map<std::string, int> tried_entries_;  // Made due in this version of the mapping, so often.
    core::SteadyTime next_holds_{};
    core::SteadyTime next_figures_{};
    core::SteadyTime next_growth_{};
    std::thread thread_;
};

}  // namespace syncline::kit
