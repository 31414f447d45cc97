// Whether the topics a service uses are there. Internal to the runtime.
#pragma once

#include <syncline/kafka/admin.h>
#include <syncline/kit/config.h>
#include <span>
#include <string>
#include <vector>

namespace syncline::kit {

// One problem for each topic that does not exist, its cure the command that creates it. Logs a warning where the number of
// partitions is not that of proto/topics.yaml.
[[nodiscard]] std::vector<Problem> missing_topics(std::span<const kafka::TopicDescription> found, const std::string& prefix,
                                                  const std::string& brokers);

}  // namespace syncline::kit
