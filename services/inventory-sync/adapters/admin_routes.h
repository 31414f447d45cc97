// The admin routes of inventory-sync beside the kit's.
#pragma once

#include <syncline/kit/admin.h>

#include "adapters/pg_chores.h"
#include "adapters/pg_own_state.h"

namespace inventory_sync {

// `chores`, `own_state` and `rules` must outlive the router's use.
void add_admin_routes(syncline::kit::AdminRouter& router, PgChores& chores, PgOwnState& own_state, RulesSource rules);

}  // namespace inventory_sync
