// The routes of the admin port that every service with handlers by key has; those of dead letters are in dead_letter_routes.h.
// docs/operating describes them; synclinectl speaks them.
#pragma once

#include <syncline/kit/admin.h>
#include <syncline/kit/processor.h>

#include "src/processing/dead_letter_routes.h"

namespace syncline::kit {

// The engine outlives the router's use.
void add_key_routes(AdminRouter& router, Processor::Engine& engine);         // Keys, parked events, holds.
void add_connection_routes(AdminRouter& router, Processor::Engine& engine);  // The target; redrive.

// Its dead letters: a replay goes into the queue of its key.
[[nodiscard]] DeadLetterGroup dead_letters_of(Processor::Engine& engine);

}  // namespace syncline::kit
