// The one kind of error that crosses a boundary in Syncline: a value with a kind from a closed list.
//
// Ports, domain functions and libraries return core::Result<T>. Only the service kit turns a kind into a fate (retry, park,
// hold, dead letter, skip): docs/architecture.md has the table. Nothing here throws; everything may be used from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::core {

// What went wrong, by what must happen next. The list is closed: the fates of the kit cover exactly these.
enum class ErrorKind : std::uint8_t {
    transient,        // The target is not there (no connection, its database down): the circuit opens.
    throttled,        // The target asks for patience; Error::retry_after says how long.
    unauthorized,     // The target refuses our credentials.
    unknown_outcome,  // The request may have been carried out: a lost answer, a timeout.
    conflict,         // A lock, a serialization failure, an unknown 5xx on one record.
    not_ready,        // What it belongs to has not come yet.
    mapping_missing,  // A mapping entry is missing; Error::waits_for names it.
    needs_decision,   // A person has to decide; Error::figures may carry both sides.
    rejected,         // The target refuses this record for good.
    malformed,        // The record cannot be read.
    bug,              // Our own fault.
};

// Stable lower-case name ("mapping_missing"), used in metrics, logs and headers.
[[nodiscard]] std::string_view to_string(ErrorKind kind) noexcept;

// The kind with that name, or ErrorKind::bug for an unknown name.
[[nodiscard]] ErrorKind error_kind_from(std::string_view name) noexcept;

// Two figures that should have been equal, as canonical decimal text with their currency ("EUR").
struct Figures {
    std::string expected;
    std::string found;
    std::string currency;
    friend bool operator==(const Figures&, const Figures&) = default;
};

struct Error {
    ErrorKind kind = ErrorKind::bug;
    std::string code;     // Stable snake_case word from a bounded set: a metric label, the thing to grep for.
    std::string message;  // For a person. Never personal data, never a secret.
    std::string hint;     // What to do about it; may be empty.
    std::chrono::milliseconds retry_after{0};  // Zero: the kit's own schedule.
    std::string waits_for;                     // mapping_missing: the entry, e.g. "tax:FR/20.0/incl".
    Figures figures;                           // needs_decision on amounts; empty otherwise.
    std::source_location where = std::source_location::current();
};

template <typename T>
using Result = std::expected<T, Error>;

// An unexpected Error in one line: return fail(ErrorKind::rejected, "no_lines", "the order has no lines");
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string code, std::string message, std::string hint = {},
                                                 std::source_location where = std::source_location::current()) {
    return std::unexpected(
        Error{.kind = kind, .code = std::move(code), .message = std::move(message), .hint = std::move(hint), .where = where});
}

}  // namespace syncline::core
