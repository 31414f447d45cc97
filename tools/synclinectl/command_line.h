// The command line of synclinectl: what main() calls, and what tests call with streams of their own.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace synclinectl {

// `arguments` without the program's name. The exit code: 0 done, 1 nothing found, refused or a failed check, 2 usage, 3
// unreachable.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace synclinectl
