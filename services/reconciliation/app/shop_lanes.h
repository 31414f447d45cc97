// Work that goes on for every shop by itself: one thread a shop, in one instance at a time.
//
//   ShopLanes lanes({.name = "stock", .shops = …, .lease = …, .release = …, .step = …}, clock, lease);
//   service.runnable("stock", [&] { lanes.start(); }, [&](core::Deadline) { lanes.stop(); });
//
// A shop that appears is served within seconds, one that disappears is left alone. A shop whose work hangs or fails holds up no
// other one. The lease is renewed by a thread of its own while a step runs, however long; a step asks `ours()` before it writes
// and ends soon once it says no (the lease is lost, the service stops). Owned by the service; start() and stop() once each.
#pragma once

#include <syncline/core/clock.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace reconciliation {

namespace core = syncline::core;

using StillOurs = std::function<bool()>;

struct ShopWork {
    std::string name;                                          // Of the lease: "<name>/<shop>".
    std::function<std::vector<std::string>()> shops;           // Those that are served now; asked every second.
    std::function<bool(const std::string& lease_name)> lease;  // Takes or renews it.
    std::function<void(const std::string& lease_name)> release;
    // What is due of a shop. Returns after how long it is called again; throws nothing.
    std::function<std::chrono::milliseconds(const std::string& shop, const StillOurs& ours)> step;
};

class ShopLanes {
public:
    ShopLanes(ShopWork work, core::Clock& clock, std::chrono::milliseconds lease);
    ~ShopLanes();
    ShopLanes(const ShopLanes&) = delete;
    ShopLanes& operator=(const ShopLanes&) = delete;

    void start();
    // Steps under way end as soon as they ask.
    void stop();

private:
    struct Lane;
    void manage();
    void renew(Lane& lane);
    // False: the service stops.
    bool pause(std::chrono::milliseconds time);

    ShopWork work_;
    core::Clock& clock_;
    std::chrono::milliseconds lease_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::map<std::string, std::unique_ptr<Lane>> lanes_;  // Only the managing thread and stop() touch it.
    std::thread manager_;
};

}  // namespace reconciliation
