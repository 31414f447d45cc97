#include "src/processing/offsets.h"

#include <algorithm>

namespace syncline::kit {

void Offsets::begin(std::int64_t offset) {
    window_.push_back({offset, false});
    last_ = offset;
}

void Offsets::finish(std::int64_t offset) {
    const auto entry = std::ranges::lower_bound(window_, offset, {}, &Entry::offset);
    if (entry == window_.end() || entry->offset != offset) {
        return;
    }
    entry->finished = true;
    while (!window_.empty() && window_.front().finished) {
        window_.pop_front();
    }
}

std::optional<std::int64_t> Offsets::next() const {
    if (!window_.empty()) {
        return window_.front().offset;
    }
    return last_ ? std::optional(*last_ + 1) : std::nullopt;
}

}  // namespace syncline::kit
