// Tallies in PostgreSQL, written by the closing transaction.
#pragma once

#include <string_view>

#include "app/ports.h"

namespace helpdesk_sync {

// The table, for Service::migration.
extern const std::string_view kTallySchema;

class PgTallies final : public Tallies {
public:
    void add(kit::Delivery& delivery, const Tally& tally) override;
};

}  // namespace helpdesk_sync
