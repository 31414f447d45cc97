// The SQL that makes the kit's tables.
#pragma once

#include <array>
#include <span>
#include <syncline/kit/processor.h>

namespace syncline::kit::store {

[[nodiscard]] std::span<const Migration> migrations();

}  // namespace syncline::kit::store
