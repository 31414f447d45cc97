// Owns one rd_kafka_t and ends it under a deadline: a client that does not let go (LIBRARY-FAULTS §1: #4187, #4724) is leaked
// with a log line instead of hanging the process.
#pragma once

#include "src/conf.h"
#include "src/handles.h"

#include <syncline/core/clock.h>
#include <syncline/core/error.h>

namespace syncline::kafka {

class ClientHandle {
public:
    ClientHandle() = default;
    explicit ClientHandle(rd_kafka_t* client) : client_(client) {}
    ClientHandle(ClientHandle&& other) noexcept : client_(std::exchange(other.client_, nullptr)) {}
    ClientHandle& operator=(ClientHandle&& other) noexcept {
        std::swap(client_, other.client_);
        return *this;
    }
    // Five seconds, then leaked.
    ~ClientHandle();

    [[nodiscard]] rd_kafka_t* get() const { return client_; }
    [[nodiscard]] rd_kafka_t* release() { return std::exchange(client_, nullptr); }
    // False: librdkafka did not return in time; its threads go on until the process ends.
    bool destroy_by(const core::Deadline& deadline);

private:
    rd_kafka_t* client_ = nullptr;
};

// Leaks on purpose: what librdkafka's threads may still call into stays, reachable, until the process ends.
void keep_until_exit(void* object);

}  // namespace syncline::kafka
