// From librdkafka's codes to core::Error. The kinds are those of <syncline/kafka/client.h>.
#pragma once

#include <librdkafka/rdkafka.h>
#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <string_view>

namespace syncline::kafka {

// `doing` begins the message: "commit: Broker: Not coordinator (NOT_COORDINATOR)".
[[nodiscard]] core::Error error_from(rd_kafka_resp_err_t code, std::string_view doing);
// The same with what librdkafka last said of a broker ("SSL handshake failed: …"), which its codes do not tell, and what to do
// about it. An empty `failure` changes nothing.
[[nodiscard]] core::Error with_cause(core::Error error, std::string_view failure);
[[nodiscard]] core::Error closed_error();
// What is left, as librdkafka wants it: whole milliseconds, at least 1 while any is left, 0 when none is.
[[nodiscard]] int milliseconds_left(const core::Deadline& deadline);

}  // namespace syncline::kafka
