#include "src/batch/outbox.h"

#include <syncline/core/hash.h>

#include "src/store/outbox_rows.h"

namespace syncline::kit {
namespace {

constexpr std::chrono::seconds kFiguresEvery{10};

}  // namespace

BatchOutbox::BatchOutbox(const ProcessorOptions& options, const ProcessorPorts& ports, const EventMeters& meters)
    : options_(options),
      clock_(ports.clock),
      meters_(meters),
      database_(ports.pool, [](bool) {}),
      relay_(database_, ports.sink, ports.clock,
             RelayOptions{.owner = options.instance.empty() ? core::uuid_v4() : options.instance + '/' + core::uuid_v4(),
                          .sweep_every = options.scan_every,
                          .sent = meters.outbox_sent,
                          .failed = meters.outbox_failed}) {}

BatchOutbox::~BatchOutbox() {
    stop(core::Deadline(core::system_clock(), std::chrono::seconds{0}));
}

void BatchOutbox::start() {
    relay_.start();
    thread_ = std::thread([this] { run(); });
}

bool BatchOutbox::stop(core::Deadline deadline) {
    const bool empty = relay_.stop(deadline);
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
    return empty;
}

void BatchOutbox::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const auto figures =
            store::outbox_figures(database_.pool(), core::Deadline(core::system_clock(), std::chrono::seconds{5}));
        if (figures) {
            meters_.outbox_unsent.set(static_cast<double>(figures->unsent));
            const auto oldest = figures->oldest.value_or(core::SystemTime{});  // 0: nothing waits.
            meters_.outbox_oldest.set(std::chrono::duration<double>(oldest.time_since_epoch()).count());
        }
        lock.lock();
        clock_.wait_until(lock, wake_, clock_.steady() + kFiguresEvery, [this] { return stopping_; });
    }
}

}  // namespace syncline::kit
