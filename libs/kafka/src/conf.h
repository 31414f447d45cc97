// Options → rd_kafka_conf_t. What this library relies on is fixed here and cannot be overridden.
#pragma once

#include "src/handles.h"

#include <syncline/core/error.h>
#include <syncline/kafka/client.h>
#include <string>
#include <utility>
#include <vector>

namespace syncline::kafka {

using Settings = std::vector<std::pair<std::string, std::string>>;

// `settings` are the role's own keys; overrides come after them and may replace those that are not in the list of fixed keys.
[[nodiscard]] core::Result<ConfHandle> make_conf(const ClientOptions& options, const Settings& settings);

// rd_kafka_new, with its refusal as an error. `conf` is used up.
[[nodiscard]] core::Result<rd_kafka_t*> new_client(rd_kafka_type_t type, ConfHandle conf);

// librdkafka's syslog levels.
[[nodiscard]] LogLevel log_level_from(int syslog_level);

}  // namespace syncline::kafka
