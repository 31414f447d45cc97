// The SQL that makes the kit's tables.
#pragma once

#include <syncline/kit/processor.h>
#include <array>
#include <span>

namespace syncline::kit::store {

[[nodiscard]] std::span<const Migration> migrations();

}  // namespace syncline::kit::store
