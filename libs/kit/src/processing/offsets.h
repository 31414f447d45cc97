// Which records of a partition are finished, and how far that is contiguous. Not thread-safe: its partition guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace syncline::kit {

class Offsets {
public:
    // Offsets ascend; gaps are normal (transactions, compaction).
    void begin(std::int64_t offset);
    // A second time, or of an offset that was never begun, changes nothing.
    void finish(std::int64_t offset);
    // The next offset to read: everything below it is finished. Empty if nothing was begun.
    [[nodiscard]] std::optional<std::int64_t> next() const;
    // Begun and behind the first unfinished one, it included.
    [[nodiscard]] std::size_t open() const { return window_.size(); }

private:
    struct Entry {
        std::int64_t offset;
        bool finished;
    };
    std::deque<Entry> window_;  // Begins with an unfinished one.
    std::optional<std::int64_t> last_;
};

}  // namespace syncline::kit
