// The verbs of synclinectl. Each prints to services.out() and returns the exit code.
#pragma once

#include "event_log.h"
#include "services.h"

#include <string>
#include <vector>

namespace synclinectl {

int list_dead_letters(Services& services);
int show_dead_letter(Services& services, const std::string& id);
// Those named, or with `all` those that fit the filters. "replay" or "discard".
int act_on_dead_letters(Services& services, const std::string& verb, const std::vector<std::string>& ids, bool all);

int list_holds(Services& services);
int show_hold(Services& services, const std::string& key);
int release_hold(Services& services, const std::string& key);
// Without --code the code of the hold, if it has only one.
int override_hold(Services& services, const std::string& key);
int list_parked(Services& services);

int pause_connection(Services& services, bool pausing);
int redrive(Services& services, const std::string& event_id);

// `log` may be null: then only what the services know.
int show_order(Services& services, EventLog* log, const std::string& shop, const std::string& order, int scan);

int doctor(Services& services, ClusterView* cluster);

}  // namespace synclinectl
