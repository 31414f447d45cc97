#include "src/processing/database.h"

#include <syncline/telemetry/log.h>
#include <algorithm>

namespace syncline::kit {

using namespace std::chrono_literals;

bool database_is_away(const core::Error& error) {
    return error.kind == core::ErrorKind::transient || error.kind == core::ErrorKind::unauthorized;
}

bool database_quarrels(const core::Error& error) {
    return error.kind == core::ErrorKind::conflict;
}

void Database::available(bool is) {
    if (available_.exchange(is) == is) {
        return;
    }
    if (is) {
        telemetry::log::info("postgres_available");
    } else {
        telemetry::log::warn("postgres_unavailable");
    }
    changed_(is);
}

void Database::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
}

void Database::pause(int tries) {
    const auto wait = std::min<std::chrono::milliseconds>(50ms * (1 << std::min(tries, 6)), 2s);
    std::unique_lock lock(mutex_);
    core::system_clock().wait_until(lock, wake_, core::system_clock().steady() + wait, [&] { return stopping_.load(); });
}

}  // namespace syncline::kit
