// The threads of inventory-sync beside its handlers: they compute targets, and for each shop of the mapping look, send and do the
// slower work. One instance at a time works for a shop (a lease); computing is shared by buckets.
//
// start() after everything is wired; stop() ends all threads by the deadline of the call each is in. A shop that the mapping
// gains is served within seconds; one that it loses is left alone. Owned by the service.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/ports.h"
#include "app/send_stock.h"

namespace inventory_sync {

struct RunOptions {
    int compute_threads = 2;
    int calls_in_flight = 4;  // Writing calls at once for one shop.
    std::chrono::milliseconds lease{15'000};
    std::chrono::milliseconds idle{200};
};

// What the threads do; each returns whether there may be more at once.
struct StockWork {
    std::function<bool(int thread, int threads)> compute;
    std::function<void()> minute;                        // About once a minute, in every instance.
    std::function<bool(const std::string& shop)> lease;  // Takes or renews it.
    std::function<void(const std::string& shop)> release;
    std::function<bool(const std::string& shop)> chores;
    std::function<void()> sources;  // Reads the files of the service's own sources, every few seconds in one instance.
    std::function<void()> servers;  // Asks the sources that are servers, likewise; a slow one does not hold up files.
};

class RunStock {
public:
    RunStock(SendStock& send, StockWork work, RulesSource rules, core::Clock& clock, RunOptions options);
    ~RunStock();
    RunStock(const RunStock&) = delete;
    RunStock& operator=(const RunStock&) = delete;

    void start();
    void stop();

private:
    struct Lane;
    void manage();
    void open_lane(const std::string& shop);
    // False: the service stops.
    bool pause(std::chrono::milliseconds time);

    SendStock& send_;
    StockWork work_;
    RulesSource rules_;
    core::Clock& clock_;
    RunOptions options_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::map<std::string, std::unique_ptr<Lane>> lanes_;  // Only the managing thread and stop() touch it.
    std::vector<std::thread> threads_;
};

}  // namespace inventory_sync
