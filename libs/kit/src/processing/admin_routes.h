// The routes of the admin port that every service with handlers has. docs/operating describes them; synclinectl speaks them.
#pragma once

#include <syncline/kit/admin.h>
#include <syncline/kit/processor.h>

namespace syncline::kit {

// The engine outlives the router's use.
void add_admin_routes(AdminRouter& router, Processor::Engine& engine);

}  // namespace syncline::kit
