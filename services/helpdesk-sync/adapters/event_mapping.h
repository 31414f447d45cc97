// Protobuf to domain: the only file that sees both. Pure; an event without shop or connection is kind malformed.
#pragma once

#include <syncline/core/error.h>
#include <syncline/exports/v1/events.pb.h>
#include <syncline/kit/delivery.h>

#include "domain/tally.h"

namespace helpdesk_sync {

namespace exports_v1 = syncline::exports::v1;
namespace kit = syncline::kit;

[[nodiscard]] core::Result<Export> to_export(const exports_v1::OrderExported& event, const kit::EventHeaders& headers);

}  // namespace helpdesk_sync
