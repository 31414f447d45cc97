#include "src/client_handle.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace syncline::kafka {

ClientHandle::~ClientHandle() {
    destroy_by({core::system_clock(), std::chrono::seconds{5}});
}

void keep_until_exit(void* object) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<void*>;
    const std::lock_guard lock(mutex);
    kept.push_back(object);
}

bool ClientHandle::destroy_by(const core::Deadline& deadline) {
    if (client_ == nullptr) {
        return true;
    }
    struct Shared {
        std::mutex mutex;
        std::condition_variable wake;
        bool done = false;
    };
    auto shared = std::make_shared<Shared>();
    // Detached on purpose: if librdkafka never returns, nobody may wait for this thread.
    std::thread([client = std::exchange(client_, nullptr), shared] {
        // consumer_close has run, or was given up: it must not run again in here without a deadline.
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        const std::lock_guard lock(shared->mutex);
        shared->done = true;
        shared->wake.notify_all();
    }).detach();
    std::unique_lock lock(shared->mutex);
    return shared->wake.wait_until(lock, std::chrono::steady_clock::now() + deadline.left(), [&] { return shared->done; });
}

}  // namespace syncline::kafka
