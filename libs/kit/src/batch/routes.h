// /admin/batches: how far each partition of each batch group is.
#pragma once

#include <syncline/kit/admin.h>
#include <syncline/postgres/pool.h>
#include <vector>

#include "src/store/closing_rows.h"

namespace syncline::kit {

void add_batch_routes(AdminRouter& router, postgres::Pool& pool, std::vector<store::Identity> groups);

}  // namespace syncline::kit
