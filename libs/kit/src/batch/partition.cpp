#include "src/batch/partition.h"

#include <algorithm>

namespace syncline::kit {

std::int64_t batch_limit(BatchPartition& partition, std::int64_t first) {
    if (first < partition.suspect_end) {
        if (partition.suspect_step == 0) {
            partition.suspect_step = (partition.suspect_end - first + kSuspectSteps - 1) / kSuspectSteps;
        }
        return std::min(first + partition.suspect_step, partition.suspect_end);
    }
    return first < partition.mark ? partition.mark : first + static_cast<std::int64_t>(partition.handler.records_max);
}

std::int64_t next_mark(const BatchPartition& partition, std::int64_t end) {
    return end < partition.suspect_end ? std::min(end + partition.suspect_step, partition.suspect_end)
                                       : end + static_cast<std::int64_t>(partition.handler.records_max);
}

bool runs_alone(const BatchPartition& partition, std::int64_t offset) {
    return offset < partition.suspect_end && partition.suspect_step == 1;
}

}  // namespace syncline::kit
