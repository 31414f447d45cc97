// Sends what closing transactions left in the outbox: one relay for each bucket by lease, the lowest version of an aggregate
// first, the next one when it has been acknowledged. A failed send holds up its aggregate only. What a crash left is found by
// the sweep; what was sent but not deleted is sent again under its old ce_id.
//
// Owns one thread from start() to stop().
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/transport.h>
#include <syncline/telemetry/metrics.h>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/processing/database.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {

struct RelayOptions {
    std::string owner;
    std::chrono::milliseconds sweep_every{1'000};
    std::chrono::seconds lease{15};
    telemetry::Counter sent;
    telemetry::Counter failed;
};

class Relay {
public:
    Relay(Database& database, RecordSink& sink, core::Clock& clock, RelayOptions options);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    void start();
    // Something was written. Any thread, cheap.
    void wake();
    // Sends what is there until the deadline (of the machine's clock), gives the buckets back, joins. True if nothing was left.
    bool stop(core::Deadline deadline);

private:
    void run();
    // One look at the outbox. True if something was sent and there may be more.
    bool pass();
    [[nodiscard]] std::vector<std::string> send(std::vector<store::OutboxRow> rows);

    Database& database_;
    RecordSink& sink_;
    core::Clock& clock_;
    const RelayOptions options_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = true;
    bool stopping_ = false;
    bool empty_ = false;
    core::SteadyTime stop_at_{};

    // The relay's thread only:
    std::vector<int> buckets_;
    core::SteadyTime lease_renewed_{};
    std::map<std::string, std::pair<core::SteadyTime, int>> blocked_;  // Aggregate → not before, failures.
    std::thread thread_;
};

}  // namespace syncline::kit
