// librdkafka's messages as records of ours.
#pragma once

#include "src/handles.h"

#include <syncline/kafka/record.h>

namespace syncline::kafka {

// Borrows from the message.
[[nodiscard]] RecordView view_of(const rd_kafka_message_t& message);

}  // namespace syncline::kafka
