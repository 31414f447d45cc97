// Keeps the number of distinct names small: the first `names_max` are kept, every further one becomes "other".
//
// For metric labels and counters by name whose names come from outside. Thread-safe; blocks only for a short lock.
//
//   unknown_members.with({names.keep(member_name)}).add();
#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::core {

class BoundedNames {
public:
    static constexpr std::string_view kOther = "other";

    // A name longer than `bytes_max` or with anything but [A-Za-z0-9_./-] is "other" too.
    explicit BoundedNames(std::size_t names_max, std::size_t bytes_max = 64);
    // The name itself or "other". The view lives as long as this object.
    [[nodiscard]] std::string_view keep(std::string_view name);
    [[nodiscard]] std::vector<std::string> names() const;

private:
    const std::size_t names_max_;
    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::set<std::string, std::less<>> names_;  // Nodes never move, so views stay valid.
};

}  // namespace syncline::core
