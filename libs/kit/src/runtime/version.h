// What this binary is. Internal to the runtime.
#pragma once

#include <string>
#include <string_view>

namespace syncline::kit {

[[nodiscard]] std::string_view version();  // "0.1.0", of the project.
[[nodiscard]] std::string_view source();   // `git describe` when it was configured; empty outside a repository.

}  // namespace syncline::kit
