#include "domain/tally.h"

#include <syncline/core/time.h>

namespace helpdesk_sync {

std::optional<Tally> tally_of(const Export& exported) {
    if (!exported.created) {
        return std::nullopt;
    }
    constexpr std::size_t kDateLength = 10;
    return Tally{.shop = exported.shop,
                 .connection = exported.connection,
                 .day = core::format_rfc3339_utc(exported.at).substr(0, kDateLength)};
}

}  // namespace helpdesk_sync
