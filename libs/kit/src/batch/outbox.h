// The outbox of a service that handles nothing by key: its relay, and the figures that scans keep elsewhere.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/processor.h>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "src/processing/database.h"
#include "src/processing/meters.h"
#include "src/processing/relay.h"

namespace syncline::kit {

class BatchOutbox {
public:
    BatchOutbox(const ProcessorOptions& options, const ProcessorPorts& ports, const EventMeters& meters);
    BatchOutbox(const BatchOutbox&) = delete;
    BatchOutbox& operator=(const BatchOutbox&) = delete;
    ~BatchOutbox();

    void start();
    void wake() { relay_.wake(); }
    // As Relay::stop.
    bool stop(core::Deadline deadline);

private:
    void run();

    const ProcessorOptions options_;
    core::Clock& clock_;
    const EventMeters meters_;
    Database database_;
    Relay relay_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace syncline::kit
