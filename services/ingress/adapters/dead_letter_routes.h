// The admin routes of ingress's own dead letters. Those of other services are at their admin ports.
//
//   GET  /admin/dead-letters?state=&class=&code=&shop=&key=&since=&limit=
//   GET  /admin/dead-letters/{id}                 without the body: that is personal data
//   POST /admin/dead-letters/{id}/replay          {"replay_id": "…", "reason": "…", "dry_run": false}
//   POST /admin/dead-letters/{id}/discard         {"reason": "…"}
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/admin.h>

#include "adapters/webhook_metrics.h"
#include "app/replay_webhook.h"

namespace ingress {

// All arguments outlive the router.
void add_dead_letter_routes(syncline::kit::AdminRouter& router, ReplayWebhook& replay, WebhookMetrics& metrics,
                            syncline::core::Clock& clock);

}  // namespace ingress
