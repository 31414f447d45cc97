// /admin/dead-letters of a service: those of its handlers by key and of its batches under the same routes.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/admin.h>
#include <syncline/postgres/pool.h>
#include <functional>
#include <string>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/dead_letter_rows.h"

namespace syncline::kit {

// The dead letters of one consumer group.
struct DeadLetterGroup {
    store::Identity who;
    // Handles it again in this transaction, or sees to it that it will be; settles the letter's row. An error leaves it dead.
    std::function<core::Result<void>(postgres::Transaction&, const store::DeadLetter&)> replay;
};

struct DeadLetterDesk {
    postgres::Pool& pool;
    core::Clock& clock;
    std::string service;
    std::function<void()> wake_relay;
    std::vector<DeadLetterGroup> groups;
};

// What the desk refers to outlives the router's use.
void add_dead_letter_routes(AdminRouter& router, DeadLetterDesk desk);

}  // namespace syncline::kit
