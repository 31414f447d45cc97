#include "syncline/core/error.h"

#include <array>

namespace syncline::core {
namespace {

struct Name {
    ErrorKind kind;
    std::string_view text;
};

constexpr std::array kNames{
    Name{ErrorKind::transient, "transient"},
    Name{ErrorKind::throttled, "throttled"},
    Name{ErrorKind::unauthorized, "unauthorized"},
    Name{ErrorKind::unknown_outcome, "unknown_outcome"},
    Name{ErrorKind::conflict, "conflict"},
    Name{ErrorKind::not_ready, "not_ready"},
    Name{ErrorKind::mapping_missing, "mapping_missing"},
    Name{ErrorKind::needs_decision, "needs_decision"},
    Name{ErrorKind::rejected, "rejected"},
    Name{ErrorKind::malformed, "malformed"},
    Name{ErrorKind::bug, "bug"},
};

}  // namespace

std::string_view to_string(ErrorKind kind) noexcept {
    for (const auto& name : kNames) {
        if (name.kind == kind) {
            return name.text;
        }
    }
    return "bug";
}

ErrorKind error_kind_from(std::string_view name) noexcept {
    for (const auto& known : kNames) {
        if (known.text == name) {
            return known.kind;
        }
    }
    return ErrorKind::bug;
}

}  // namespace syncline::core
