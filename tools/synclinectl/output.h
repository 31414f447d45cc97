// What a verb has to say: rows for people, JSON or CSV for programs, warnings on the other stream.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace synclinectl {

enum class Format { table, json, csv };

// Exit codes, part of the contract with scripts.
inline constexpr int kOk = 0;
inline constexpr int kNothing = 1;      // Nothing found, a failed check, a refused verb.
inline constexpr int kUsage = 2;        // The command line makes no sense.
inline constexpr int kUnreachable = 3;  // A service or the brokers did not answer.

struct Table {
    std::vector<std::string> columns;  // snake_case: JSON members too.
    std::vector<std::vector<std::string>> rows;
};

// Control characters are replaced: what a foreign system said must not steer a terminal.
void print(std::ostream& out, const Table& table, Format format);

}  // namespace synclinectl
