#include "syncline/core/bounded_names.h"

#include <algorithm>

namespace syncline::core {
namespace {

bool plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/' ||
           c == '-';
}

}  // namespace

BoundedNames::BoundedNames(std::size_t names_max, std::size_t bytes_max) : names_max_(names_max), bytes_max_(bytes_max) {}

std::string_view BoundedNames::keep(std::string_view name) {
    if (name.empty() || name.size() > bytes_max_ || !std::ranges::all_of(name, plain)) {
        return kOther;
    }
    const std::lock_guard lock(mutex_);
    if (const auto known = names_.find(name); known != names_.end()) {
        return *known;
    }
    if (names_.size() >= names_max_) {
        return kOther;
    }
    return *names_.emplace(name).first;
}

std::vector<std::string> BoundedNames::names() const {
    const std::lock_guard lock(mutex_);
    return {names_.begin(), names_.end()};
}

}  // namespace syncline::core
