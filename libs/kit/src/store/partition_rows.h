// Ownership of partitions, how far their records went, and what was begun alone, as SQL.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/rows.h"

namespace syncline::kit::store {

struct Claim {
    std::int64_t epoch = 0;
    // The owner before did not say goodbye: records below this offset may have killed it.
    std::optional<std::int64_t> suspect_end;
};
// Makes this process the owner, with a higher epoch than anyone before. Waits for closing transactions of the owner before.
// One answer for each partition, in order. Error kind bug, code "group_collision": two groups with one number.
// `still_ours` is asked before the commit; if it says no, nothing is claimed and the error's code is kPartitionsMoved.
inline constexpr std::string_view kPartitionsMoved = "partitions_moved";
[[nodiscard]] core::Result<std::vector<Claim>> claim_partitions(postgres::Pool& pool, const core::Deadline& deadline,
                                                                const Identity& who, core::SystemTime now,
                                                                std::span<const TopicPartition> partitions,
                                                                const std::function<bool()>& still_ours = {});

struct Goodbye {
    TopicPartition partition;
    std::int64_t epoch = 0;
};
// The process lives and has let go: nothing of these partitions needs to be run alone.
[[nodiscard]] core::Result<void> say_goodbye(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                             std::span<const Goodbye> partitions);

struct Mark {
    TopicPartition partition;
    std::int64_t epoch = 0;
    std::int64_t end = 0;  // Records below it may be handed out.
};
[[nodiscard]] core::Result<void> raise_marks(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                             std::span<const Mark> marks);

// Counts one more start of this record alone. Returns the count.
[[nodiscard]] core::Result<int> count_poison_try(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                 const Position& position);
// That start came back: it killed nobody. Starts that did stay counted, else a record that finds the lease of the process it
// killed would begin anew each time.
[[nodiscard]] core::Result<void> take_back_poison_try(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                      const Position& position);

}  // namespace syncline::kit::store
