// From wired to gone: opens the door, waits for PostgreSQL and Kafka, starts the processor, and on SIGTERM takes it all down in
// order under one deadline. Internal to the runtime.
//
// Threads: serve() runs on the main thread, which waits for signals; `upkeep` is a thread that waits for what the service depends
// on and then does small chores (a rotated database password).
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/config.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/runtime/admin_door.h"
#include "src/runtime/service_core.h"

namespace syncline::kit {

class Lifecycle {
public:
    // `began`: when the process was started, for the time to ready. SIGTERM and SIGINT must be blocked in every thread.
    Lifecycle(ServiceCore& service, core::SteadyTime began);
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;
    ~Lifecycle();

    // Blocks until SIGTERM, SIGINT or something final. The exit code: 0 drained, 1 not; throws StartError (topic missing, port in
    // use).
    int serve();

private:
    // Nothing while it is not known, an error while it is not there.
    struct Dependency {
        bool used = false;
        bool there = false;
        core::Error error{.kind = core::ErrorKind::transient, .code = "not_yet_checked", .message = "was not reached yet"};
    };

    void open();
    void wait_for_end();
    int drain();
    void arm_watchdog(core::SteadyTime until);

    void upkeep();
    bool await_postgres();
    bool await_kafka();
    bool await(Dependency& dependency, const char* event, const std::function<core::Result<void>()>& attempt);
    core::Result<void> prepare_schema();
    core::Result<void> check_topics();
    void start_runnables();
    void stop_runnables(const core::Deadline& deadline);
    void start_processor();
    void chores();
    core::Result<void> follow_database_clock();
    bool pause(std::chrono::milliseconds time);
    void give_up(std::vector<Problem> problems);

    [[nodiscard]] std::int64_t brokers_up();
    [[nodiscard]] std::vector<Check> live() const;
    [[nodiscard]] std::vector<Check> ready();
    [[nodiscard]] std::vector<Check> started() const;

    ServiceCore& service_;
    core::Clock& clock_;
    const core::SteadyTime began_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    Dependency postgres_;
    Dependency kafka_;
    std::vector<Problem> final_problems_;
    bool broken_ = false;
    std::atomic<bool> started_{false};
    std::atomic<bool> draining_{false};
    std::atomic<bool> brokers_seen_{false};

    std::string url_in_use_;
    core::SteadyTime clock_looked_at_{};

    std::size_t runnables_started_ = 0;  // The main thread's; while upkeep runs, upkeep's if there is a database.
    std::unique_ptr<AdminDoor> door_;
    std::thread upkeep_;
    std::mutex watchdog_mutex_;
    std::condition_variable watchdog_wake_;
    bool watchdog_off_ = false;
    std::thread watchdog_;
};

}  // namespace syncline::kit
